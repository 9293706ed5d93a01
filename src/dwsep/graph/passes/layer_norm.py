"""Recognises layer normalisation over the last axes by what it is composed of.

That of an image whose channels are planes (instance normalisation) is one, whose axes are merged.

J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016, arXiv:1607.06450:
y = (x - mean) / sqrt(variance + epsilon) * scale + shift.
"""

from __future__ import annotations

import numpy as np

from ..ir import Array, Graph, Node
from ..sizes import Shape, is_size, known_product, shape_argument
from ._edit import Edit
from ._patterns import lines

# A node keeps a scale and a shift for each element: 128 KB in memory and in a file at this many.
_MOST_MERGED = 1 << 14


def run(graph: Graph) -> bool:
    """Write layer normalisations as one node, their scale and shift included."""
    edit = Edit(graph)
    for node in edit.nodes("binary"):
        if node.attributes.get("activation") is None:
            _normalised(edit, node)
    for node in edit.nodes("binary"):
        if node.attributes.get("activation") is None:
            _scaled(edit, node)
    return edit.finish()


def _normalised(edit: Edit, node: Node) -> None:
    """(x - mean) / sqrt(mean((x - mean) ** 2) + epsilon), or times the reciprocal."""
    for difference, deviation in _quotients(edit, node):
        centred = _centred(edit, difference)
        if centred is None:
            continue
        x, first = centred
        shape = edit.shape(x)
        sizes = shape[first:]
        if None in sizes or not (len(sizes) == 1 or _merges(sizes)):
            continue
        size = known_product(sizes)
        for root, slope, epsilon in lines(edit, deviation):
            if slope == 1 and epsilon >= 0 and _is_variance(edit, root, centred):
                ones = np.ones(size, np.float32)
                weights = {"scale": ones, "shift": np.zeros_like(ones)}
                norm = Node("layer_norm", [x], "", {"epsilon": epsilon}, weights, node.name)
                if len(sizes) > 1:
                    flat = (*shape[:first], size)
                    norm.inputs = [_reshape(edit, node, x, shape_argument(shape, flat))]
                    norm.output = edit.fresh(f"{node.output}_norm")
                    value = edit.insert(node, norm)
                    again = {"shape": shape_argument(flat, shape)}
                    edit.become(node, "reshape", [value], again)
                else:
                    edit.take_over(node, norm)
                return


def _merges(sizes: Shape) -> bool:
    return not any(map(is_size, sizes)) and known_product(sizes) <= _MOST_MERGED


def _reshape(edit: Edit, before: Node, x: str, shape: tuple[int, ...]) -> str:
    name = edit.fresh(f"{before.output}_flat")
    return edit.insert(before, Node("reshape", [x], name, {"shape": shape}))


def _quotients(edit: Edit, node: Node) -> list[tuple[str, str]]:
    """Return (a, b) for which the node is a / sqrt(b)."""
    a, b = node.inputs
    function = node.attributes["function"]
    if function == "div":
        root = _root(edit, b)
        return [] if root is None else [(a, root)]
    found = []
    for x, y in ((a, b), (b, a)) if function == "mul" else ():
        inverse = edit.made_by(y, "unary", "binary")
        if inverse is None:
            continue
        if inverse.attributes["function"] == "reciprocal":
            root = _root(edit, inverse.inputs[0])
        elif inverse.attributes["function"] == "div" and edit.scalar(inverse.inputs[0]) == 1:
            root = _root(edit, inverse.inputs[1])
        else:
            root = _power(edit, y, -0.5)
        if root is not None:
            found.append((x, root))
    return found


def _root(edit: Edit, value: str) -> str | None:
    node = edit.made_by(value, "unary")
    if node is not None and node.attributes["function"] == "sqrt":
        return node.inputs[0]
    return _power(edit, value, 0.5)


def _power(edit: Edit, value: str, exponent: float) -> str | None:
    node = edit.made_by(value, "binary")
    if node is None or node.attributes["function"] != "pow":
        return None
    return node.inputs[0] if edit.scalar(node.inputs[1]) == exponent else None


def _mean(edit: Edit, value: str) -> tuple[str, int] | None:
    """Return x and an axis if a value is its mean from that axis on; the axes stay with size 1."""
    node = edit.made_by(value, "reduce")
    if node is None or node.attributes["function"] != "mean" or not node.attributes["keepdims"]:
        return None
    x = node.inputs[0]
    rank = len(edit.shape(x))
    axes = sorted(axis % rank for axis in node.attributes["axes"])
    return (x, axes[0]) if axes and axes == [*range(axes[0], rank)] else None


def _centred(edit: Edit, value: str) -> tuple[str, int] | None:
    """Return x and an axis if a value is x - mean(x), the mean from that axis on."""
    node = edit.made_by(value, "binary")
    if node is None or node.attributes["function"] != "sub":
        return None
    mean = _mean(edit, node.inputs[1])
    return mean if mean is not None and mean[0] == node.inputs[0] else None


def _is_variance(edit: Edit, value: str, centred: tuple[str, int]) -> bool:
    squared = _mean(edit, value)
    node = None if squared is None else edit.made_by(squared[0], "binary")
    if node is None or squared is None or squared[1] != centred[1]:
        return False
    a, b = node.inputs
    function = node.attributes["function"]
    square = (function == "mul" and a == b) or (function == "pow" and edit.scalar(b) == 2)
    return square and _centred(edit, a) == centred


def _scaled(edit: Edit, node: Node) -> None:
    """Let a layer_norm do the scale, and then the shift, that is its only reader."""
    function = node.attributes["function"]
    if function not in ("mul", "add"):
        return
    for value, known in (node.inputs, node.inputs[::-1]):
        norm = edit.made_by(value, "layer_norm")
        factors = edit.constant(known)
        if norm is None or factors is None or not edit.private(value):
            continue
        size = norm.weights["scale"].size
        if factors.size not in (1, size) or factors.shape[-1:] not in ((), (1,), (size,)):
            continue
        if edit.shape(node.output) != edit.shape(value):
            continue
        edit.take_over(node, norm)
        node.weights = _with(norm.weights, function, np.broadcast_to(factors.ravel(), size))
        return


def _with(weights: dict[str, Array], function: str, factors: Array) -> dict[str, Array]:
    if function == "add":
        return {**weights, "shift": weights["shift"] + factors}
    return {name: weights[name] * factors for name in ("scale", "shift")}
