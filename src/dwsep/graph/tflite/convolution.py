"""Convolutions, fully connected layers and pools."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import InvalidModelError
from ..importing.compositions import dense, reshaped
from ..importing.values import Known, Unsupported, Value, scales_along, shape_of
from ..ir import Array
from ..sizes import LARGEST_SIZE
from .call import Call, core_quantization, operator

Pair = tuple[int, int]
Padding = tuple[int, int, int, int]
_SAME, _VALID = 0, 1


def image_size(call: Call, index: int = 0) -> Pair:
    """Return (H, W) of an input, which must be an image."""
    shape = call.shape(index)
    if len(shape) != 4 or None in shape[1:]:
        raise Unsupported(f"need an image (N, H, W, C), its input has shape {shape}")
    return shape[1] or 0, shape[2] or 0


def pair_of(call: Call, rows: str, columns: str, default: int | None = None) -> Pair:
    pair = call.option(rows, default), call.option(columns, default)
    if not 1 <= min(pair) <= max(pair) <= LARGEST_SIZE:
        raise InvalidModelError(f"{rows}, {columns}: need numbers of at least 1, got {pair}")
    return pair


def around(total: int) -> Pair:
    """Return the padding before and after; the odd pixel is after."""
    return total // 2, total - total // 2


def _padding(call: Call, kernel: Pair, stride: Pair, dilation: Pair) -> Padding:
    if "sides" in call.options:  # see `dilations`
        top, bottom, left, right = call.options["sides"]
        return top, bottom, left, right
    if is_valid(call):
        return 0, 0, 0, 0
    sides: list[int] = []
    for size, k, s, d in zip(image_size(call), kernel, stride, dilation, strict=True):
        sides += around(max((math.ceil(size / s) - 1) * s + (k - 1) * d + 1 - size, 0))
    return sides[0], sides[1], sides[2], sides[3]


def is_valid(call: Call) -> bool:
    padding = call.option("padding", _SAME)
    if padding not in (_SAME, _VALID):
        raise InvalidModelError(f"padding: need {_SAME} or {_VALID}, got {padding}")
    return bool(padding == _VALID)


def bias_of(call: Call, index: int, channels: int) -> Array:
    bias = call.weight(index, "bias") if call.has(index) else np.zeros(channels, np.float32)
    if bias.shape != (channels,):
        raise InvalidModelError(f"bias: need shape ({channels},), got {bias.shape}")
    return bias


def _scales(call: Call, axis: int) -> dict[str, Any]:
    """Return what the integers of the weights stand for."""
    tensor = call.tensors[1]
    return {} if tensor is None else scales_along(core_quantization(tensor), axis)


def filters_of(call: Call, index: int) -> Array:
    filters = call.weight(index, "weights")
    if filters.ndim != 4 or 0 in filters.shape:
        raise InvalidModelError(f"weights: need four axes, got shape {filters.shape}")
    return filters


@operator("CONV_2D", "DEPTHWISE_CONV_2D")
def conv(call: Call) -> Value:
    """Import a convolution; filters are (out, KH, KW, in / groups), depthwise (1, KH, KW, out)."""
    filters, (_, _, _, channels) = filters_of(call, 1), (*call.shape(), *[None] * 4)[:4]
    image_size(call)
    axis = 0  # of the output channels
    if call.type == "DEPTHWISE_CONV_2D":
        if filters.shape[0] != 1 or filters.shape[3] % (channels or 1):
            raise InvalidModelError(f"weights {filters.shape} do not fit {channels} channels")
        groups, weight = channels or 1, filters.transpose(1, 2, 0, 3)
        axis = 3
    else:
        if (channels or 0) % filters.shape[3]:
            raise InvalidModelError(f"weights {filters.shape} do not fit {channels} channels")
        groups, weight = (channels or 0) // filters.shape[3], filters.transpose(1, 2, 3, 0)
    kernel, stride = (weight.shape[0], weight.shape[1]), pair_of(call, "stride_h", "stride_w")
    dilation = pair_of(call, "dilation_h_factor", "dilation_w_factor", 1)
    y = call.builder.emit(
        "conv",
        [call.value(0)],
        {
            "weight": weight,
            "bias": bias_of(call, 2, weight.shape[3]),
            **_scales(call, axis),
        },
        stride=stride,
        dilation=dilation,
        padding=_padding(call, kernel, stride, dilation),
        groups=groups,
        activation=None,
    )
    return call.activated(y)


@operator("FULLY_CONNECTED")
def fully_connected(call: Call) -> Value:
    """Import a product with a matrix (out, in)."""
    if call.option("weights_format", 0) != 0:
        raise Unsupported("its weights are shuffled")
    build, x, weights = call.builder, call.operand(0), call.value(1)
    taken = shape_of(weights)[-1] if shape_of(weights) else 0
    shape = call.shape()
    if not call.option("keep_num_dims", False) and (len(shape) != 2 or shape[1] != taken):
        x = reshaped(build, x, [-1, taken or 1])
    if isinstance(weights, Known):
        matrix = call.weight(1, "weights")
        if matrix.ndim != 2:
            raise InvalidModelError(f"weights: need a matrix, got shape {matrix.shape}")
        y = dense(build, x, matrix.T, bias_of(call, 2, matrix.shape[0]), _scales(call, 0))
    else:
        y = build.emit("matmul", [x, build.transpose(weights, (1, 0))])
        y = build.binary("add", y, call.value(2)) if call.has(2) else y
    return call.activated(y)


@operator("BATCH_MATMUL")
def batch_matmul(call: Call) -> Value:
    """Import a product of computed matrices."""
    values = []
    for index, name in enumerate(("adj_x", "adj_y")):
        value, rank = call.real(index), len(call.shape(index))
        if call.option(name, False):
            value = call.builder.transpose(value, (*range(rank - 2), rank - 1, rank - 2))
        values.append(value)
    if isinstance(values[1], Known) and values[1].array.ndim == 2:
        return dense(call.builder, values[0], values[1].array)
    return call.builder.emit("matmul", values)


@operator("AVERAGE_POOL_2D", "MAX_POOL_2D")
def pool(call: Call) -> Value:
    """Import a pool; a mean never counts the padding."""
    kernel = pair_of(call, "filter_height", "filter_width")
    stride = pair_of(call, "stride_h", "stride_w")
    average = call.type == "AVERAGE_POOL_2D"
    counted: dict[str, Any] = {"include_padding": False} if average else {}
    if average and call.tensors[0] is not None and call.tensors[0].type in ("int8", "uint8"):
        counted["ties"] = "away"
    y = call.builder.emit(
        "pool",
        [call.value(0)],
        function="average" if average else "max",
        kernel=kernel,
        stride=stride,
        dilation=(1, 1),
        padding=_padding(call, kernel, stride, (1, 1)),
        **counted,
    )
    return call.activated(y)
