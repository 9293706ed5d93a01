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
            if reader.kind == "quantize":
                _round_before(edit, node, reader)
            elif reader.inputs.index(node.output) == 0 and reader.inputs.count(node.output) == 1:
                _move(edit, node, reader, around or ())
    return edit.finish()


def _round_before(edit: Edit, node: Node, rounding: Node) -> None:
    """Let convolutions of what is rounded behind a pad read the pad of what is rounded: zeros."""
    from ._integers import meaning_of, rounds_to_bytes, scales  # few files need them

    if not rounds_to_bytes(edit, rounding):
        return
    for meaning in edit.readers(rounding.output):
        if meaning.kind != "dequantize" or meaning_of(edit, rounding.output) != scales(meaning):
            continue
        for reader in edit.readers(meaning.output):
            if reader.kind not in _CONVOLUTIONS or reader.inputs[0] != meaning.output:
                continue
            value = node.inputs[0]
            for like, name in ((rounding, "rounded"), (meaning, "real"), (node, "padded")):
                new = Node(like.kind, [value], edit.fresh(f"{node.output}_{name}"))
                new.attributes, new.name = like.attributes, like.name
                value = edit.insert(reader, new)
            edit.rewire(reader, [value, *reader.inputs[1:]])


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
