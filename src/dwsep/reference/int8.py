"""Plain convolutions of int8 and uint8: exact sums in integers, then one rounding.

They take the arguments of the functions of the same name, and any object with `scale`,
`zero_point` and `dtype` as a quantization. Nothing is shared with the code that they judge.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[Any]
_F32 = np.float32
_CLIPS = {None: (-math.inf, math.inf), "relu": (0.0, math.inf), "relu6": (0.0, 6.0)}


class _Quantization(Protocol):
    @property
    def scale(self) -> float | _Array: ...
    @property
    def zero_point(self) -> int | _Array: ...
    @property
    def dtype(self) -> str: ...


def _pair(value: Any) -> tuple[int, int]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def _sides(
    padding: Any, size: Sequence[int], taps: Sequence[int], stride: Any, dilation: Any
) -> list[tuple[int, int]]:
    """Return the padding before and behind rows and columns."""
    if isinstance(padding, str):
        sides = []
        for n, k, s, d in zip(size, taps, _pair(stride), _pair(dilation), strict=True):
            total = 0
            if padding != "valid":
                total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
            less, more = total // 2, total - total // 2
            sides.append((less, more) if padding == "same" else (more, less))
        return sides
    rows, columns = _pair(padding)
    return [_pair(rows), _pair(columns)]


def _windows(
    x: _Array, taps: Sequence[int], stride: Any, padding: Any, dilation: Any
) -> list[_Array]:
    """Return, for each tap, the inputs of all outputs; x has its zero points subtracted."""
    (top, bottom), (left, right) = _sides(padding, x.shape[1:3], taps, stride, dilation)
    x = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    (sh, sw), (dh, dw) = _pair(stride), _pair(dilation)
    rows = (x.shape[1] - (taps[0] - 1) * dh - 1) // sh + 1
    columns = (x.shape[2] - (taps[1] - 1) * dw - 1) // sw + 1
    return [
        x[
            :,
            r * dh : r * dh + (rows - 1) * sh + 1 : sh,
            c * dw : c * dw + (columns - 1) * sw + 1 : sw,
        ]
        for r in range(taps[0])
        for c in range(taps[1])
    ]


def _bias(bias: _Array | None, unit: _Array, channels: int) -> _Array:
    if bias is None:
        return np.zeros(channels, np.int64)
    if bias.dtype == np.int32:
        return bias.astype(np.int64)
    return np.rint(bias.astype(np.float64) / unit.astype(np.float64)).astype(np.int64)


def _bounds(activation: Any) -> tuple[float, float] | None:
    if isinstance(activation, (tuple, list)):
        return (activation[1], activation[2]) if activation[0] == "clip" else None
    return _CLIPS.get(activation)


def _finish(
    sums: _Array,
    unit: _Array,
    activation: Any,
    quantization: _Quantization | None,
    residual: _Array | None,
    residual_quantization: _Quantization | None,
) -> _Array:
    """Return stored or real values of exact sums; only clips."""
    bounds = _bounds(activation)
    if bounds is None:
        raise ValueError(f"activation: need a clip, got {activation}")
    with np.errstate(all="ignore"):
        scale = _F32(1) if quantization is None else np.asarray(quantization.scale, _F32)
        v = sums.astype(_F32) * (unit if quantization is None else unit / scale)
        if residual is not None and residual_quantization is not None:
            r = residual_quantization
            steps = (residual.astype(np.int32) - np.int32(r.zero_point)).astype(_F32)
            v = v + steps * (_F32(r.scale) if quantization is None else _F32(r.scale) / scale)
        if quantization is None:
            return np.asarray(np.clip(v, _F32(bounds[0]), _F32(bounds[1])))
        zero = np.asarray(quantization.zero_point, np.float64)
        low, high = (np.rint((_F32(b) / scale).astype(np.float64)) + zero for b in bounds)
    info = np.iinfo(quantization.dtype)
    y: _Array = np.clip(
        np.clip(np.rint(v).astype(np.float64) + zero, low, high), info.min, info.max
    )
    return y.astype(quantization.dtype)


def _less_zero(v: _Array, q: _Quantization) -> _Array:
    return v.astype(np.int64) - np.asarray(q.zero_point, np.int64)


def depthwise_conv2d(
    x: _Array,
    weight: _Array,
    bias: _Array | None = None,
    *,
    stride: Any = 1,
    padding: Any = "same",
    dilation: Any = 1,
    activation: Any = None,
    x_quantization: _Quantization,
    weight_quantization: _Quantization,
    quantization: _Quantization | None = None,
) -> _Array:
    """Convolve each channel with its own filters."""
    if x.ndim == 3:
        y: _Array = depthwise_conv2d(
            x[None],
            weight,
            bias,
            stride=stride,
            padding=padding,
            dilation=dilation,
            activation=activation,
            x_quantization=x_quantization,
            weight_quantization=weight_quantization,
            quantization=quantization,
        )[0]
        return y
    w = weight if weight.ndim == 4 else weight[..., None]
    kh, kw, channels, multiplier = w.shape
    zero = np.broadcast_to(np.asarray(weight_quantization.zero_point), channels * multiplier)
    w = w.reshape(kh * kw, channels, multiplier).astype(np.int64)
    w = w - zero.reshape(channels, multiplier)
    taps = _windows(_less_zero(x, x_quantization), (kh, kw), stride, padding, dilation)
    x_scale = np.broadcast_to(np.asarray(x_quantization.scale, _F32), channels)
    unit = np.repeat(x_scale, multiplier) * np.asarray(weight_quantization.scale, _F32)
    shape = (*taps[0].shape[:3], channels * multiplier)
    sums = np.zeros(shape, np.int64) + _bias(bias, unit, channels * multiplier)
    for tap, filters in zip(taps, w, strict=True):
        sums += (tap[..., None] * filters).reshape(shape)
    return _finish(sums, unit, activation, quantization, None, None)


def conv2d(
    x: _Array,
    weight: _Array,
    bias: _Array | None = None,
    *,
    stride: Any = 1,
    padding: Any = "same",
    dilation: Any = 1,
    groups: int = 1,
    activation: Any = None,
    residual: _Array | None = None,
    x_quantization: _Quantization,
    weight_quantization: _Quantization,
    quantization: _Quantization | None = None,
    residual_quantization: _Quantization | None = None,
) -> _Array:
    """Convolve over all channels of each group."""
    batch = x if x.ndim == 4 else x[None]
    kh, kw, depth, out = weight.shape
    zero = np.broadcast_to(np.asarray(weight_quantization.zero_point), out)
    w = (weight.astype(np.int64) - zero).reshape(kh * kw, depth, out)
    unit = np.broadcast_to(
        _F32(x_quantization.scale) * np.asarray(weight_quantization.scale, _F32), out
    )
    taps = _windows(_less_zero(batch, x_quantization), (kh, kw), stride, padding, dilation)
    sums = np.zeros((*taps[0].shape[:3], out), np.int64) + _bias(bias, unit, out)
    size = out // groups
    for tap, filters in zip(taps, w, strict=True):
        for g in range(groups):
            part = slice(g * size, (g + 1) * size)
            # Sums stay far below 2**53: exact in float64.
            inputs = tap[..., g * depth : (g + 1) * depth].astype(np.float64)
            sums[..., part] += (inputs @ filters[:, part].astype(np.float64)).astype(np.int64)
    sums = sums if x.ndim == 4 else sums[0]
    return _finish(sums, unit, activation, quantization, residual, residual_quantization)


def pointwise_conv2d(
    x: _Array, weight: _Array, bias: _Array | None = None, **options: Any
) -> _Array:
    """Multiply every pixel's channels by a matrix."""
    return conv2d(x, weight.reshape(1, 1, *weight.shape[-2:]), bias, **options)


