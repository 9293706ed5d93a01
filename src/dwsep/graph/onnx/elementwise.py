"""Functions of several values with broadcasting."""

from __future__ import annotations

import numpy as np

from ..importing.values import Computed, Known, Value, is_symbolic, type_of
from ..ir import DType
from .call import Call
from .registry import operator

_BINARY = {"Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div"}
_VARIADIC = {"Min": "min", "Max": "max", "Sum": "add", "Mean": "add"}


@operator(*_BINARY)
def binary(call: Call) -> Value:
    """Import arithmetic."""
    return call.builder.binary(_BINARY[call.type], call.value(0), call.value(1))


@operator(*_VARIADIC)
def variadic(call: Call) -> Value:
    """Import a function of any number of values, two at a time."""
    result = call.value(0)
    for i in range(1, len(call.inputs)):
        result = call.builder.binary(_VARIADIC[call.type], result, call.value(i))
    if call.type == "Mean":
        return call.builder.binary("div", result, float(len(call.inputs)))
    return result


@operator("Pow")
def power(call: Call) -> Value:
    """Import a power; the common ones are what they abbreviate."""
    build, x, exponent = call.builder, call.value(0), call.value(1)
    dtype = type_of(x).dtype
    if dtype is not DType.FLOAT32:
        return build.cast(_power(call, build.cast(x, DType.FLOAT32), exponent), dtype)
    return _power(call, x, exponent)


def _power(call: Call, x: Value, exponent: Value) -> Value:
    build = call.builder
    exponent = build.cast(exponent, DType.FLOAT32) if isinstance(exponent, Computed) else exponent
    if isinstance(exponent, Known) and not is_symbolic(exponent.array):
        array = exponent.array.astype(np.float32)  # any numeric type may be given
        if array.size == 1 and array.ndim <= len(call.shape()):
            number = float(array.reshape(())[()])
            if number == 1:
                return x
            if number == 2:
                return build.binary("mul", x, x)
            if number == 3:
                return build.binary("mul", build.binary("mul", x, x), x)
            if number == 0.5:
                return build.unary("sqrt", x)
        exponent = Known(array, exponent.name if array is exponent.array else "")
    return build.binary("pow", x, exponent)
