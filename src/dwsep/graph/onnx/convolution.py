"""Convolutions, transposed convolutions and batch normalization."""

from __future__ import annotations

import math

import numpy as np

from ...errors import InvalidModelError
from ..importing.unsupported import Unsupported
from ..importing.values import Value
from ..ir import Array
from ..sizes import LARGEST_SIZE
from .call import Call
from .registry import operator

Pair = tuple[int, int]
Padding = tuple[int, int, int, int]


def image_size(call: Call) -> Pair:
    """Return (H, W) of the first input, which must be an image."""
    shape = call.shape()
    if len(shape) != 4:
        raise Unsupported(f"only images (4 axes) are supported, its input has {len(shape)}")
    h, w = shape[2:]
    if h is None or w is None:
        raise Unsupported("its input has the batch where an image has rows or columns")
    return h, w


def pair(call: Call, name: str, default: int, least: int = 1) -> Pair:
    """Return an attribute of two numbers."""
    value = call.attribute(name, [default] * 2)
    if len(value) != 2 or any(not least <= n <= LARGEST_SIZE for n in value):
        raise InvalidModelError(f"{name}: need two numbers of at least {least}, got {value}")
    return value[0], value[1]


def pads(call: Call) -> Padding:
    """Return the attribute as (top, bottom, left, right)."""
    value = call.attribute("pads", [0] * 4)
    if len(value) != 4 or any(not 0 <= n <= LARGEST_SIZE for n in value):
        raise InvalidModelError(f"pads: need four numbers of at least 0, got {value}")
    top, left, bottom, right = value
    return top, bottom, left, right


def auto_pad(call: Call) -> str:
    """Return how padding is given: NOTSET, VALID, SAME_UPPER or SAME_LOWER."""
    value = str(call.attribute("auto_pad", "NOTSET"))
    if value not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise InvalidModelError(f"auto_pad: unknown value {value!r}")
    return value


def window_padding(call: Call, kernel: Pair, stride: Pair, dilation: Pair) -> Padding:
    """Return the padding of a sliding window as numbers."""
    mode = auto_pad(call)
    if mode == "NOTSET":
        return pads(call)
    if mode == "VALID":
        return 0, 0, 0, 0
    sides: list[int] = []
    for size, k, s, d in zip(image_size(call), kernel, stride, dilation, strict=True):
        total = max((math.ceil(size / s) - 1) * s + (k - 1) * d + 1 - size, 0)
        sides += split(total, mode)
    return sides[0], sides[1], sides[2], sides[3]


def split(total: int, mode: str) -> Pair:
    """Return padding (before, after); the odd pixel is after for SAME_UPPER."""
    less = total // 2
    return (less, total - less) if mode != "SAME_LOWER" else (total - less, less)


def _weights(call: Call, groups_of_outputs: int) -> tuple[Array, Array, int]:
    """Return filters as (KH, KW, in, out), the bias and the number of groups."""
    filters = call.weight(1, "weights")
    if filters.ndim != 4:
        raise Unsupported(f"only 2-D convolutions are supported, its weights are {filters.ndim}-D")
    image_size(call)
    kernel = call.attribute("kernel_shape", list(filters.shape[2:]))
    if list(kernel) != list(filters.shape[2:]) or 0 in filters.shape:
        raise InvalidModelError(f"kernel_shape {kernel}, but weights of shape {filters.shape}")
    groups = call.attribute("group", 1)
    if not 1 <= groups <= LARGEST_SIZE or filters.shape[0] % groups:
        raise InvalidModelError(f"group: {groups} does not divide weights {filters.shape}")
    made = filters.shape[groups_of_outputs] * (groups if groups_of_outputs else 1)
    bias = call.weight(2, "bias") if call.has(2) else np.zeros(made, np.float32)
    if bias.shape != (made,):
        raise InvalidModelError(f"bias: need shape ({made},), got {bias.shape}")
    order = (2, 3, 0, 1) if groups_of_outputs else (2, 3, 1, 0)
    return np.ascontiguousarray(filters.transpose(order)), bias, groups


