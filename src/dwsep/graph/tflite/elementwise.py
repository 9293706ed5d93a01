"""Functions of each element, reductions, and types."""

from __future__ import annotations

import math

import numpy as np

from ...errors import InvalidModelError
from ..importing.compositions import clipped
from ..importing.values import Known, Unsupported, Value
from ..types import DType
from .call import Call
from .registry import IMPORTERS, operator
from .schema import COMPLEX

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
_REDUCERS = {"MEAN": "mean", "SUM": "sum", "REDUCE_MAX": "max", "REDUCE_MIN": "min"}


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
    y = call.builder.binary(_BINARY[call.type], _float(call, 0), _float(call, 1))
    return call.activated(y)


def _float(call: Call, index: int) -> Value:
    """Return an operand; constants may be stored in other types."""
    value = call.value(index)
    if isinstance(value, Known) and value.array.dtype != np.float32:
        return Known(call.weight(index, "operand"), "")
    return value


@operator("SQUARED_DIFFERENCE")
def squared_difference(call: Call) -> Value:
    """Import (a - b) squared."""
    difference = call.builder.binary("sub", _float(call, 0), _float(call, 1))
    return call.builder.binary("mul", difference, difference)


@operator("FLOOR_DIV")
def floor_div(call: Call) -> Value:
    """Import the integer part of a quotient."""
    return call.builder.unary("floor", call.builder.binary("div", call.value(0), call.value(1)))


@operator("ADD_N")
def add_n(call: Call) -> Value:
    """Import a sum of any number of values."""
    result = call.value(0)
    for index in range(1, len(call.inputs)):
        result = call.builder.binary("add", result, call.value(index))
    return result


@operator(*_REDUCERS)
def reduce(call: Call) -> Value:
    """Import a reduction over constant axes."""
    axes = call.axes("axes", call.ints(1, "axes"), len(call.shape()))
    keep = bool(call.option("keep_dims", False))
    if not axes:
        return call.value(0)
    return call.builder.reduce(_REDUCERS[call.type], call.value(0), axes, keep)


@operator("SOFTMAX", "LOG_SOFTMAX")
def softmax(call: Call) -> Value:
    """Import softmax(beta x) over the last axis."""
    build, x, log = call.builder, call.value(0), call.type == "LOG_SOFTMAX"
    if not call.shape():
        raise InvalidModelError("need at least one axis, got ()")
    beta = 1.0 if log else float(call.option("beta", 1.0))
    x = build.binary("mul", x, beta) if beta != 1 else x
    return build.emit("softmax", [x], axis=len(call.shape()) - 1, log=log)


@operator("L2_NORMALIZATION")
def l2_normalization(call: Call) -> Value:
    """Import x divided by its length over the last axis, which counts as 1e-6 at least."""
    build, x = call.builder, call.value(0)
    length = build.unary(
        "sqrt", build.reduce("sum", build.binary("mul", x, x), [len(call.shape()) - 1])
    )
    return call.activated(build.binary("div", x, build.binary("max", length, 1e-6)))


@operator("CAST")
def cast(call: Call) -> Value:
    """Import a cast of a computed value."""
    kind = call.results[0].type
    if call.tensors[0] is not None and call.tensors[0].type == COMPLEX and kind == "float32":
        real: Value = IMPORTERS["REAL"](call)
        return real
    if kind not in DType.all:
        raise Unsupported(f"a cast to {kind} is not supported")
    return call.builder.cast(call.value(0), DType(kind))


_COMPARISONS = ("EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL")
_LOGIC = {"LOGICAL_AND": "and", "LOGICAL_OR": "or"}


@operator(*_COMPARISONS, "NOT_EQUAL")
def compare(call: Call) -> Value:
    """Import a comparison."""
    build, inputs = call.builder, [call.value(0), call.value(1)]
    if call.type == "NOT_EQUAL":
        return _negated(call, build.emit("compare", inputs, function="equal"))
    return build.emit("compare", inputs, function=call.type.lower())


def _negated(call: Call, x: Value) -> Value:
    true = call.builder.constant(1, DType.BOOL)
    return call.builder.emit("integers", [x, true], function="xor")


@operator(*_LOGIC, "LOGICAL_NOT")
def logic(call: Call) -> Value:
    """Import a function of truth values."""
    if call.type == "LOGICAL_NOT":
        return _negated(call, call.value(0))
    inputs = [call.value(0), call.value(1)]
    return call.builder.emit("integers", inputs, function=_LOGIC[call.type])


@operator("SELECT", "SELECT_V2")
def select(call: Call) -> Value:
    """Import a where the condition holds, else b."""
    return call.builder.emit("where", [call.value(0), _float(call, 1), _float(call, 2)])
