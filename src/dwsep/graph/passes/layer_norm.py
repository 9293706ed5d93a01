"""Recognises layer normalisation over the last axis by what it is composed of.

J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016, arXiv:1607.06450:
y = (x - mean) / sqrt(variance + epsilon) * scale + shift.
"""

from __future__ import annotations

import numpy as np

from ..ir import Array, Graph, Node
from ._edit import Edit
from ._patterns import lines


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
        x = _centred(edit, difference)
        if x is None:
            continue
        size = edit.shape(x)[-1]
        for root, slope, epsilon in lines(edit, deviation):
            if slope == 1 and epsilon >= 0 and size is not None and _is_variance(edit, root, x):
                ones = np.ones(size, np.float32)
                weights = {"scale": ones, "shift": np.zeros_like(ones)}
                edit.become(node, "layer_norm", [x], {"epsilon": epsilon}, weights)
                return


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


def _mean(edit: Edit, value: str) -> str | None:
    """Return x if a value is its mean over the last axis, which stays with size 1."""
    node = edit.made_by(value, "reduce")
    if node is None or node.attributes["function"] != "mean" or not node.attributes["keepdims"]:
        return None
    x = node.inputs[0]
    rank = len(edit.shape(x))
    return x if [axis % rank for axis in node.attributes["axes"]] == [rank - 1] else None


def _centred(edit: Edit, value: str) -> str | None:
    """Return x if a value is x - mean(x)."""
    node = edit.made_by(value, "binary")
    if node is None or node.attributes["function"] != "sub":
        return None
    x, mean = node.inputs
    return x if _mean(edit, mean) == x else None


def _is_variance(edit: Edit, value: str, x: str) -> bool:
    squared = _mean(edit, value)
    node = None if squared is None else edit.made_by(squared, "binary")
    if node is None:
        return False
    a, b = node.inputs
    function = node.attributes["function"]
    square = (function == "mul" and a == b) or (function == "pow" and edit.scalar(b) == 2)
    return square and _centred(edit, a) == x


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
