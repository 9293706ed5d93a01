"""Resizing of images."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import InvalidModelError
from ..importing.symbols import Dim
from ..importing.values import Unsupported, Value
from ..open_numbers import scaled
from ..sizes import LARGEST_SIZE, plain
from .antialias import antialiased
from .call import Call
from .convolution import image, image_size, like_input, spatial_axes
from .registry import operator

_COORDINATES = ("half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners")
_ROUNDINGS = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")


@operator("Upsample")
def upsample(call: Call) -> Value:
    """Import the operator that Resize has replaced."""
    every = list(range(2 + spatial_axes(call)))
    if call.opset >= 9:
        scales = _numbers(call, 1)
    else:
        scales = [float(s) for s in call.attribute("scales", ...)]
    size, scale = _size(call, scales, None, every)
    return _emit(call, str(call.attribute("mode", "nearest")), size, scale, "asymmetric", "floor")


@operator("Resize")
def resize(call: Call) -> Value:
    """Import a resize of rows and columns."""
    height, width = image_size(call)
    every = list(range(2 + spatial_axes(call)))
    mode = str(call.attribute("mode", "nearest"))
    if call.opset < 11:  # one way to find the pixel, and rounding that depends on the direction
        size, scale = _size(call, _numbers(call, 1), None, every)
        down = min(scale) < 1
        if down and max(scale) > 1 and mode == "nearest":
            raise Unsupported("it makes one side smaller and the other larger, rounding apart")
        return _emit(call, mode, size, scale, "asymmetric", "ceil" if down else "floor")
    _refuse_variants(call)
    axes = call.axes("axes", call.attribute("axes", every), len(every))
    sizes = call.sizes(3, "sizes") if call.has(3) and call.known(3, "sizes").size else None
    scales = _numbers(call, 2) if sizes is None else None
    if call.has(2) and sizes is not None and call.known(2, "scales").size:
        raise InvalidModelError("it has scales and sizes")
    size, scale = _size(call, scales, sizes, axes)
    coordinates = str(call.attribute("coordinate_transformation_mode", "half_pixel"))
    rounding = str(call.attribute("nearest_mode", "round_prefer_floor"))
    if coordinates == "half_pixel_symmetric" and (
        sizes is not None or _is_whole(scale, (height, width), size)
    ):
        coordinates = "half_pixel"  # they differ by what a size lacks of its scale
    if (coordinates, mode, rounding) == ("tf_half_pixel_for_nn", "nearest", "floor"):
        coordinates, rounding = "half_pixel", "round_prefer_ceil"  # the same pixels
    blurs = call.flag("antialias", False) and mode != "nearest"
    if blurs and (size[0] < height or size[1] < width):
        y = antialiased(call.builder, image(call), mode, coordinates, size, scale)
        return like_input(call, y)
    return _emit(call, mode, size, scale, coordinates, rounding)


def _refuse_variants(call: Call) -> None:
    if call.flag("exclude_outside", False) and call.attribute("mode", "nearest") == "cubic":
        raise Unsupported("exclude_outside is not supported")
    if abs(float(call.attribute("cubic_coeff_a", -0.75)) + 0.75) > 1e-6:
        raise Unsupported("cubic_coeff_a is supported at -0.75 only")
    if call.attribute("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise Unsupported("keep_aspect_ratio_policy is supported as 'stretch' only")


def _is_whole(scale: tuple[float, float], size: tuple[int, int], to: tuple[int, int]) -> bool:
    """Return whether scales lead to integer sizes, in the float32 that a file has."""
    return all(np.float32(s) * np.float32(n) == t for s, n, t in zip(scale, size, to, strict=True))


def _numbers(call: Call, index: int) -> list[float]:
    array = call.known(index, "scales")
    if array.dtype != np.float32 or array.ndim != 1 or array.size > 8:
        raise InvalidModelError(f"scales: need floats, got {array.dtype} {array.shape}")
    return [float(s) for s in array]


def _size(
    call: Call, scales: list[float] | None, sizes: list[Any] | None, axes: list[int]
) -> tuple[tuple[int, int], tuple[float, float]]:
    """Return the output's (H, W) and the scales of both."""
    given: list[Any] = list(sizes if sizes is not None else scales or [])
    if len(given) != len(axes):
        raise InvalidModelError(f"need a size or scale for each of {len(axes)} axes, got {given}")
    shape = call.shape()
    first = 4 - len(shape)  # of the image's spatial axes that the input has
    size, scale = list(image_size(call)), [1.0, 1.0]
    for axis, n in zip(axes, given, strict=True):
        if axis < 2:
            same = Dim(1) if shape[axis] is None else shape[axis]
            if not (n == same if sizes is not None else n == 1.0):
                raise Unsupported(f"it resizes axis {axis}, which is not rows or columns")
            continue
        spatial = axis - 2 + first
        before = size[spatial]
        if sizes is not None:
            if not isinstance(n, int):
                raise Unsupported("its size depends on the batch")
            size[spatial], scale[spatial] = n, n / before
        else:
            if not (math.isfinite(n) and 0 < n * plain(before) <= LARGEST_SIZE):
                raise InvalidModelError(f"scales: {n} is no scale for {before} pixels")
            # a scale such as 1.3 is a float32: its product is meant, not that of its digits
            size[spatial], scale[spatial] = scaled(before, n), n
    return (size[0], size[1]), (scale[0], scale[1])


def _emit(
    call: Call,
    mode: str,
    size: tuple[int, int],
    scale: tuple[float, float],
    coordinates: str,
    rounding: str,
) -> Value:
    mode = "linear" if mode == "bilinear" else mode
    for name, value, known in (
        ("mode", mode, ("nearest", "linear", "cubic")),
        ("coordinate_transformation_mode", coordinates, _COORDINATES),
        ("nearest_mode", rounding, _ROUNDINGS),
    ):
        if value not in known:
            raise Unsupported(f"{name} {value!r} is not supported")
    y = call.builder.emit(
        "resize",
        [image(call)],
        function=mode,
        size=size,
        scale=scale,
        coordinates=coordinates,
        rounding=rounding,
    )
    return like_input(call, y)
