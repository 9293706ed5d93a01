"""Integers that stand for real numbers: conversions, and operators on such integers.

Every operator on quantized values is here what it is by definition: its inputs are dequantized, the
operator of that name without quantization computes float32, its result is quantized. Integers
remain between two operators only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InvalidModelError
from ..importing.compositions import clipped
from ..importing.unsupported import Unsupported
from ..importing.values import Computed, Known, Value, dtype_of, shape_of
from ..types import DType, Quantization
from .call import Call
from .comparing import data_type
from .model import widened
from .registry import IMPORTERS, foreign, operator

_LIMITS = {"int16": (-(2**15), 2**15 - 1), "uint16": (0, 2**16 - 1)}  # as int32
_QUANTIZED = ("int8", "uint8", "int16", "uint16", "int32")


def _row(call: Call, index: int, what: str) -> NDArray[Any]:
    """Return a known scale or zero point: one, or a row of them."""
    array = widened(call.known(index, what))
    if array.ndim > 1 or array.size == 0 or array.dtype == object:
        raise Unsupported(f"its {what} has the shape {array.shape}")
    return array.reshape(-1)


def _scale(call: Call, index: int) -> NDArray[np.float32]:
    scale = _row(call, index, "scale").astype(np.float32)
    if not np.all(np.isfinite(scale) & (scale > 0)):
        raise InvalidModelError("scale: need finite and positive numbers")
    return scale


def _quantization(call: Call, scale: int, zero: int, axis: int | None, default: str) -> _Scales:
    """Return scales and zero points; `scale` and `zero` are inputs, the latter perhaps absent."""
    scales = _scale(call, scale)
    zeros = np.zeros(1, default)
    if call.has(zero):
        zeros = _row(call, zero, "zero point")
    if zeros.dtype.name not in _QUANTIZED:
        raise Unsupported(f"values quantized to {zeros.dtype} are not supported")
    count = max(scales.size, zeros.size)
    if count > 1 and axis is None:
        raise Unsupported("it has several scales, for one array")
    if not {scales.size, zeros.size} <= {1, count}:
        raise InvalidModelError(f"{zeros.size} zero points do not fit {scales.size} scales")
    scales, zeros = (np.broadcast_to(a, count) for a in (scales, zeros))
    return _Scales(scales, zeros, axis if count > 1 else None)


class _Scales:
    """Scales and zero points of an array, and the axis along which they differ."""

    def __init__(self, scale: NDArray[np.float32], zero: NDArray[Any], axis: int | None) -> None:
        self.scale, self.zero, self.axis = scale, zero, axis

    def core(self) -> Quantization:
        """Return them for nodes of the graph."""
        dtype = DType(self.zero.dtype.name if self.zero.dtype.name not in _LIMITS else "int32")
        scale = tuple(float(s) for s in self.scale)
        return Quantization(scale, tuple(int(z) for z in self.zero), self.axis, dtype)

    def limits(self) -> dict[str, int]:
        """Return the range of integers that are stored as wider ones."""
        if self.zero.dtype.name not in _LIMITS:
            return {}
        least, most = _LIMITS[self.zero.dtype.name]
        return {"least": least, "most": most}


def _along(row: NDArray[Any], axis: int | None, rank: int) -> NDArray[Any]:
    return row if axis is None else row.reshape((-1,) + (1,) * (rank - 1 - axis))


def _quantized(call: Call, x: Value, scales: _Scales) -> Value:
    return call.builder.quantize(x, scales.core(), **scales.limits())


def _real(call: Call, x: Value, scales: _Scales) -> Value:
    """Return what integers stand for; of constants, as a constant."""
    if isinstance(x, Computed):
        return call.builder.dequantize(x, scales.core())
    array, axis = x.array, scales.axis
    if array.dtype.name not in _QUANTIZED:
        raise InvalidModelError(f"it dequantizes {array.dtype}")
    if axis is not None and array.shape[axis] != scales.scale.size:
        raise InvalidModelError(f"{scales.scale.size} scales do not fit {array.shape}")
    call.builder.charge(array.shape)
    zero, scale = (_along(row, axis, array.ndim) for row in (scales.zero, scales.scale))
    real = (array.astype(np.int64) - zero.astype(np.int64)).astype(np.float32) * scale
    return Known(np.asarray(real.reshape(array.shape), np.float32))


def _axis(call: Call, rank: int, default: int = 1) -> int | None:
    """Return the axis of a row of scales, where there can be one."""
    axis = call.attribute("axis", default)
    return axis % rank if -rank <= axis < rank else None


def _known(call: Call, *indices: int) -> bool:
    return all(not isinstance(call.inputs[i], Computed) for i in indices if call.has(i))


@operator("QuantizeLinear")
@foreign("com.microsoft.QuantizeLinear", 2, 3, axis=int)
def quantize(call: Call) -> Value:
    """Import a conversion to integers."""
    _whole_axis(call)
    rank = len(call.shape())
    if not _known(call, 1, 2):
        return _computed_scale(call)
    default = "uint8"
    if call.attribute("output_dtype", 0):
        default = data_type(call.attribute("output_dtype", 0)).value
    scales = _quantization(call, 1, 2, _axis(call, rank), default)
    return _quantized(call, call.builder.cast(call.value(0), DType.FLOAT32), scales)


@operator("DequantizeLinear")
@foreign("com.microsoft.DequantizeLinear", 2, 3, axis=int)
def dequantize(call: Call) -> Value:
    """Import a conversion to real numbers."""
    build, x = call.builder, call.value(0)
    if not _known(call, 1, 2):
        _whole_axis(call)
        real = build.cast(x, DType.FLOAT32)
        if call.has(2):
            real = build.binary("sub", real, build.cast(call.value(2), DType.FLOAT32))
        return build.binary("mul", real, call.value(1))
    if call.attribute("block_size", 0):
        return _blocks(call)
    scales = _quantization(call, 1, 2, _axis(call, len(call.shape())), dtype_of(x))
    return _real(call, x, scales)


def _whole_axis(call: Call) -> None:
    if call.attribute("block_size", 0):
        raise Unsupported("blocks of computed values are not supported")


def _blocks(call: Call) -> Value:
    """Return what a constant stands for whose scales are those of blocks of an axis."""
    x, scale = call.known(0, "input"), widened(call.known(1, "scale")).astype(np.float32)
    axis, block = call.axis(call.attribute("axis", 1), x.ndim), call.attribute("block_size", 0)
    zero = call.known(2, "zero point") if call.has(2) else np.zeros(scale.shape, x.dtype)
    wanted = (*x.shape[:axis], -(-x.shape[axis] // max(block, 1)), *x.shape[axis + 1 :])
    if block < 1 or scale.shape != wanted or zero.shape != wanted:
        raise InvalidModelError(f"block_size: {block} does not fit {x.shape} and {scale.shape}")
    call.builder.charge(x.shape)
    part = tuple(slice(n) for n in x.shape)
    scale, zero = (np.repeat(a, block, axis)[part] for a in (scale, zero))
    return Known((x.astype(np.int64) - zero).astype(np.float32) * scale)


def _computed_scale(call: Call) -> Value:
    """Return a conversion by the definition."""
    build = call.builder
    x = build.binary("div", build.cast(call.value(0), DType.FLOAT32), call.value(1))
    x = build.unary("round", x)
    dtype = call.value(2) if call.has(2) else None
    to = DType.UINT8 if dtype is None else DType(dtype_of(dtype))
    if dtype is not None:
        x = build.binary("add", x, build.cast(dtype, DType.FLOAT32))
    low, high = (0.0, 255.0) if to is DType.UINT8 else (-128.0, 127.0)
    return build.cast(clipped(build, x, low, high), to)


@operator("DynamicQuantizeLinear")
def dynamic_quantize(call: Call) -> list[Value | None]:
    """Import a conversion to bytes whose scale is that of the values."""
    build, x = call.builder, call.value(0)
    axes = range(len(call.shape()))
    high = build.binary("max", build.reduce("max", x, axes, keepdims=False), 0.0)
    low = build.binary("min", build.reduce("min", x, axes, keepdims=False), 0.0)
    scale = build.binary("div", build.binary("sub", high, low), 255.0)
    none = build.emit("compare", [scale, build.constant(0)], function="equal")
    scale = build.emit("where", [none, build.constant(1), scale])  # of zeros
    zero = build.unary("neg", build.binary("div", low, scale))
    zero = build.unary("round", clipped(build, zero, 0.0, 255.0))
    y = build.binary("add", build.unary("round", build.binary("div", x, scale)), zero)
    y = build.cast(clipped(build, y, 0.0, 255.0), DType.UINT8)
    return [y, scale, build.cast(zero, DType.UINT8)]


# --- operators on quantized values ----------------------------------------------------------------


def _input(call: Call, index: int, axis: int | None = None) -> Value:
    """Return what a quantized input stands for; its scale and zero point are the next two."""
    x = call.value(index)
    rank = len(shape_of(x))
    axis = None if axis is None or not -rank <= axis < rank else axis % rank
    default = dtype_of(x) if dtype_of(x) in _QUANTIZED else "uint8"
    return _real(call, x, _quantization(call, index + 1, index + 2, axis, default))


def _plain(call: Call, type_: str, inputs: Sequence[Value | None], *dropped: str) -> Value:
    """Import the operator that computes real numbers."""
    attributes = {k: v for k, v in call.attributes.items() if k not in dropped}
    opset = int(call.attributes.get("opset", call.opset))
    plain = Call(call.builder, call.name, type_, list(inputs), call.outputs[:1], opset, attributes)
    value: Value = IMPORTERS[type_](plain)
    return value


def _output(call: Call, y: Value, scale: int) -> Value:
    """Quantize a result; the scale and zero point of the output are inputs."""
    return _quantized(call, y, _quantization(call, scale, scale + 1, None, "uint8"))


def _bias(call: Call, index: int, x_scale: int, w_scale: int, alpha: float = 1.0) -> Value | None:
    """Return what an int32 bias stands for: its unit is that of the products."""
    if not call.has(index):
        return None
    array = call.known(index, "bias")
    if array.dtype != np.int32:
        raise InvalidModelError(f"bias: need int32, got {array.dtype}")
    scale = np.float32(alpha) * _scale(call, x_scale) * _scale(call, w_scale)
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
    return call.builder.cast(y, DType.INT32)


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
