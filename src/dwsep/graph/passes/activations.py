"""Recognises activations by what they are composed of.

The definitions are those of the core: hard_sigmoid is relu6(x + 3) / 6 (A. Howard et al.,
"Searching for MobileNetV3", 2019, arXiv:1905.02244), silu is x sigmoid(x), gelu is x Phi(x)
(D. Hendrycks and K. Gimpel, 2016, arXiv:1606.08415), its approximation by tanh a function of its
own, as is mish, x tanh(softplus(x)) (D. Misra, 2019, arXiv:1908.08681).
"""

from __future__ import annotations

import math
from typing import Any

from ..ir import Graph, Node
from ._edit import Edit
from ._patterns import activated, bounds, clip_named, factors, lines, near, scalar_operand

_UNARY = ("gelu_tanh", "mish")  # no activations, but functions of one element


def run(graph: Graph) -> bool:
    """Write every activation as one node, and clips of clips as one clip.

    Fusing is a pass of its own (`fusing`).
    """
    edit = Edit(graph)
    for node in edit.nodes("activation", "binary"):
        if node.kind == "activation":
            _merge_clips(edit, node)
            _hard_sigmoid(edit, node)
        elif node.attributes.get("activation") is None:
            _ = _clip(edit, node) or _hard_sigmoid(edit, node) or _gated(edit, node)
            if node.kind == "activation":
                _merge_clips(edit, node)
    return edit.finish()


def _becomes(edit: Edit, node: Node, activation: Any, x: str) -> bool:
    if activation in _UNARY:
        edit.become(node, "unary", [x], {"function": activation})
        return True
    edit.become(node, "activation", [x], {"activation": activation})
    return True


def _merge_clips(edit: Edit, node: Node) -> bool:
    """Give clips their names; a clip of a clip is one clip."""
    outer = bounds(node.attributes["activation"])
    if outer is None:
        return False
    x = node.inputs[0]
    inner = activated(edit, x)
    limits = None if inner is None else bounds(inner[0])
    if inner is not None and limits is not None:
        x = inner[1]
        low, high = (min(max(limit, outer[0]), outer[1]) for limit in limits)
        outer = low, high
    activation = clip_named(*outer)
    if activation == node.attributes["activation"] and x == node.inputs[0]:
        return False
    return _becomes(edit, node, activation, x)


def _clip(edit: Edit, node: Node) -> bool:
    """Recognise max(x, number) and min(x, number)."""
    split = scalar_operand(edit, node)
    function = node.attributes["function"]
    if split is None or function not in ("max", "min") or math.isnan(split[1]):
        return False
    x, number, _ = split
    low, high = (number, math.inf) if function == "max" else (-math.inf, number)
    return _becomes(edit, node, clip_named(low, high), x)


def _hard_sigmoid(edit: Edit, node: Node) -> bool:
    factor, parts = factors(edit, node.output) if node.kind == "binary" else (1.0, [node.output])
    sources = _hard_sigmoid_of(edit, parts[0], factor) if len(parts) == 1 else []
    return bool(sources) and _becomes(edit, node, "hard_sigmoid", sources[0])


def _hard_sigmoid_of(edit: Edit, value: str, factor: float) -> list[str]:
    """Return each x for which factor * value is clip(x / 6 + 1 / 2, 0, 1); at most one is."""
    clip = activated(edit, value)
    limits = None if clip is None else bounds(clip[0])
    if clip is None or limits is None or not near(factor * limits[0], 0):
        return []
    if not near(factor * limits[1], 1):
        return []
    return [
        x
        for x, slope, offset in lines(edit, clip[1])
        if near(factor * slope, 1 / 6) and near(factor * offset, 1 / 2)
    ]


def _gated(edit: Edit, node: Node) -> bool:
    """Recognise x times a gate that depends on x."""
    plain = (1.0, node.inputs) if node.attributes["function"] == "mul" else (1.0, [])
    for factor, parts in (plain, factors(edit, node.output)):
        if len(parts) != 2 or any(edit.shape(v) != edit.shape(node.output) for v in parts):
            continue
        for x, gate in (parts, parts[::-1]):
            activation = _gate(edit, x, gate, factor)
            if activation is not None:
                return _becomes(edit, node, activation, x)
    return False


def _gate(edit: Edit, x: str, gate: str, factor: float) -> str | None:
    """Return the name of factor * x * gate, where the gate is computed from x."""
    direct = activated(edit, gate)
    if direct is not None and near(factor, 1):
        if direct[1] == x:
            name = {"sigmoid": "silu", "hard_sigmoid": "hard_swish"}.get(str(direct[0]))
            if name is not None:
                return name
        if direct[0] == "tanh" and _is_unary(edit, direct[1], "softplus", x):
            return "mish"
    if x in _hard_sigmoid_of(edit, gate, factor):
        return "hard_swish"
    for value, slope, offset in lines(edit, gate):
        if near(factor * slope, 0.5) and near(factor * offset, 0.5):
            if _is_erf(edit, value, x):
                return "gelu"
            bent = activated(edit, value)
            if bent is not None and bent[0] == "tanh" and _is_bent_line(edit, bent[1], x):
                return "gelu_tanh"
    return None


def _is_unary(edit: Edit, value: str, function: str, x: str) -> bool:
    node = edit.made_by(value, "unary")
    return node is not None and node.attributes["function"] == function and node.inputs == [x]


def _is_bent_line(edit: Edit, value: str, x: str) -> bool:
    """Return whether a value is sqrt(2 / pi) (x + 0.044715 x^3)."""
    factor, parts = factors(edit, value)
    node = edit.made_by(parts[0], "binary") if len(parts) == 1 else None
    if node is None or node.attributes["function"] != "add" or node.attributes.get("activation"):
        return False
    if not near(factor, math.sqrt(2 / math.pi)):
        return False
    for line, cubic in (node.inputs, node.inputs[::-1]):
        number, power = _monomial(edit, cubic, x)
        if line == x and near(number, 0.044715) and power == 3:
            return True
    return False


def _monomial(edit: Edit, value: str, x: str, depth: int = 4) -> tuple[float, int]:
    """Return (c, n) of a value that is c x^n, of any order of products; (0, 0) of others."""
    if value == x:
        return 1.0, 1
    number = edit.scalar(value)
    if number is not None:
        return number, 0
    node = edit.made_by(value, "binary")
    plain = node is not None and node.attributes["function"] == "mul"
    if node is None or not plain or node.attributes.get("activation") or depth == 0:
        return 0.0, 0
    (a, m), (b, n) = (_monomial(edit, part, x, depth - 1) for part in node.inputs)
    return a * b, m + n


def _is_erf(edit: Edit, value: str, x: str) -> bool:
    """Return whether a value is erf(x / sqrt(2))."""
    node = edit.made_by(value, "unary")
    if node is None or node.attributes["function"] != "erf":
        return False
    inner = lines(edit, node.inputs[0])
    return any(v == x and near(slope, math.sqrt(0.5)) and offset == 0 for v, slope, offset in inner)
