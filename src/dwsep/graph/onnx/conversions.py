"""Conversions between real numbers and the integers that stand for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InvalidModelError
from ..importing.compositions import clipped
from ..importing.values import Computed, Known, Unsupported, Value, dtype_of
from ..ir import DType, Quantization
from .call import Call
from .comparing import data_type
from .model import widened
from .registry import foreign, operator

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LIMITS = {"int16": (-(2**15), 2**15 - 1), "uint16": (0, 2**16 - 1)}  # as int32
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32")


def _row(call: Call, index: int, what: str) -> NDArray[Any]:
    """Return a known scale or zero point: one, or a row of them."""
    array = widened(call.known(index, what))
    if array.ndim > 1 or array.size == 0 or array.dtype == object:
        raise Unsupported(f"its {what} has the shape {array.shape}")
    return array.reshape(-1)


def scale_of(call: Call, index: int) -> NDArray[np.float32]:
    scale = _row(call, index, "scale").astype(np.float32)
    if not np.all(np.isfinite(scale) & (scale > 0)):
        raise InvalidModelError("scale: need finite and positive numbers")
    return scale


def quantization_of(call: Call, scale: int, zero: int, axis: int | None, default: str) -> Scales:
    """Return scales and zero points; `scale` and `zero` are inputs, the latter perhaps absent."""
    scales = scale_of(call, scale)
    zeros = np.zeros(1, default)
    if call.has(zero):
        zeros = _row(call, zero, "zero point")
    if zeros.dtype.name not in INTEGERS:
        raise Unsupported(f"values quantized to {zeros.dtype} are not supported")
    count = max(scales.size, zeros.size)
    if count > 1 and axis is None:
        raise Unsupported("it has several scales, for one array")
    if not {scales.size, zeros.size} <= {1, count}:
        raise InvalidModelError(f"{zeros.size} zero points do not fit {scales.size} scales")
    scales, zeros = (np.broadcast_to(a, count) for a in (scales, zeros))
    return Scales(scales, zeros, axis if count > 1 else None)


class Scales:
    """Scales and zero points of an array, and the axis along which they differ."""

    def __init__(self, scale: NDArray[np.float32], zero: NDArray[Any], axis: int | None) -> None:
        self.scale, self.zero, self.axis = scale, zero, axis

    def core(self) -> Quantization:
        """Return them for nodes of the graph."""
        dtype = DType(self.zero.dtype.name if self.zero.dtype.name not in _LIMITS else "int32")
        scale, zero = (tuple(row.tolist()) for row in (self.scale, self.zero))
        return Quantization(scale, zero, self.axis, dtype)

    def limits(self) -> dict[str, int]:
        """Return the range of integers that are stored as wider ones."""
        if self.zero.dtype.name not in _LIMITS:
            return {}
        least, most = _LIMITS[self.zero.dtype.name]
        return {"least": least, "most": most}


def _along(row: NDArray[Any], axis: int | None, rank: int) -> NDArray[Any]:
    return row if axis is None else row.reshape((-1,) + (1,) * (rank - 1 - axis))


def quantized(call: Call, x: Value, scales: Scales) -> Value:
    call.builder.graph.zero_first = True
    return call.builder.quantize(x, scales.core(), **scales.limits())


def real(call: Call, x: Value, scales: Scales) -> Value:
    """Return what integers stand for; of constants, as a constant."""
    stored = scales.zero.dtype.name if isinstance(x, Known) else scales.core().dtype.value
    if dtype_of(x) != stored:
        raise InvalidModelError(f"its zero point is {scales.zero.dtype}, its input {dtype_of(x)}")
    if isinstance(x, Computed):
        call.builder.graph.zero_first = True
        return call.builder.dequantize(x, scales.core())
    array, axis = x.array, scales.axis
    if axis is not None and array.shape[axis] != scales.scale.size:
        raise InvalidModelError(f"{scales.scale.size} scales do not fit {array.shape}")
    call.builder.charge(array.shape)
    zero, scale = (_along(row, axis, array.ndim) for row in (scales.zero, scales.scale))
    values = (array.astype(np.int64) - zero.astype(np.int64)).astype(np.float32) * scale
    quantization = None if scales.limits() else scales.core()
    return Known(np.asarray(values.reshape(array.shape), np.float32), "", quantization)


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
    if call.has(2) and call.known(2, "zero point").dtype.metadata:
        raise Unsupported("values quantized to 4 bits are not supported")
    if call.attribute("output_dtype", 0):
        default = data_type(call.attribute("output_dtype", 0)).value
    scales = quantization_of(call, 1, 2, _axis(call, rank), default)
    return quantized(call, call.builder.cast(call.value(0), DType.FLOAT32), scales)


@operator("DequantizeLinear")
@foreign("com.microsoft.DequantizeLinear", 2, 3, axis=int)
def dequantize(call: Call) -> Value:
    """Import a conversion to real numbers."""
    build, x = call.builder, call.value(0)
    if not _known(call, 1, 2):
        _whole_axis(call)
        y = build.cast(x, DType.FLOAT32)
        if call.has(2):
            y = build.binary("sub", y, build.cast(call.value(2), DType.FLOAT32))
        return build.binary("mul", y, call.value(1))
    if call.attribute("block_size", 0):
        return _blocks(call)
    scales = quantization_of(call, 1, 2, _axis(call, len(call.shape())), dtype_of(x))
    return real(call, x, scales)


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
    zero = build.binary("sub", build.constant(0.0), build.binary("div", low, scale))  # no -0
    zero = build.unary("round", clipped(build, zero, 0.0, 255.0))
    y = build.binary("add", build.unary("round", build.binary("div", x, scale)), zero)
    y = build.whole(clipped(build, y, 0.0, 255.0), DType.UINT8)
    return [y, scale, build.whole(zero, DType.UINT8)]
