"""Operators that make larger images, or pixels of channels."""

from __future__ import annotations

import struct

import numpy as np

from ...errors import InvalidModelError
from ..importing.values import Value
from ..sizes import LARGEST_SIZE
from .call import Call, operator
from .convolution import Pair, around, bias_of, filters_of, image_size, is_valid, pair_of


@operator("TRANSPOSE_CONV")
def transpose_conv(call: Call) -> Value:
    """Import a transposed convolution; filters are (out, KH, KW, in)."""
    sizes = call.ints(0, "output shape")
    if len(sizes) != 4:
        raise InvalidModelError(f"output shape: need four sizes, got {sizes}")
    stride = pair_of(call, "stride_h", "stride_w")
    valid = is_valid(call)
    return call.activated(_transposed(call, 2, 3, stride, (sizes[1], sizes[2]), valid))


@operator("Convolution2DTransposeBias")
def transpose_conv_bias(call: Call) -> Value:
    """Import MediaPipe's transposed convolution with a bias."""
    custom = call.option("custom", b"")
    if len(custom) < 12:
        raise InvalidModelError(f"need 12 bytes of options, got {len(custom)}")
    padding, stride_w, stride_h = struct.unpack_from("<3i", custom)
    stride = (stride_h, stride_w)
    if padding not in (1, 2) or any(not 1 <= s <= LARGEST_SIZE for s in stride):
        raise InvalidModelError(f"its options are {(padding, stride_w, stride_h)}")
    valid, kernel = padding == 2, filters_of(call, 1).shape[1:3]
    rows, columns = (
        (n - 1) * s + k if valid else n * s
        for n, s, k in zip(image_size(call), stride, kernel, strict=True)
    )
    return _transposed(call, 0, 2, stride, (rows, columns), valid)


def _transposed(call: Call, x: int, bias: int, stride: Pair, wanted: Pair, valid: bool) -> Value:
    weight = np.ascontiguousarray(filters_of(call, 1).transpose(1, 2, 3, 0))
    sides: list[int] = []
    extra: list[int] = []
    for axis, size in enumerate(image_size(call, x)):
        total = (size - 1) * stride[axis] + weight.shape[axis] - wanted[axis]
        if valid and total > 0:
            raise InvalidModelError(f"output shape: {wanted} is less than all of the output")
        sides += around(max(total, 0))
        extra.append(max(-total, 0))
    return call.builder.emit(
        "conv_transpose",
        [call.value(x)],
        {"weight": weight, "bias": bias_of(call, bias, weight.shape[3])},
        stride=stride,
        dilation=(1, 1),
        padding=(sides[0], sides[1], sides[2], sides[3]),
        output_padding=(extra[0], extra[1]),
        groups=1,
        activation=None,
    )


@operator("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR")
def resize(call: Call) -> Value:
    """Import a resize to a constant size."""
    before, size = image_size(call), call.ints(1, "size")
    if len(size) != 2 or any(not 1 <= n <= LARGEST_SIZE for n in size):
        raise InvalidModelError(f"size: need two sizes, got {size}")
    nearest = call.type == "RESIZE_NEAREST_NEIGHBOR"
    corners, centers = call.option("align_corners", False), call.option("half_pixel_centers", False)
    coordinates = "align_corners" if corners else "half_pixel" if centers else "asymmetric"
    rounded = corners or centers  # half a pixel goes up
    return call.builder.emit(
        "resize",
        [call.value(0)],
        function="nearest" if nearest else "linear",
        size=(size[0], size[1]),
        scale=(size[0] / before[0], size[1] / before[1]),
        coordinates=coordinates,
        rounding="round_prefer_ceil" if rounded else "floor",
    )


@operator("DEPTH_TO_SPACE", "SPACE_TO_DEPTH")
def depth_to_space(call: Call) -> Value:
    """Import the exchange of channels and pixels as reshape, transpose, reshape."""
    build, x = call.builder, call.value(0)
    (h, w), block, c = image_size(call), call.option("block_size", 0), call.shape()[3] or 0
    deep = call.type == "DEPTH_TO_SPACE"
    if not 1 <= block <= LARGEST_SIZE or (c % (block * block) if deep else h % block or w % block):
        raise InvalidModelError(f"block_size: {block} does not fit {call.shape()}")
    if deep:
        inner = c // (block * block)
        y = build.reshape(x, (0, h, w, block, block, inner))
        y = build.transpose(y, (0, 1, 3, 2, 4, 5))
        return build.reshape(y, (0, h * block, w * block, inner))
    y = build.reshape(x, (0, h // block, block, w // block, block, c))
    y = build.transpose(y, (0, 1, 3, 2, 4, 5))
    return build.reshape(y, (0, h // block, w // block, c * block * block))
