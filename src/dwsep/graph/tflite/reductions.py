"""Reductions, and functions of all elements along an axis."""

from __future__ import annotations

from ...errors import InvalidModelError
from ..importing.values import Value
from ..ir import DType
from .call import Call, operator

_REDUCERS = {"MEAN": "mean", "SUM": "sum", "REDUCE_MAX": "max", "REDUCE_MIN": "min"}


@operator(*_REDUCERS)
def reduce(call: Call) -> Value:
    """Import a reduction over constant axes."""
    axes = call.axes("axes", call.ints(1, "axes"), len(call.shape()))
    keep = bool(call.option("keep_dims", False))
    if not axes:
        return call.value(0)
    return call.builder.reduce(_REDUCERS[call.type], call.value(0), axes, keep)


@operator("REDUCE_ANY", "REDUCE_ALL")
def truth(call: Call) -> Value:
    """Import whether one truth value along constant axes is true, or all."""
    build, axes = call.builder, call.axes("axes", call.ints(1, "axes"), len(call.shape()))
    function = "max" if call.type == "REDUCE_ANY" else "min"
    keep = bool(call.option("keep_dims", False))
    numbers = build.cast(call.value(0), DType.INT32)
    y = build.reduce(function, numbers, axes, keep) if axes else numbers
    return build.cast(y, DType.BOOL)


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
