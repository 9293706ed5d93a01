"""Functions of one value: activations of the functional API, unary functions, compositions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import InvalidModelError
from ..importing.compositions import clipped
from ..importing.values import Known, Unsupported, Value, type_of
from ..ir import DType
from .call import Call
from .registry import operator

_ACTIVATIONS = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "HardSwish": "hard_swish"}
_UNARY = {
    name.capitalize(): name
    for name in (
        *("exp", "log", "sqrt", "neg", "abs", "erf", "reciprocal", "floor", "ceil", "round"),
        *("softplus", "sin", "cos", "sign", "mish", "softsign"),
    )
}


@operator(*_ACTIVATIONS)
def activation(call: Call) -> Value:
    """Import an activation that has no parameters."""
    return call.builder.activation(_ACTIVATIONS[call.type], call.value(0))


@operator(*_UNARY)
def unary(call: Call) -> Value:
    """Import a function of one value."""
    build, x = call.builder, call.value(0)
    type_ = type_of(x).dtype
    if call.type == "Abs" and type_ is DType.UINT8:
        return x  # which wraps below 0
    if type_ is not DType.FLOAT32 and call.type in ("Neg", "Abs"):
        negative = build.binary("sub", build.constant(0, type_), x)
        return negative if call.type == "Neg" else build.binary("max", x, negative)
    return build.unary(_UNARY[call.type], x)


@operator("Clip")
def clip(call: Call) -> Value:
    """Import a clip; bounds are attributes before opset 11, inputs since."""
    build, x = call.builder, call.value(0)
    bounds = [-math.inf, math.inf]
    for i, name in enumerate(("min", "max")):
        if call.opset < 11:
            bounds[i] = float(call.attribute(name, bounds[i]))
        elif call.has(i + 1):
            bound = call.value(i + 1)
            if not isinstance(bound, Known):
                x = build.binary(("max", "min")[i], x, bound)
                continue
            bounds[i] = call.scalar(i + 1, name)
    return clipped(build, x, *bounds)


@operator("HardSigmoid")
def hard_sigmoid(call: Call) -> Value:
    """Import clip(alpha x + beta, 0, 1); 1/6 and 1/2 have a name."""
    build, x = call.builder, call.value(0)
    alpha = call.number("alpha", 0.2)
    beta = call.number("beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:  # as float32 or as someone rounded it
        return build.activation("hard_sigmoid", x)
    return clipped(build, build.binary("add", build.binary("mul", x, alpha), beta), 0.0, 1.0)


@operator("LeakyRelu")
def leaky_relu(call: Call) -> Value:
    """Import x where x >= 0, else alpha x."""
    return call.builder.activation(("leaky_relu", call.number("alpha", 0.01)), call.value(0))


@operator("PRelu")
def prelu(call: Call) -> Value:
    """Import x where x >= 0, else slope x."""
    x, slope = call.value(0), call.value(1)
    if isinstance(slope, Known) and slope.array.dtype == np.float32 and slope.array.size == 1:
        alpha = float(slope.array.reshape(())[()])
        if math.isfinite(alpha) and slope.array.ndim <= len(call.shape()):
            return call.builder.activation(("leaky_relu", alpha), x)
    return call.builder.binary("prelu", x, slope)


_SELU = (1.67326319217681884765625, 1.05070102214813232421875)


@operator("Elu")
def elu(call: Call) -> Value:
    """Import x where x >= 0, else alpha (exp(x) - 1)."""
    return call.builder.binary("elu", call.value(0), call.number("alpha", 1.0))


@operator("Selu")
def selu(call: Call) -> Value:
    """Import gamma elu(x, alpha)."""
    build, x = call.builder, call.value(0)
    alpha, gamma = (call.number(n, d) for n, d in zip(("alpha", "gamma"), _SELU, strict=True))
    if (alpha, gamma) == _SELU:
        return build.unary("selu", x)
    return build.binary("mul", build.binary("elu", x, alpha), gamma)


@operator("Celu")
def celu(call: Call) -> Value:
    """Import max(x, 0) + alpha (exp(min(x, 0) / alpha) - 1)."""
    build, x, alpha = call.builder, call.value(0), call.number("alpha", 1.0)
    if alpha == 0:
        raise InvalidModelError("alpha: need a number that is not 0")
    if alpha == 1:
        return build.binary("elu", x, 1.0)
    if alpha > 0:
        below = build.binary("elu", build.binary("div", build.binary("min", x, 0.0), alpha), 1.0)
    else:  # the exponent is positive
        below = build.binary("div", build.binary("min", x, 0.0), alpha)
        below = build.binary("sub", build.unary("exp", below), 1.0)
    return build.binary("add", build.activation("relu", x), build.binary("mul", below, alpha))


@operator("Gelu")
def gelu(call: Call) -> Value:
    """Import x Phi(x), or its approximation by tanh."""
    build, x = call.builder, call.value(0)
    approximation = call.attribute("approximate", "none")
    if approximation == "none":
        return build.activation("gelu", x)
    if approximation != "tanh":
        raise Unsupported(f"approximate {approximation!r} is not supported")
    return build.unary("gelu_tanh", x)


@operator("Swish")
def swish(call: Call) -> Value:
    """Import x sigmoid(alpha x)."""
    build, x = call.builder, call.value(0)
    alpha = call.number("alpha", 1.0)
    if alpha == 1:
        return build.activation("silu", x)
    return build.binary("mul", x, build.activation("sigmoid", build.binary("mul", x, alpha)))


@operator("Identity", "Dropout")
def identity(call: Call) -> Value:
    """Import what does nothing when a network is used."""
    if any(call.outputs[1:]):
        raise Unsupported("its mask is used")
    if call.type == "Dropout" and call.has(2) and _is_true(call.known(2, "training_mode")):
        raise Unsupported("it is in training mode")
    return call.value(0)


def _is_true(array: Any) -> bool:
    return bool(np.any(array))


@operator("ThresholdedRelu")
def thresholded_relu(call: Call) -> Value:
    """Import x where x > alpha, else 0."""
    build, x = call.builder, call.value(0)
    alpha = build.constant(call.number("alpha", 1.0))
    above = build.emit("compare", [x, alpha], function="greater")
    return build.emit("where", [above, x, build.constant(0)])
