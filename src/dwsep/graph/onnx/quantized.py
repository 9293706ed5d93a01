"""Operators on integers that stand for real numbers.

Each is here what it is by definition: its inputs are dequantized, the operator of that name without
quantization computes float32, its result is quantized. Integers remain between two operators only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import InvalidModelError
from ..importing.values import Computed, Known, Unsupported, Value, dtype_of, shape_of
from ..ir import DType
from .call import Call
from .conversions import INTEGERS, quantization_of, quantized, real, scale_of
from .registry import IMPORTERS, foreign, operator


def _input(call: Call, index: int, axis: int | None = None) -> Value:
    """Return what a quantized input stands for; its scale and zero point are the next two."""
    x = call.value(index)
    rank = len(shape_of(x))
    axis = None if axis is None or not -rank <= axis < rank else axis % rank
    default = dtype_of(x) if dtype_of(x) in INTEGERS else "uint8"
    return real(call, x, quantization_of(call, index + 1, index + 2, axis, default))


def _plain(call: Call, type_: str, inputs: Sequence[Value | None], *dropped: str) -> Value:
    """Import the operator that computes real numbers."""
    attributes = {k: v for k, v in call.attributes.items() if k not in dropped}
    opset = int(call.attributes.get("opset", call.opset))
    plain = Call(call.builder, call.name, type_, list(inputs), call.outputs[:1], opset, attributes)
    value: Value = IMPORTERS[type_](plain)
    return value


def _output(call: Call, y: Value, scale: int) -> Value:
    """Quantize a result; the scale and zero point of the output are inputs.

    Without a zero point the result is of the type of the first input.
    """
    first = dtype_of(call.value(0))
    default = first if first in INTEGERS else "uint8"
    return quantized(call, y, quantization_of(call, scale, scale + 1, None, default))


def _bias(call: Call, index: int, x_scale: int, w_scale: int, alpha: float = 1.0) -> Value | None:
    """Return what an int32 bias stands for: its unit is that of the products."""
    if not call.has(index):
        return None
    array = call.known(index, "bias")
    if array.dtype != np.int32:
        raise InvalidModelError(f"bias: need int32, got {array.dtype}")
    scale = np.float32(alpha) * scale_of(call, x_scale) * scale_of(call, w_scale)
    return Known(array.astype(np.float32) * scale)


@operator("QLinearConv")
def conv(call: Call) -> Value:
    """Import a convolution; the weights have a scale, or one for each output channel."""
    inputs = [_input(call, 0), _input(call, 3, axis=0), _bias(call, 8, 1, 4)]
    return _output(call, _plain(call, "Conv", inputs), 6)


@operator("QLinearMatMul")
def matmul(call: Call) -> Value:
    """Import a product; rows of the first matrix and columns of the second may have scales."""
    inputs = [_input(call, 0, axis=-2), _input(call, 3, axis=-1)]
    return _output(call, _plain(call, "MatMul", inputs), 6)


@operator("ConvInteger", "MatMulInteger")
def integer_product(call: Call) -> Value:
    """Import a sum of products of integers; it is exact below 2**24, as float32 is."""
    product = call.type == "MatMulInteger"
    inputs = [_less_zero(call, i, product) for i in (0, 1)]
    y = _plain(call, "MatMul" if product else "Conv", inputs)
    return call.builder.whole(y, DType.INT32)


def _less_zero(call: Call, index: int, product: bool) -> Value:
    """Return an input less its zero point, as float32."""
    build, x = call.builder, call.value(index)
    x = build.cast(x, DType.FLOAT32) if isinstance(x, Computed) else _float32(x)
    if not call.has(index + 2):
        return x
    zero = call.value(index + 2)
    if len(shape_of(zero)) == 1 and shape_of(zero) != (1,) and (index == 0 or not product):
        inner = 1 if product else len(shape_of(x)) - 1  # rows, or output channels
        zero = build.reshape(zero, (-1,) + (1,) * inner)
    zero = build.cast(zero, DType.FLOAT32) if isinstance(zero, Computed) else _float32(zero)
    return build.binary("sub", x, zero)


def _float32(value: Known) -> Known:
    return Known(value.array.astype(np.float32))


_POOL: dict[str, type] = {
    **dict.fromkeys(("kernel_shape", "pads", "strides"), list),
    **dict.fromkeys(("ceil_mode", "count_include_pad", "channels_last"), int),
    "auto_pad": str,
}


@foreign("com.microsoft.QLinearAdd", 7, 8)
@foreign("com.microsoft.QLinearMul", 7, 8)
def arithmetic(call: Call) -> Value:
    """Import the sum or the product of two arrays."""
    type_ = call.type.removeprefix("com.microsoft.QLinear")
    return _output(call, _plain(call, type_, [_input(call, 0), _input(call, 3)]), 6)


@foreign("com.microsoft.QLinearSigmoid", 4, 5)
@foreign("com.microsoft.QLinearLeakyRelu", 4, 5, alpha=float)
@foreign("com.microsoft.QLinearSoftmax", 4, 5, axis=int, opset=int)
def function(call: Call) -> Value:
    """Import a function of one array."""
    type_ = call.type.removeprefix("com.microsoft.QLinear")
    return _output(call, _plain(call, type_, [_input(call, 0)], "opset"), 3)


@foreign("com.microsoft.QLinearGlobalAveragePool", 4, 5, channels_last=int)
@foreign("com.microsoft.QLinearAveragePool", 4, 5, **_POOL)
def pool(call: Call) -> Value:
    """Import a pool."""
    if call.flag("channels_last", False):
        raise Unsupported("channels_last is not supported")
    type_ = call.type.removeprefix("com.microsoft.QLinear")
    return _output(call, _plain(call, type_, [_input(call, 0)], "channels_last"), 3)


@foreign("com.microsoft.QLinearConcat", 4, None, axis=int)
def concat(call: Call) -> Value:
    """Import a concatenation; the output's scale comes first."""
    inputs = [_input(call, i) for i in range(2, len(call.inputs), 3)]
    return _output(call, _plain(call, "Concat", inputs), 0)


@foreign("com.microsoft.QGemm", 6, 9, transA=int, transB=int, alpha=float)
def gemm(call: Call) -> Value:
    """Import a product of matrices; columns of the second may have scales."""
    alpha = call.number("alpha", 1.0)
    columns = 0 if call.flag("transB", False) else 1
    inputs = [_input(call, 0), _input(call, 3, axis=columns), _bias(call, 6, 1, 4, alpha)]
    y = _plain(call, "Gemm", inputs)
    return _output(call, y, 7) if call.has(7) else y
