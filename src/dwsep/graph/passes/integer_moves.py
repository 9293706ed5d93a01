"""Moves integers instead of the real numbers that they stand for.

dequantize, then reshape becomes reshape, then dequantize: a quarter of the bytes, and a
quantization that follows meets the dequantization and vanishes with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ir import Graph, Node
from ..ops import OPS
from ._edit import Edit
from ._integers import integers_of, meaning_of, quantization_of, rounds_to_bytes, scales


def run(graph: Graph) -> bool:
    """Let dequantizations sink below what only moves values; drop those that are undone.

    What joins integers of several scales to others joins what each of them becomes, which is a
    table's or a convolution's work.
    """
    edit = Edit(graph)
    for node in edit.nodes():
        if OPS[node.kind].moves(node):
            _sink(edit, node)
        elif rounds_to_bytes(edit, node, per_channel=True):
            rounding = _risen(edit, node)
            if not _joined(edit, rounding):
                _undone(edit, rounding)
    return edit.finish()


def _sink(edit: Edit, node: Node) -> None:
    integers = [integers_of(edit, value) for value in node.inputs]
    moved = [value for value in integers if value is not None]
    types = {(edit.graph.types[v].dtype, edit.graph.types[v].quantization) for v in moved}
    if len(moved) < len(integers) or len(types) != 1:
        return
    attributes = _with_integer_value(edit, node, moved[0])
    if attributes is None:
        return
    like = edit.fresh(f"{node.output}_integers")
    new = Node(node.kind, moved, like, attributes, node.weights, node.name)
    conversion = meaning_of(edit, moved[0])
    edit.become(node, "dequantize", [edit.insert(node, new)], conversion)


def _with_integer_value(edit: Edit, node: Node, x: str) -> dict[str, Any] | None:
    """Return the attributes of a node on integers: what pads with a number needs one of those."""
    if node.kind != "pad" or node.attributes.get("mode", "constant") != "constant":
        return node.attributes
    q, dtype = quantization_of(edit, x), edit.graph.types[x].dtype.numpy
    scale, zero = np.float32(q.scale[0]), q.zero_point[0]
    number = np.float32(node.attributes.get("value", 0.0))
    with np.errstate(all="ignore"):
        stored = float(np.rint(number / scale)) + zero
    limits = np.iinfo(dtype)
    if not limits.min <= stored <= limits.max or np.float32(stored - zero) * scale != number:
        return None
    return {**node.attributes, "value": stored}


def _risen(edit: Edit, rounding: Node) -> Node:
    """Let a quantization go above reshapes and transpositions, to the node that can do its work.

    Keyword spotters of bytes, whose images of one column are reshaped to rows, take half the time.
    """
    while rounding.attributes.get("axis") is None:
        move = edit.made_by(rounding.inputs[0], "reshape", "transpose")
        if move is None or not edit.private(move.output):
            break
        like = edit.fresh(f"{move.output}_integers")
        above = Node("quantize", [*move.inputs], like, rounding.attributes, {}, rounding.name)
        edit.become(rounding, move.kind, [edit.insert(rounding, above)], move.attributes)
        rounding = above
    return rounding


def _undone(edit: Edit, node: Node) -> None:
    """Replace integers that are dequantized and quantized alike by themselves."""
    x = integers_of(edit, node.inputs[0], per_channel=True)
    if x is None or meaning_of(edit, x) != scales(node):
        return
    if edit.graph.types[x].dtype.value == node.attributes["to"]:
        edit.become(node, "identity", [x])


def _joined(edit: Edit, rounding: Node) -> bool:
    """Quantize the inputs of a concatenation, all of them integers, in place of its output."""
    node = edit.made_by(rounding.inputs[0], "concat")
    if node is None or not edit.private(node.output) or rounding.attributes.get("axis") is not None:
        return False
    if any(integers_of(edit, value) is None for value in node.inputs):
        return False
    parts = []
    for value in node.inputs:
        like = edit.fresh(f"{node.output}_part")
        part = Node("quantize", [value], like, rounding.attributes, {}, rounding.name)
        parts.append(edit.insert(rounding, part))
        _undone(edit, part)
    edit.become(rounding, "concat", parts, node.attributes, {}, node.name)
    return True
