"""What a value is made of: scalar multiples and shifts, products, clips."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ..._record import Record
from ..ir import Node
from ._edit import Edit

# Files hold 1/6 or sqrt(2) as float32, which is 6e-8 off.
_RELATIVE = 1e-6
_DEPTH = 8  # scalar factors in one product; more are nobody's activation

INFINITY = float("inf")


def near(value: float, wanted: float) -> bool:
    return math.isclose(value, wanted, rel_tol=_RELATIVE, abs_tol=_RELATIVE)


class Line(Record):
    """y = slope * x + offset."""

    x: str
    slope: float
    offset: float


def lines(edit: Edit, value: str) -> Iterator[Line]:
    """Peel additions and multiplications by numbers off a value, one more at each step."""
    slope, offset = 1.0, 0.0
    yield Line(value, slope, offset)
    for _ in range(_DEPTH):
        node = edit.made_by(value, "binary", "unary")
        step = None if node is None else _scalar_step(edit, node)
        if step is None:
            return
        value, factor, term = step
        slope, offset = slope * factor, offset + slope * term
        yield Line(value, slope, offset)


def _scalar_step(edit: Edit, node: Node) -> Line | None:
    """Return what a node does if it is an addition or a multiplication by one number."""
    if node.kind == "unary":
        return Line(node.inputs[0], -1.0, 0.0) if node.attributes["function"] == "neg" else None
    split = scalar_operand(edit, node)
    if split is None:
        return None
    x, number, swapped = split
    function = node.attributes["function"]
    if function == "add":
        return Line(x, 1.0, number)
    if function == "sub":
        return Line(x, -1.0, number) if swapped else Line(x, 1.0, -number)
    if function == "mul":
        return Line(x, number, 0.0)
    if function == "div" and not swapped and number != 0:
        return Line(x, 1.0 / number, 0.0)
    return None


def scalar_operand(edit: Edit, node: Node) -> tuple[str, float, bool] | None:
    """Return x, the number, and whether the number comes first, of a binary node with a number."""
    if node.kind != "binary" or node.attributes.get("activation") is not None:
        return None
    a, b = node.inputs
    for x, known, swapped in ((a, b, False), (b, a, True)):
        number = edit.scalar(known)
        if number is not None and edit.shape(x) == edit.shape(node.output):
            return x, number, swapped
    return None


def factors(edit: Edit, value: str) -> tuple[float, list[str]]:
    """Return a number and one or two other factors of a value; divisions by numbers count."""
    number, first = _scaled(edit, value)
    node = edit.made_by(first, "binary")
    if node is None or node.attributes["function"] != "mul" or node.attributes.get("activation"):
        return number, [first]
    parts = [_scaled(edit, part) for part in node.inputs]
    return number * parts[0][0] * parts[1][0], [part for _, part in parts]


def _scaled(edit: Edit, value: str) -> tuple[float, str]:
    """Peel multiplications by numbers off a value."""
    number = 1.0
    for step in lines(edit, value):
        if step.offset != 0:
            break
        value, number, _ = step
    return number, value


# --- activations as clips -------------------------------------------------------------------------


def bounds(activation: Any) -> tuple[float, float] | None:
    """Return (low, high) of an activation that is a clip."""
    if activation == "relu":
        return 0.0, INFINITY
    if activation == "relu6":
        return 0.0, 6.0
    if isinstance(activation, tuple) and activation[0] == "clip":
        return float(activation[1]), float(activation[2])
    return None


def clip_named(low: float, high: float) -> Any:
    """Return the activation that clips to a range, by its name if it has one."""
    named = {(0.0, INFINITY): "relu", (0.0, 6.0): "relu6", (-INFINITY, INFINITY): None}
    return named.get((low, high), ("clip", low, high))


def activated(edit: Edit, value: str) -> tuple[Any, str] | None:
    """Return the activation and its argument if a value is just that."""
    node = edit.made_by(value, "activation")
    return None if node is None else (node.attributes["activation"], node.inputs[0])
