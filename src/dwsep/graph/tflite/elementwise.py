"""Functions of each element, reductions, and types."""

from __future__ import annotations

import math

from ...errors import InvalidModelError
from ..importing.compositions import clipped
from ..importing.values import Known, Value, dtype_of, type_of
from .call import Call, operator

_ACTIVATIONS = {"RELU": "relu", "RELU6": "relu6", "LOGISTIC": "sigmoid", "TANH": "tanh"}
_UNARY = {
    name.upper(): name
    for name in (
        *("exp", "log", "sqrt", "neg", "abs", "floor", "ceil", "round"),
        *("sin", "cos", "sign"),
    )
}
_BINARY = {
    **{"ADD": "add", "SUB": "sub", "MUL": "mul", "DIV": "div"},
    **{"MAXIMUM": "max", "MINIMUM": "min", "POW": "pow"},
}
_CLIPS = {"RELU_N1_TO_1": (-1.0, 1.0), "RELU_0_TO_1": (0.0, 1.0)}


@operator(*_ACTIVATIONS)
def activation(call: Call) -> Value:
    """Import an activation that has no parameters."""
    return call.builder.activation(_ACTIVATIONS[call.type], call.value(0))


@operator(*_CLIPS)
def clip(call: Call) -> Value:
    """Import a clip to fixed bounds."""
    return clipped(call.builder, call.value(0), *_CLIPS[call.type])


@operator("HARD_SWISH")
def hard_swish(call: Call) -> Value:
    """Import x clip(x + 3, 0, 6) / 6."""
    return call.builder.activation("hard_swish", call.value(0))


@operator("LEAKY_RELU")
def leaky_relu(call: Call) -> Value:
    """Import x where x >= 0, else alpha x."""
    alpha = float(call.option("alpha", 0.0))
    if not math.isfinite(alpha):
        raise InvalidModelError(f"alpha: need a finite number, got {alpha}")
    return call.builder.activation(("leaky_relu", alpha), call.value(0))


@operator("PRELU")
def prelu(call: Call) -> Value:
    """Import x where x >= 0, else slope x; the slope broadcasts from the last axis."""
    slope = call.value(1)
    if isinstance(slope, Known):
        slope = Known(call.weight(1, "slope"), slope.name)
    return call.builder.binary("prelu", call.value(0), slope)


@operator("ELU")
def elu(call: Call) -> Value:
    """Import x where x >= 0, else exp(x) - 1."""
    build, x = call.builder, call.value(0)
    below = build.binary("sub", build.unary("exp", build.binary("min", x, 0.0)), 1.0)
    return build.binary("add", build.activation("relu", x), below)


@operator("GELU")
def gelu(call: Call) -> Value:
    """Import x Phi(x), or its approximation by tanh."""
    build, x = call.builder, call.value(0)
    if not call.option("approximate", False):
        return build.activation("gelu", x)
    cube = build.binary("mul", build.binary("mul", x, x), x)
    inner = build.binary("add", x, build.binary("mul", cube, 0.044715))
    t = build.activation("tanh", build.binary("mul", inner, math.sqrt(2 / math.pi)))
    return build.binary("mul", build.binary("mul", x, 0.5), build.binary("add", t, 1.0))


@operator(*_UNARY)
def unary(call: Call) -> Value:
    """Import a function of one value."""
    return call.builder.unary(_UNARY[call.type], call.value(0))


@operator("RSQRT", "SQUARE")
def power(call: Call) -> Value:
    """Import 1 / sqrt(x) and x * x."""
    build, x = call.builder, call.value(0)
    if call.type == "SQUARE":
        return build.binary("mul", x, x)
    return build.unary("reciprocal", build.unary("sqrt", x))


@operator(*_BINARY)
def binary(call: Call) -> Value:
    """Import arithmetic."""
    y = call.builder.binary(_BINARY[call.type], call.operand(0), call.operand(1))
    return call.activated(y)


@operator("SQUARED_DIFFERENCE")
def squared_difference(call: Call) -> Value:
    """Import (a - b) squared."""
    difference = call.builder.binary("sub", call.operand(0), call.operand(1))
    return call.builder.binary("mul", difference, difference)


@operator("FLOOR_DIV")
def floor_div(call: Call) -> Value:
    """Import the integer part of a quotient, which is no larger than the quotient."""
    build, a, b = call.builder, call.value(0), call.value(1)
    y = build.binary("div", a, b)
    if dtype_of(a) == "float32":
        return build.unary("floor", y)
    # Integers are cut towards zero: one less where what is left has not the divisor's sign.
    left = build.binary("sub", a, build.binary("mul", y, b))
    less = build.emit("compare", [left, build.binary("mod", a, b)], function="not_equal")
    return build.binary("sub", y, build.cast(less, type_of(a).dtype))


@operator("ADD_N")
def add_n(call: Call) -> Value:
    """Import a sum of any number of values."""
    result = call.value(0)
    for index in range(1, len(call.inputs)):
        result = call.builder.binary("add", result, call.value(index))
    return result
