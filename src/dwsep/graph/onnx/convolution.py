"""Convolutions, transposed convolutions and batch normalization."""

from __future__ import annotations

import numpy as np

from ...errors import InvalidModelError
from ..importing.values import Computed, Known, Unsupported, Value, shape_of, weight_scales
from ..ir import Array
from ..sizes import LARGEST_SIZE, Shape
from .call import Call
from .registry import operator

Pair = tuple[int, int]
Padding = tuple[int, int, int, int]


def spatial_axes(call: Call) -> int:
    """Return 2 if the first input is an image (N, C, H, W), 1 if it is a sequence (N, C, W)."""
    rank = len(call.shape())
    if rank not in (3, 4):
        raise Unsupported(
            f"only images (4 axes) and sequences (3 axes) are supported, its input has {rank}"
        )
    return rank - 2


def image(call: Call) -> Value:
    """Return the first input as an image; a sequence is one of a single row."""
    x = call.value(0)
    if spatial_axes(call) == 2:
        return x
    return call.builder.reshape(x, (0, 0, 1, call.shape()[2] or 0))


def like_input(call: Call, y: Value) -> Value:
    """Return an image that was made of the first input with as many axes as that has."""
    if spatial_axes(call) == 2:
        return y
    return call.builder.reshape(y, (0, 0, shape_of(y)[3] or 0))


def image_size(call: Call) -> Pair:
    """Return (H, W) of the first input as an image."""
    sizes = (1, *call.shape()[2:])[-2:] if spatial_axes(call) == 1 else call.shape()[2:]
    h, w = sizes
    if h is None or w is None:
        raise Unsupported("its input has the batch where an image has rows or columns")
    return h, w


def pair(call: Call, name: str, default: int, least: int = 1) -> Pair:
    """Return an attribute of a number for each spatial axis; the row of a sequence gets `least`."""
    axes = spatial_axes(call)
    value = call.attribute(name, [default] * axes)
    if len(value) != axes or any(not least <= n <= LARGEST_SIZE for n in value):
        count = ("one number", "two numbers")[axes - 1]
        raise InvalidModelError(f"{name}: need {count} of at least {least}, got {value}")
    return (value[0], value[1]) if axes == 2 else (least, value[0])


