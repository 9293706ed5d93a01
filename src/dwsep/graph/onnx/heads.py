"""What classifiers end with: products of matrices and softmax."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import InvalidModelError
from ..importing.compositions import dense
from ..importing.values import Computed, Known, Value, shape_of, weight_scales
from ..ir import Array
from ..sizes import known_product
from .call import Call
from .registry import operator


@operator("Gemm")
def gemm(call: Call) -> Value:
    """Import alpha A' B' + beta C."""
    build, a, b = call.builder, call.value(0), call.value(1)
    alpha, beta = call.number("alpha", 1.0), call.number("beta", 1.0)
    if len(call.shape(0)) != 2 or len(call.shape(1)) != 2:
        raise InvalidModelError(f"need two matrices, got {call.shape(0)} and {call.shape(1)}")
    if call.flag("transA", False):
        a = build.transpose(a, (1, 0))
    bias = call.value(2) if call.has(2) else None
    if isinstance(a, Computed) and isinstance(b, Known):
        weight = call.weight(1, "weights")
        weight = weight.T if call.flag("transB", False) else weight
        inner: Array | None = None
        if isinstance(bias, Known) and _is_row(bias.array, weight.shape[1]):
            inner = _scaled(call.weight(2, "bias"), beta).reshape(-1)
            inner = np.broadcast_to(inner, (weight.shape[1],))
            bias = None
        columns = 0 if call.flag("transB", False) else 1
        scales = weight_scales(b, columns) if alpha == 1 else {}
        result = dense(build, a, _scaled(weight, alpha), inner, scales)
    else:
        b = build.transpose(b, (1, 0)) if call.flag("transB", False) else b
        result = build.emit("matmul", [a, b])
        result = build.binary("mul", result, alpha) if alpha != 1 else result
    if bias is None:
        return result
    bias = build.binary("mul", bias, beta) if beta != 1 else bias
    return build.binary("add", result, bias)


def _is_row(array: Array, size: int) -> bool:
    return array.size in (1, size) and known_product(array.shape[:-1]) == 1


def _scaled(array: Array, factor: float) -> Array:
    return array if factor == 1 else array * np.float32(factor)


@operator("MatMul")
def matmul(call: Call) -> Value:
    """Import NumPy's matmul."""
    build, a, b = call.builder, call.value(0), call.value(1)
    ranks = len(shape_of(a)), len(shape_of(b))
    if 0 in ranks:
        raise InvalidModelError("need at least one axis on both sides")
    if ranks[0] == 1:
        a = build.reshape(a, (1, -1))
    if isinstance(a, Computed) and isinstance(b, Known) and ranks[1] <= 2:
        weight = call.weight(1, "weights")
        scales = weight_scales(b, 1) if ranks[1] == 2 else {}
        y = dense(build, a, weight.reshape(-1, 1) if ranks[1] == 1 else weight, None, scales)
    else:
        b = build.reshape(b, (-1, 1)) if ranks[1] == 1 else b
        y = build.emit("matmul", [a, b])
    shape: list[Any] = list(shape_of(y))
    if ranks[0] == 1:
        del shape[-2]
    if ranks[1] == 1:
        del shape[-1]
    return build.reshape(y, [0 if n is None else n for n in shape])


@operator("Softmax", "LogSoftmax")
def softmax(call: Call) -> Value:
    """Import a softmax; before opset 13 it is over all axes from `axis` on together."""
    build, x, shape = call.builder, call.value(0), call.shape()
    log = call.type == "LogSoftmax"
    axis = call.axis(call.attribute("axis", -1 if call.opset >= 13 else 1), len(shape))
    if call.opset >= 13 or all(n == 1 for n in shape[axis + 1 :]):
        return build.emit("softmax", [x], axis=axis, log=log)
    kept = [0] * axis
    flat = build.reshape(x, [*kept, -1])
    y = build.emit("softmax", [flat], axis=axis, log=log)
    return build.reshape(y, [*kept, *(-1 if n is None else n for n in shape[axis:])])
