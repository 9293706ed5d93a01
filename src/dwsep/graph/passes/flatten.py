"""Lets a fully connected layer read a flattened image in the order in which it lies in memory.

The file flattens (C, H, W). In memory the image is (H, W, C): instead of transposing it at every
call, the rows of the weights are permuted once.
"""

from __future__ import annotations

import math

from ..ir import Graph, Node
from ..sizes import shape_argument
from ._edit import Edit

_ELEMENTWISE = ("activation", "unary", "identity")


def run(graph: Graph) -> bool:
    """Drop each `transpose` whose result is only flattened and multiplied by weights."""
    edit = Edit(graph)
    for node in edit.nodes("reshape"):
        transpose = edit.made_by(node.inputs[0], "transpose")
        if transpose is None or not _flattens(edit, node):
            continue
        layers = _dense_readers(edit, node.output)
        perm = tuple(transpose.attributes["perm"])
        if layers is None or perm[0] != 0:
            continue
        source = transpose.inputs[0]
        sizes = [n for n in edit.shape(transpose.output)[1:] if n is not None]
        for layer in layers:
            _permute_rows(layer, sizes, perm)
        argument = shape_argument(edit.shape(source), edit.shape(node.output))
        edit.become(node, "reshape", [source], {"shape": argument})
    return edit.finish()


def _flattens(edit: Edit, node: Node) -> bool:
    before, after = edit.shape(node.inputs[0]), edit.shape(node.output)
    rest = [n for n in before[1:] if n is not None]
    return len(after) == 2 and len(before) > 2 and after[1] == math.prod(rest)


def _dense_readers(edit: Edit, value: str) -> list[Node] | None:
    """Return the layers that read a value, through elementwise nodes; None if others do."""
    found: list[Node] = []
    pending = [value]
    while pending:
        value = pending.pop()
        if edit.is_output(value):
            return None
        for node in edit.readers(value):
            if node.kind in ("dense", "pointwise") and value not in node.inputs[1:]:
                found.append(node)
            elif node.kind in _ELEMENTWISE:
                pending.append(node.output)
            else:
                return None
    return found


def _permute_rows(layer: Node, sizes: list[int], perm: tuple[int, ...]) -> None:
    """Put the weights' rows, which follow the transposed axes, in the order before them."""
    weight = layer.weights["weight"]
    back = [perm.index(axis) - 1 for axis in range(1, len(perm))]
    rows = weight.reshape(*sizes, weight.shape[1]).transpose(*back, len(sizes))
    layer.weights["weight"] = rows.reshape(weight.shape)
