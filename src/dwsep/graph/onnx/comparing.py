"""Casts, comparisons, logic, choices, and arithmetic on integers."""

from __future__ import annotations

import math

import numpy as np

from ...errors import InvalidModelError
from ..importing.builder import Builder
from ..importing.values import (
    UNKNOWN,
    Computed,
    Known,
    Unsupported,
    Value,
    is_symbolic,
    shape_of,
    type_of,
)
from ..ir import DType
from ..sizes import MOST, Shape, broadcast, is_open, whole
from .call import Call
from .folding import DTYPES
from .registry import operator

# What float16 and float64 are computed in; values of 16 bits fit the next larger type.
_COMPUTED_AS = {"float16": "float32", "float64": "float32", "int16": "int32", "uint16": "int32"}


def data_type(number: int) -> DType:
    """Return the type that values of one of ONNX's data types have in the network."""
    name = np.dtype(DTYPES[number]).name if number in DTYPES else f"type {number}"
    try:
        return DType(_COMPUTED_AS.get(name, name))
    except ValueError:
        raise Unsupported(f"the network has no values of {name}") from None


@operator("Cast", "CastLike")
def cast(call: Call) -> Value:
    """Import a cast of a computed value; float16 and float64 are computed in float32."""
    if call.type == "CastLike":
        return call.builder.cast(call.value(0), type_of(call.value(1)).dtype)
    return call.builder.cast(call.value(0), data_type(call.attribute("to", ...)))


def as_type(call: Call, index: int, dtype: DType) -> Value:
    """Return an input that must have a type."""
    value = call.value(index)
    if isinstance(value, Known) and is_symbolic(value.array):
        raise Unsupported(f"its input {value.name!r} {UNKNOWN}")
    if type_of(value).dtype is not dtype:
        raise InvalidModelError(f"input {index}: need {dtype.value}, got {type_of(value).dtype}")
    return value


_COMPARISONS = {
    "Equal": "equal",
    "Less": "less",
    "LessOrEqual": "less_equal",
    "Greater": "greater",
    "GreaterOrEqual": "greater_equal",
}


@operator(*_COMPARISONS)
def compare(call: Call) -> Value:
    """Import a comparison."""
    inputs = [call.value(0), call.value(1)]
    return call.builder.emit("compare", inputs, function=_COMPARISONS[call.type])


_LOGIC = {"And": "and", "Or": "or", "Xor": "xor"}


@operator(*_LOGIC)
def logic(call: Call) -> Value:
    """Import a function of two truths."""
    inputs = [as_type(call, i, DType.BOOL) for i in (0, 1)]
    return call.builder.emit("integers", inputs, function=_LOGIC[call.type])


_BITWISE = {"BitwiseAnd": "and", "BitwiseOr": "or", "BitwiseXor": "xor"}


@operator(*_BITWISE)
def bitwise(call: Call) -> Value:
    """Import a function of the bits of two integers."""
    inputs = [call.value(0), call.value(1)]
    return call.builder.emit("integers", inputs, function=_BITWISE[call.type])


@operator("Not")
def negation(call: Call) -> Value:
    """Import what is true where the input is not."""
    build, x = call.builder, as_type(call, 0, DType.BOOL)
    return build.emit("integers", [x, build.constant(1, DType.BOOL)], function="xor")


@operator("Mod")
def modulo(call: Call) -> Value:
    """Import a remainder: of integers with the divisor's sign."""
    a, b = call.value(0), call.value(1)
    if call.flag("fmod", False):
        raise Unsupported("fmod is not supported")
    return call.builder.emit("integers", [a, b], function="mod")


@operator("IsNaN")
def is_nan(call: Call) -> Value:
    """Import whether a value differs from itself."""
    x = as_type(call, 0, DType.FLOAT32)
    return call.builder.emit("compare", [x, x], function="not_equal")


@operator("IsInf")
def is_infinite(call: Call) -> Value:
    """Import a comparison with infinity."""
    build, x = call.builder, as_type(call, 0, DType.FLOAT32)
    positive, negative = call.flag("detect_positive", True), call.flag("detect_negative", True)
    if positive and negative:
        x = build.unary("abs", x)
    bound = math.inf if positive else -math.inf if negative else math.nan  # NaN equals nothing
    return build.emit("compare", [x, build.constant(bound)], function="equal")


_SOFTPLUS_IS_LINEAR = 15.0  # from here on it is x to float32's precision


def _guarded_softplus(build: Builder, condition: Value, x: Value, y: Value) -> bool:
    """Return whether y is a softplus, and the choice x itself beyond some number."""
    if not isinstance(condition, Computed) or not isinstance(y, Computed):
        return False
    test, maker = build.graph.producer(condition.name), build.graph.producer(y.name)
    if test is None or test.kind != "compare" or test.attributes["function"] != "greater":
        return False
    if maker is None or maker.attributes.get("function") != "softplus":
        return False
    bound = build.graph.constants.get(test.inputs[1])
    if bound is None or bound.size != 1 or not bound.item() >= _SOFTPLUS_IS_LINEAR:
        return False
    return isinstance(x, Computed) and maker.inputs == [x.name] == test.inputs[:1]


@operator("Where")
def where(call: Call) -> Value:
    """Import a choice; one that is the same everywhere is none."""
    build = call.builder
    condition, x, y = as_type(call, 0, DType.BOOL), call.value(1), call.value(2)
    if isinstance(condition, Known):
        array = condition.array
        shape = broadcast(array.shape, broadcast(shape_of(x), shape_of(y)))
        for chosen, everywhere in ((x, array.all()), (y, not array.any())):
            if everywhere and shape_of(chosen) == shape:
                return chosen
    elif _guarded_softplus(build, condition, x, y):
        return y
    return build.emit("where", [condition, x, y])


@operator("Trilu")
def triangle(call: Call) -> Value:
    """Import zeros beyond a diagonal, as of causal masks: a choice, since 0 times -inf is NaN."""
    build, x, shape = call.builder, call.value(0), call.shape()
    sizes = shape[-2:]
    if len(shape) < 2 or any(n is None or (not is_open(n) and whole(n) > MOST) for n in sizes):
        raise Unsupported(f"need matrices of known sizes up to {MOST}, got shape {shape}")
    k = max(-MOST, min(int(call.scalar(1, "k")), MOST)) if call.has(1) else 0
    function = "greater_equal" if call.flag("upper", True) else "less_equal"
    column, row = _places(build, shape, 1, 0), _places(build, shape, 0, k)
    inside: Value
    if isinstance(row, Known) and isinstance(column, Known):
        build.charge(shape[-2:])
        inside = Known(getattr(np, function)(column.array, row.array))
        if isinstance(x, Known) and not is_symbolic(x.array):
            build.charge(x.array.shape)
            return Known(np.where(inside.array, x.array, x.array.dtype.type(0)))
    else:
        inside = build.emit("compare", [column, row], function=function)
    return build.emit("where", [inside, x, build.constant(0, type_of(x).dtype)])


def _places(build: Builder, shape: Shape, axis: int, first: int) -> Value:
    """Return the numbers from the first on of the rows of matrices, or of the columns."""
    size = shape[axis - 2]
    shape = (size, 1) if axis == 0 else (1, size)
    if not is_open(size):
        build.charge(shape)
        numbers = np.expand_dims(np.arange(whole(size)) + first, 1 - axis)
        return Known(numbers.astype(np.float32))
    ones = build.emit("expand", [build.constant(1)], shape=shape)
    y = build.emit("cumulative_sum", [ones], axis=axis, exclusive=True, reverse=False)
    return build.binary("add", y, build.constant(first)) if first else y
