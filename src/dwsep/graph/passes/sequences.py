"""Works on sequences as on the images of one row that their convolutions make.

Importers lower a 1-D convolution to an image of one row, with a reshape before and one after. What
lies between two convolutions would keep the reshapes apart, and whole blocks unrecognized: it works
on the image instead, and the reshape that drops the row moves behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..ir import Graph, Node
from ..sizes import shape_argument
from ..types import Shape
from ._edit import Edit

_ROW = 1  # the axis that sequences lack: (N, 1, W, C) and (N, W, C)

# Of a node on sequences, its attributes on images; the other attributes stay.
_ATTRIBUTES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "activation": lambda a: {},
    "unary": lambda a: {},
    "batch_norm": lambda a: {},
    "layer_norm": lambda a: {},
    "binary": lambda a: {},
    "concat": lambda a: {"axis": _axis(a["axis"])},
    "pad": lambda a: {"before": _with_row(a["before"], 0), "after": _with_row(a["after"], 0)},
    "slice": lambda a: {
        "starts": _with_row(a["starts"], 0),
        "stops": _with_row(a["stops"], 1),
        "steps": _with_row(a["steps"], 1),
    },
    "reduce": lambda a: {"axes": _reduced(a["axes"])},
}
_ANY_ORDER = ("activation", "unary")  # what an element becomes does not depend on its place


def run(graph: Graph) -> bool:
    """Move reshapes from images of one row to sequences behind what reads them."""
    edit = Edit(graph)
    for node in edit.nodes(*_ATTRIBUTES):
        inputs = _images(edit, node)
        if inputs is None:
            continue
        attributes = {**node.attributes, **_ATTRIBUTES[node.kind](node.attributes)}
        weights, value = node.weights, edit.fresh(f"{node.output}_row")
        image = edit.insert(node, Node(node.kind, inputs, value, attributes, weights, node.name))
        argument = shape_argument(edit.shape(image), edit.shape(node.output))
        edit.become(node, "reshape", [image], {"shape": argument})
    return edit.finish()


def _images(edit: Edit, node: Node) -> list[str] | None:
    """Return the images that a node's inputs are the sequences of; None if one is not."""
    exact = node.kind not in _ANY_ORDER
    sources = [_image(edit, value, exact) for value in node.inputs]
    if node.kind != "binary":
        return None if None in sources else [s for s in sources if s is not None]
    full = edit.shape(node.output)
    if not any(
        source and edit.shape(value) == full
        for value, source in zip(node.inputs, sources, strict=True)
    ):
        return None
    inputs = []
    for value, source in zip(node.inputs, sources, strict=True):
        shape = edit.shape(value)
        if source is not None or len(shape) < len(full):
            inputs.append(source or value)  # fewer axes broadcast from the right
        else:
            inputs.append(_insert_row(edit, node, value, shape))
    return inputs


def _image(edit: Edit, value: str, exact: bool) -> str | None:
    """Return the image of one row that a sequence is a reshape of.

    Exactly, (N, 1, W, C) and (N, W, C); else with any axes, as (N, 1, 1, C) and (N, C, 1).
    """
    reshape = edit.made_by(value, "reshape")
    if reshape is None:
        return None
    source = reshape.inputs[0]
    shape, sequence = edit.shape(source), edit.shape(value)
    if len(shape) != 4 or shape[_ROW] != 1 or len(sequence) != 3:
        return None
    return None if exact and (shape[0], *shape[2:]) != sequence else source


def _insert_row(edit: Edit, node: Node, value: str, shape: Shape) -> str:
    image = (shape[0], 1, *shape[1:])
    constant = edit.constant(value)
    if constant is not None:
        return edit.add_constant(f"{value}_row", constant.reshape([n or 0 for n in image]))
    attributes = {"shape": shape_argument(shape, image)}
    reshape = Node("reshape", [value], edit.fresh(f"{value}_row"), attributes, name=node.name)
    return edit.insert(node, reshape)


def _axis(axis: int) -> int:
    """Return the axis of an image that an axis of its sequence is."""
    axis %= 3
    return axis if axis < _ROW else axis + 1


def _with_row(values: Any, row: int) -> tuple[int, ...]:
    return (*values[:_ROW], row, *values[_ROW:])


def _reduced(axes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the axes of an image that a reduction goes over; the row joins the columns."""
    images = {_axis(axis) for axis in axes}
    return tuple(sorted(images | {_ROW} if 2 in images else images))
