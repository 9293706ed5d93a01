"""Works on sequences, and on images of one column, as on the images of one row that they lie like.

Importers lower a 1-D convolution to an image of one row, with a reshape before and one after, and
so does `columns` for images of one column. What lies between two convolutions would keep the
reshapes apart, and whole blocks unrecognized: it works on the image of one row instead, and the
reshape moves behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..ir import Graph, Node
from ..sizes import Shape, shape_argument
from ._edit import Edit

_ROW = 1  # the axis of size 1 in an image (N, 1, W, C)
_COLUMN = 2  # and in (N, W, 1, C)

Attributes = dict[str, Any]

# Of a node on sequences, its attributes on images; `axes` says where axes go. The others stay.
_ATTRIBUTES: dict[str, Callable[[Attributes, _Axes], Attributes]] = {
    "activation": lambda a, axes: {},
    "unary": lambda a, axes: {},
    "batch_norm": lambda a, axes: {},
    "layer_norm": lambda a, axes: {},
    "binary": lambda a, axes: {},
    "concat": lambda a, axes: {"axis": axes.place(a["axis"])},
    "pad": lambda a, axes: {
        "before": axes.values(a["before"], 0),
        "after": axes.values(a["after"], 0),
    },
    "slice": lambda a, axes: {
        "starts": axes.values(a["starts"], 0),
        "stops": axes.values(a["stops"], 1),
        "steps": axes.values(a["steps"], 1),
    },
    "reduce": lambda a, axes: {"axes": axes.reduced(a["axes"])},
}
_ANY_ORDER = ("activation", "unary")  # what an element becomes does not depend on its place


class _Axes:
    """Where the axes of a sequence (N, W, C), or of an image (N, W, 1, C), go in (N, 1, W, C)."""

    def __init__(self, rank: int) -> None:
        self.rank = rank

    def place(self, axis: int) -> int:
        axis %= self.rank
        return (0, 2, 3)[axis] if self.rank == 3 else (0, 2, 1, 3)[axis]

    def values(self, values: Any, row: Any) -> tuple[Any, ...]:
        """Return what a node has for each axis; a sequence has nothing for the row."""
        n, w, *rest = values
        return (n, row, w, *rest) if self.rank == 3 else (n, rest[0], w, rest[1])

    def reduced(self, axes: tuple[int, ...]) -> tuple[int, ...]:
        """Return the axes of a reduction; the row joins the columns."""
        images = {self.place(axis) for axis in axes}
        return tuple(sorted(images | {_ROW} if 2 in images else images))

    def image(self, shape: Shape) -> Shape | None:
        """Return the shape that a value of `rank` axes has as an image of one row."""
        if len(shape) != self.rank or (self.rank == 4 and shape[_COLUMN] != 1):
            return None
        return (shape[0], 1, shape[1], shape[-1])


def run(graph: Graph) -> bool:
    """Move reshapes from images of one row to sequences behind what reads them."""
    edit = Edit(graph)
    for node in edit.nodes(*_ATTRIBUTES):
        axes = _Axes(len(edit.shape(node.inputs[0])))
        if axes.rank not in (3, 4):
            continue
        inputs = _images(edit, node, axes)
        if inputs is None or (node.kind == "pad" and not _keeps_column(edit, node, axes)):
            continue
        attributes = {**node.attributes, **_ATTRIBUTES[node.kind](node.attributes, axes)}
        weights, value = node.weights, edit.fresh(f"{node.output}_row")
        image = edit.insert(node, Node(node.kind, inputs, value, attributes, weights, node.name))
        argument = shape_argument(edit.shape(image), edit.shape(node.output))
        edit.become(node, "reshape", [image], {"shape": argument})
    return edit.finish()


def _keeps_column(edit: Edit, node: Node, axes: _Axes) -> bool:
    return axes.rank == 3 or edit.shape(node.output)[_COLUMN] == 1


def _images(edit: Edit, node: Node, axes: _Axes) -> list[str] | None:
    """Return the images that a node's inputs are reshapes of; None if one is not."""
    exact = node.kind not in _ANY_ORDER
    sources = [_image(edit, value, axes, exact) for value in node.inputs]
    if node.kind != "binary":
        if node.kind == "concat" and axes.rank == 4 and node.attributes["axis"] % 4 == _COLUMN:
            return None
        return None if None in sources else [s for s in sources if s is not None]
    full = edit.shape(node.output)
    if not any(
        source and edit.shape(value) == full
        for value, source in zip(node.inputs, sources, strict=True)
    ):
        return None
    shapes = [edit.shape(value) for value in node.inputs]
    if any(len(s) == axes.rank and axes.image(s) is None for s in shapes):
        return None
    if axes.rank == 4 and any(1 < len(s) < 4 for s in shapes):
        return None  # its axes are none of W alone
    return [
        source or (_insert_row(edit, node, value, axes) if len(s) == axes.rank else value)
        for value, source, s in zip(node.inputs, sources, shapes, strict=True)
    ]


def _image(edit: Edit, value: str, axes: _Axes, exact: bool) -> str | None:
    """Return the image of one row that a sequence, or an image of one column, is a reshape of.

    Exactly, (N, 1, W, C) and (N, W, C); else with any axes, as (N, 1, 1, C) and (N, C, 1).
    """
    reshape = edit.made_by(value, "reshape")
    if reshape is None or len(edit.shape(value)) != axes.rank:
        return None
    source = reshape.inputs[0]
    shape, sequence = edit.shape(source), edit.shape(value)
    if len(shape) != 4 or shape[_ROW] != 1 or shape == sequence:
        return None
    if axes.rank == 4 and sequence[_COLUMN] != 1:
        return None
    return None if exact and axes.image(sequence) != shape else source


def _insert_row(edit: Edit, node: Node, value: str, axes: _Axes) -> str:
    shape = edit.shape(value)
    image = axes.image(shape)
    assert image is not None
    constant = edit.constant(value)
    if constant is not None:
        return edit.add_constant(f"{value}_row", constant.reshape([n or 0 for n in image]))
    attributes = {"shape": shape_argument(shape, image)}
    reshape = Node("reshape", [value], edit.fresh(f"{value}_row"), attributes, name=node.name)
    return edit.insert(node, reshape)
