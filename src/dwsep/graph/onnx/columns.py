"""Sums of patches that overlap: the opposite of what makes columns of an image."""

from __future__ import annotations

import math

import numpy as np

from ...errors import InvalidModelError
from ..importing.compositions import reshaped
from ..importing.values import Known, Unsupported, Value, shape_of
from .call import Call
from .registry import IMPORTERS, operator


@operator("Col2Im")
def col2im(call: Call) -> Value:
    """Import a transposed convolution: each place of a patch has a filter with one 1."""
    build, shape = call.builder, call.shape()
    image, block = call.ints(1, "image_shape"), call.ints(2, "block_shape")
    if len(image) != len(block) or min(block, default=0) < 1 or len(image) > 2:
        raise Unsupported(f"blocks {block} of an image {image}")
    dilations, strides = (
        call.attribute(name, [1] * len(block)) for name in ("dilations", "strides")
    )
    pads = call.attribute("pads", [0] * 2 * len(block))
    if len({len(dilations), len(strides), len(block)}) != 1 or len(pads) != 2 * len(block):
        raise InvalidModelError(f"dilations, strides, pads: {dilations}, {strides} and {pads}")
    if min(*dilations, *strides) < 1 or len(shape) != 3:
        raise InvalidModelError(f"need (images, values, patches), got {shape}")
    places, rest = math.prod(block), []
    for axis, size in enumerate(image):
        span = dilations[axis] * (block[axis] - 1) + 1
        room = size + pads[axis] + pads[axis + len(block)] - span
        if room < 0:
            raise InvalidModelError(f"image_shape: {image} is less than a patch")
        rest.append(room % strides[axis])
    counts = [
        (n + pads[i] + pads[i + len(block)] - dilations[i] * (block[i] - 1) - 1) // strides[i] + 1
        for i, n in enumerate(image)
    ]
    channels, patches = shape[1] or 0, shape[2] or 0
    if channels % places or math.prod(counts) != patches:
        raise InvalidModelError(f"{shape} has no patches {block} of an image {image}")
    build.charge((channels, places))
    filters = np.tile(np.eye(places, dtype=np.float32), (channels // places, 1))
    attributes = {
        "group": channels // places,
        "dilations": dilations,
        "strides": strides,
        "pads": pads,
        "output_padding": rest,
    }
    x = reshaped(build, call.value(0), [*_batch(call), channels, *counts])
    weight = Known(filters.reshape(channels, 1, *block))
    plain = Call(build, call.name, "ConvTranspose", [x, weight], call.outputs, 11, attributes)
    y: Value = IMPORTERS["ConvTranspose"](plain)
    return y


def _batch(call: Call) -> list[object]:
    from ..importing.compositions import size_of

    return [size_of(shape_of(call.value(0)), 0)]
