"""Lets convolutions, and average pooling, put on the zeros that a `pad` before them puts on."""

from __future__ import annotations

from ..ir import Graph, Node
from ._edit import Edit, spatial_axes

_CONVOLUTIONS = ("conv", "depthwise", "standard", "separable")


def run(graph: Graph) -> bool:
    """Move zeros around images from `pad` into the padding of what reads it."""
    edit = Edit(graph)
    for node in edit.nodes("pad"):
        around = _around(graph, node)
        for reader in edit.readers(node.output) if around is not None else ():
            if reader.inputs.index(node.output) == 0 and reader.inputs.count(node.output) == 1:
                _move(edit, node, reader, around or ())
    return edit.finish()


def _around(graph: Graph, node: Node) -> tuple[int, ...] | None:
    """Return (top, bottom, left, right) if that is all and all of it zero."""
    before, after = node.attributes["before"], node.attributes["after"]
    if len(before) != 4 or node.attributes["mode"] != "constant" or node.attributes["value"] != 0:
        return None
    rows, columns = spatial_axes(graph)
    if any(before[axis] or after[axis] for axis in range(4) if axis not in (rows, columns)):
        return None
    return before[rows], after[rows], before[columns], after[columns]


def _move(edit: Edit, node: Node, reader: Node, around: tuple[int, ...]) -> None:
    own = tuple(reader.attributes.get("padding", ()))
    if reader.kind == "pool" and reader.attributes["function"] == "average":
        # Zeros from a pad count in the mean; those of the pool itself must count, or not exist.
        if any(own) and not reader.attributes["include_padding"]:
            return
        reader.attributes = {**reader.attributes, "include_padding": True}
    elif reader.kind not in _CONVOLUTIONS:
        return
    padding = tuple(a + b for a, b in zip(own, around, strict=True))
    reader.attributes = {**reader.attributes, "padding": padding}
    edit.rewire(reader, [node.inputs[0], *reader.inputs[1:]])