def separable_conv2d(
    x: _Array,
    depthwise_weight: _Array,
    weight: _Array,
    depthwise_bias: _Array | None = None,
    bias: _Array | None = None,
    *,
    stride: Any = 1,
    padding: Any = "same",
    dilation: Any = 1,
    depthwise_activation: Any = None,
    x_quantization: _Quantization,
    depthwise_weight_quantization: _Quantization,
    depthwise_quantization: _Quantization,
    **last: Any,
) -> _Array:
    """Convolve depthwise, then pointwise."""
    y = depthwise_conv2d(
        x,
        depthwise_weight,
        depthwise_bias,
        stride=stride,
        padding=padding,
        dilation=dilation,
        activation=depthwise_activation,
        x_quantization=x_quantization,
        weight_quantization=depthwise_weight_quantization,
        quantization=depthwise_quantization,
    )
    return pointwise_conv2d(y, weight, bias, x_quantization=depthwise_quantization, **last)


def inverted_residual(
    x: _Array,
    expand_weight: _Array,
    depthwise_weight: _Array,
    weight: _Array,
    expand_bias: _Array | None = None,
    depthwise_bias: _Array | None = None,
    bias: _Array | None = None,
    *,
    expand_activation: Any = None,
    x_quantization: _Quantization,
    expand_weight_quantization: _Quantization,
    expand_quantization: _Quantization,
    **others: Any,
) -> _Array:
    """Expand, convolve depthwise, project."""
    y = pointwise_conv2d(
        x,
        expand_weight,
        expand_bias,
        activation=expand_activation,
        x_quantization=x_quantization,
        weight_quantization=expand_weight_quantization,
        quantization=expand_quantization,
    )
    return separable_conv2d(
        y,
        depthwise_weight,
        weight,
        depthwise_bias,
        bias,
        x_quantization=expand_quantization,
        **others,
    )