def pads(call: Call) -> Padding:
    """Return the attribute as (top, bottom, left, right)."""
    axes = spatial_axes(call)
    value = call.attribute("pads", [0] * 2 * axes)
    if len(value) != 2 * axes or any(not 0 <= n <= LARGEST_SIZE for n in value):
        count = ("two", "four")[axes - 1]
        raise InvalidModelError(f"pads: need {count} numbers of at least 0, got {value}")
    if axes == 1:
        return 0, 0, value[0], value[1]
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
        total = max((-(-size // s) - 1) * s + (k - 1) * d + 1 - size, 0)
        sides += split(total, mode)
    return sides[0], sides[1], sides[2], sides[3]


def split(total: int, mode: str) -> Pair:
    """Return padding (before, after); the odd pixel is after for SAME_UPPER."""
    less = total // 2
    return (less, total - less) if mode != "SAME_LOWER" else (total - less, less)


def _checked_filters(call: Call, shape: Shape) -> tuple[int, ...]:
    """Return the shape of the weights, which must fit the input's axes and the attributes."""
    axes = spatial_axes(call)
    if len(shape) != 2 + axes:
        raise InvalidModelError(
            f"weights: need {2 + axes} axes, as many as its input has, got shape {shape}"
        )
    image_size(call)
    kernel = call.attribute("kernel_shape", list(shape[2:]))
    if None in shape:
        raise Unsupported("its weights have the batch for an axis")
    if list(kernel) != list(shape[2:]) or 0 in shape:
        raise InvalidModelError(f"kernel_shape {kernel}, but weights of shape {shape}")
    return tuple(n or 0 for n in shape)


def _groups(call: Call, shape: tuple[int, ...]) -> int:
    groups = int(call.attribute("group", 1))
    if not 1 <= groups <= LARGEST_SIZE or shape[0] % groups:
        raise InvalidModelError(f"group: {groups} does not divide weights {shape}")
    return groups


def _weights(call: Call, groups_of_outputs: int) -> tuple[Array, Array, int]:
    """Return filters as (KH, KW, in, out), the bias and the number of groups."""
    filters = call.weight(1, "weights")
    _checked_filters(call, filters.shape)
    if spatial_axes(call) == 1:
        filters = filters[:, :, np.newaxis]
    groups = _groups(call, filters.shape)
    made = filters.shape[groups_of_outputs] * (groups if groups_of_outputs else 1)
    bias = call.weight(2, "bias") if call.has(2) else np.zeros(made, np.float32)
    if bias.shape != (made,):
        raise InvalidModelError(f"bias: need shape ({made},), got {bias.shape}")
    order = (2, 3, 0, 1) if groups_of_outputs else (2, 3, 1, 0)
    return np.ascontiguousarray(filters.transpose(order)), bias, groups


@operator("Conv")
def conv(call: Call) -> Value:
    """Import a convolution; filters of the file are (out, in / groups, KH, KW)."""
    if isinstance(call.value(1), Computed):
        return _with_computed_filters(call)
    weight, bias, groups = _weights(call, 0)
    stride, dilation = pair(call, "strides", 1), pair(call, "dilations", 1)
    kernel = (weight.shape[0], weight.shape[1])
    y = call.builder.emit(
        "conv",
        [image(call)],
        {"weight": weight, "bias": bias, **weight_scales(call.value(1), 0)},
        stride=stride,
        dilation=dilation,
        padding=window_padding(call, kernel, stride, dilation),
        groups=groups,
        activation=None,
    )
    return like_input(call, y)


def _with_computed_filters(call: Call) -> Value:
    from .computed_filters import Taps, convolved

    build, filters, axes = call.builder, call.value(1), spatial_axes(call)
    shape = _checked_filters(call, shape_of(filters))
    if axes == 1:
        shape = (*shape[:2], 1, shape[2])
        filters = build.reshape(filters, shape)
    stride, dilation = pair(call, "strides", 1), pair(call, "dilations", 1)
    kernel = (shape[2], shape[3])
    padding = window_padding(call, kernel, stride, dilation)
    x = image(call)
    if any(padding):
        top, bottom, left, right = padding
        before, after = (0, 0, top, left), (0, 0, bottom, right)
        x = build.emit("pad", [x], mode="constant", value=0.0, before=before, after=after)
    y = convolved(Taps(build, x, kernel, stride, dilation), filters, _groups(call, shape))
    if call.has(2):
        if call.shape(2) != shape[:1]:
            raise InvalidModelError(f"bias: need shape {shape[:1]}, got {call.shape(2)}")
        y = build.binary("add", y, build.reshape(call.value(2), (1, shape[0], 1, 1)))
    return like_input(call, y)


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
        sizes = [*wanted][-spatial_axes(call) :]
        sizes = [1] * (2 - len(sizes)) + sizes
        padding, extra = _padding_for(call, weight, stride, dilation, extra, sizes)
    y = call.builder.emit(
        "conv_transpose",
        [image(call)],
        {"weight": weight, "bias": bias},
        stride=stride,
        dilation=dilation,
        padding=padding,
        output_padding=extra,
        groups=groups,
        activation=None,
    )
    return like_input(call, y)


def _padding_for(
    call: Call, weight: Array, stride: Pair, dilation: Pair, extra: Pair, wanted: list[int]
) -> tuple[Padding, Pair]:
    """Return the padding and output padding that give an output of the wanted size."""
    mode = auto_pad(call)
    sides: list[int] = []
    more = list(extra)
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
    """Import a batch normalization as one scale and one shift for each channel.

    In training mode constants alone: layers that standardize their weights are exported so.
    """
    x, training = call.value(0), call.flag("training_mode", False)
    if any(call.outputs[1:]) or (training and isinstance(x, Computed)):
        raise Unsupported("it is in training mode")
    if not call.flag("spatial", True):
        raise Unsupported("spatial 0 is not supported")
    names = ("scale", "bias", "mean", "variance")
    shape = call.shape()
    gamma, beta, mean, variance = (
        np.asarray(call.weight(i, name), np.float64) for i, name in enumerate(names, start=1)
    )
    if training and len(shape) >= 2:
        array = call.weight(0, "input").astype(np.float64)
        call.builder.charge(shape)
        others = (0, *range(2, len(shape)))
        mean, variance = array.mean(others), array.var(others)
    for name, array in zip(names, (gamma, beta, mean, variance), strict=True):
        if len(shape) < 2 or array.shape != (shape[1],):
            raise InvalidModelError(f"{name}: shape {array.shape} does not fit the input")
    epsilon = call.number("epsilon", 1e-5)
    # A quantized network rounds next: in float32 like onnxruntime, lest it decide ties otherwise.
    narrow = call.builder.graph.zero_first
    with np.errstate(all="ignore"):
        scale = gamma / np.sqrt(variance + epsilon)
        if narrow:
            root = np.sqrt(variance.astype(np.float32) + np.float32(epsilon))
            scale = gamma.astype(np.float32) * (1 / root)
            beta, mean = beta.astype(np.float32), mean.astype(np.float32)
        shift = beta - mean * scale
        weights = {"scale": scale.astype(np.float32), "shift": shift.astype(np.float32)}
    if isinstance(x, Computed):
        return call.builder.emit("batch_norm", [x], weights)
    factor, term = (Known(w.reshape(-1, *[1] * (len(shape) - 2))) for w in weights.values())
    return call.builder.binary("add", call.builder.binary("mul", x, factor), term)
