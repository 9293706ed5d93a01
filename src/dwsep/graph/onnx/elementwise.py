"""Functions of several values with broadcasting."""

from __future__ import annotations

import numpy as np

from ..importing.symbols import is_symbolic
from ..importing.unsupported import Unsupported
from ..importing.values import Computed, Known, Value, shape_of
from ..sizes import broadcast, shown
from ..types import TensorType
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


_SOFTPLUS_IS_LINEAR = 15.0  # from here on it is x to float32's precision


@operator("Greater")
def greater(call: Call) -> Value:
    """Keep a comparison with a number for `where`."""
    x, bound = call.value(0), call.value(1)
    if not isinstance(x, Computed) or not isinstance(bound, Known) or bound.array.size != 1:
        raise Unsupported("comparisons of computed values are not supported")
    return Computed("", TensorType(call.shape()), (x, call.scalar(1, "bound")))


def _guarded_softplus(call: Call) -> Value:
    """Return softplus where the file has it with x itself beyond some number."""
    condition, x, y = (call.value(i) for i in range(3))
    if isinstance(condition, Computed) and condition.test and isinstance(y, Computed):
        compared, bound = condition.test
        maker = call.builder.graph.producer(y.name)
        is_softplus = maker is not None and maker.attributes.get("function") == "softplus"
        same = maker is not None and compared is x and maker.inputs == [compared.name]
        if is_softplus and same and bound >= _SOFTPLUS_IS_LINEAR:
            return y
    raise Unsupported("a condition that the network computes is not supported")


@operator("Where")
def where(call: Call) -> Value:
    """Import a choice that is the same everywhere."""
    if not isinstance(call.value(0), Known):
        return _guarded_softplus(call)
    condition = call.known(0, "condition")
    if condition.dtype != bool:
        raise Unsupported(f"its condition is {condition.dtype}, need bool")
    if condition.all():
        chosen = call.value(1)
    elif not condition.any():
        chosen = call.value(2)
    else:
        raise Unsupported("its condition is true for some elements only")
    shape = broadcast(condition.shape, call.shape(1), call.shape(2))
    if shape_of(chosen) != shape:
        raise Unsupported(f"it broadcasts {shown(shape_of(chosen))} to {shown(shape)}")
    return chosen