@operator("Conv")
def conv(call: Call) -> Value:
    """Import a convolution; filters of the file are (out, in / groups, KH, KW)."""
    weight, bias, groups = _weights(call, 0)
    stride, dilation = pair(call, "strides", 1), pair(call, "dilations", 1)
    kernel = (weight.shape[0], weight.shape[1])
    return call.builder.emit(
        "conv",
        [call.value(0)],
        {"weight": weight, "bias": bias},
        stride=stride,
        dilation=dilation,
        padding=window_padding(call, kernel, stride, dilation),
        groups=groups,
        activation=None,
    )


@operator("ConvTranspose")
def conv_transpose(call: Call) -> Value:
    """Import a transposed convolution; filters of the file are (in, out / groups, KH, KW)."""
    weight, bias, groups = _weights(call, 1)
    stride, dilation = pair(call, "strides", 1), pair(call, "dilations", 1)
    extra = pair(call, "output_padding", 0, least=0)
    mode = auto_pad(call)
    wanted = call.attribute("output_shape", None)
    if wanted is None and mode in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [n * s for n, s in zip(image_size(call), stride, strict=True)]
    if wanted is None:
        padding = pads(call) if mode == "NOTSET" else (0, 0, 0, 0)
    else:
        padding, extra = _padding_for(call, weight, stride, dilation, extra, list(wanted)[-2:])
    return call.builder.emit(
        "conv_transpose",
        [call.value(0)],
        {"weight": weight, "bias": bias},
        stride=stride,
        dilation=dilation,
        padding=padding,
        output_padding=extra,
        groups=groups,
        activation=None,
    )


def _padding_for(
    call: Call, weight: Array, stride: Pair, dilation: Pair, extra: Pair, wanted: list[int]
) -> tuple[Padding, Pair]:
    """Return the padding and output padding that give an output of the wanted size."""
    mode = auto_pad(call)
    sides: list[int] = []
    more = list(extra)
    if len(wanted) != 2:
        raise InvalidModelError(f"output_shape: need two sizes, got {wanted}")
    for axis, size in enumerate(image_size(call)):
        extent = (weight.shape[axis] - 1) * dilation[axis] + 1
        total = stride[axis] * (size - 1) + extra[axis] + extent - wanted[axis]
        if total < 0:  # pixels that no tap reaches
            more[axis] -= total
            total = 0
        # without SAME_UPPER the odd pixel comes off the front
        sides += split(total, "SAME_UPPER" if mode == "SAME_UPPER" else "SAME_LOWER")
    return (sides[0], sides[1], sides[2], sides[3]), (more[0], more[1])


@operator("BatchNormalization")
def batch_norm(call: Call) -> Value:
    """Import a batch normalization as one scale and one shift for each channel."""
    if call.flag("training_mode", False) or any(call.outputs[1:]):
        raise Unsupported("it is in training mode")
    if not call.flag("spatial", True):
        raise Unsupported("spatial 0 is not supported")
    names = ("scale", "bias", "mean", "variance")
    shape = call.shape()
    gamma, beta, mean, variance = (
        call.weight(i, name).astype(np.float64) for i, name in enumerate(names, start=1)
    )
    for name, array in zip(names, (gamma, beta, mean, variance), strict=True):
        if len(shape) < 2 or array.shape != (shape[1],):
            raise InvalidModelError(f"{name}: shape {array.shape} does not fit the input")
    epsilon = call.number("epsilon", 1e-5)
    with np.errstate(all="ignore"):
        scale = gamma / np.sqrt(variance + epsilon)
        shift = beta - mean * scale
        weights = {"scale": scale.astype(np.float32), "shift": shift.astype(np.float32)}
    return call.builder.emit("batch_norm", [call.value(0)], weights)
