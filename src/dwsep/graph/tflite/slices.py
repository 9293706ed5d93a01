"""Operators that take parts of a value, put values side by side, or repeat one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import InvalidModelError
from ..importing.compositions import reshaped, size_of
from ..importing.moving import Parts, expanded, gathered, sizes_with, sliced, tiled
from ..importing.symbols import Dim
from ..importing.values import Computed, Known, Unsupported, Value
from ..sizes import LARGEST_SIZE
from .call import Call, operator


@operator("PACK")
def pack(call: Call) -> Value:
    """Import a concatenation along a new axis."""
    build, shape = call.builder, call.shape()
    axis = call.axis(call.option("axis", 0), len(shape) + 1)
    sizes = [size_of(shape, i) for i in range(len(shape))]
    sizes.insert(axis, 1)
    values = [reshaped(build, call.real(i), sizes) for i in range(len(call.inputs))]
    return values[0] if len(values) == 1 else build.emit("concat", values, axis=axis)


@operator("UNPACK")
def unpack(call: Call) -> list[Value | None]:
    """Import a slice for each index of an axis, without the axis."""
    build, x, shape = call.builder, call.value(0), call.shape()
    axis = call.axis(call.option("axis", 0), len(shape))
    if shape[axis] != len(call.outputs):
        raise InvalidModelError(f"{len(call.outputs)} outputs for an axis of {shape[axis]}")
    results: list[Value | None] = []
    for index, name in enumerate(call.outputs):
        part = sliced(build, x, {axis: (index, index + 1, 1)}) if name else None
        results.append(None if part is None else reshaped(build, part, sizes_with(part, axis, [])))
    return results


@operator("SPLIT", "SPLIT_V")
def split(call: Call) -> list[Value | None]:
    """Import a slice for each output that is read."""
    by_sizes = call.type == "SPLIT_V"
    data, axis_input = (0, 2) if by_sizes else (1, 0)
    axes, shape, parts = call.ints(axis_input, "axis"), call.shape(data), len(call.outputs)
    if len(axes) != 1:
        raise InvalidModelError(f"axis: need one, got {axes}")
    axis = call.axis(axes[0], len(shape))
    size = shape[axis]
    if size is None:
        raise Unsupported("it splits the batch, whose size is unknown")
    sizes = call.ints(1, "sizes") if by_sizes else [size // max(parts, 1)] * parts
    if sizes.count(-1) == 1:
        sizes[sizes.index(-1)] = size - sum(n for n in sizes if n != -1)
    least = 0 if isinstance(call.value(data), Known) else 1
    if len(sizes) != parts or sum(sizes) != size or min(sizes) < least:
        raise InvalidModelError(f"sizes: {sizes} for {parts} outputs and {size} elements")
    results: list[Value | None] = []
    start = 0
    for name, n in zip(call.outputs, sizes, strict=True):
        part: Parts = {axis: (start, start + n, 1)}
        whole = call.value(data)
        if isinstance(whole, Known):
            places = (slice(None),) * axis + (slice(start, start + n),)
            results.append(Known(whole.array[places]))
        else:
            results.append(sliced(call.builder, whole, part) if name else None)
        start += n
    return results


@operator("REVERSE_V2")
def reverse(call: Call) -> Value:
    """Import a slice that goes backwards."""
    shape = call.shape()
    axes = [call.axis(n, len(shape)) for n in call.ints(1, "axis")]
    if any(shape[axis] is None for axis in axes):
        raise Unsupported("it reverses the batch, whose size is unknown")
    return sliced(call.builder, call.value(0), {axis: (-1, None, -1) for axis in axes})


@operator("SLICE")
def slice_(call: Call) -> Value:
    """Import a slice by where it begins and its size, -1 for the rest."""
    shape, begins, sizes = call.shape(), call.ints(1, "begin"), call.sizes(2, "size")
    if not len(begins) == len(sizes) == len(shape):
        raise InvalidModelError(f"begin and size: need {len(shape)}, got {begins} and {sizes}")
    parts: Parts = {}
    for axis, (begin, n, size) in enumerate(zip(begins, sizes, shape, strict=True)):
        if size is None:
            whole = n == Dim(1) if isinstance(n, Dim) else n == -1
            if begin or not whole:
                raise Unsupported("it takes a part of the batch, whose size is unknown")
            continue
        if isinstance(n, Dim):
            raise Unsupported("its size depends on the batch")
        end = size if n == -1 else begin + n
        if not 0 <= begin < end <= size:
            raise InvalidModelError(f"begin and size: {begin} and {n} do not fit {size}")
        parts[axis] = (begin, end, 1)
    return sliced(call.builder, call.value(0), parts)


@operator("STRIDED_SLICE")
def strided_slice(call: Call) -> Value:
    """Import Python's slices; masks say which bounds are open and which axes are dropped."""
    build, x, shape = call.builder, call.value(0), call.shape()
    parts, dropped = strided_parts(call, shape)
    part = sliced(build, x, parts)
    sizes = [size_of(call.shape(), i) for i in range(len(shape))]
    for axis, (start, stop, step) in parts.items():
        sizes[axis] = len(range(*slice(start, stop, step).indices(shape[axis] or 0)))
        if sizes[axis] < 1:
            raise InvalidModelError(f"it takes nothing of axis {axis}")
    kept = [n for axis, n in enumerate(sizes) if axis not in dropped]
    return reshaped(build, part, kept) if dropped else part


def strided_parts(call: Call, shape: tuple[Any, ...]) -> tuple[Parts, set[int]]:
    """Return the parts of a STRIDED_SLICE and the axes that it drops."""
    begins, ends = call.sizes(1, "begin"), call.sizes(2, "end")
    strides = call.ints(3, "strides")
    masks = {name: call.option(f"{name}_mask", 0) for name in ("begin", "end", "shrink_axis")}
    if call.option("ellipsis_mask", 0) or call.option("new_axis_mask", 0):
        raise Unsupported("its masks of ellipses and new axes are not supported")
    if not len(begins) == len(ends) == len(strides) <= len(shape):
        raise InvalidModelError(f"begin, end, strides: {begins}, {ends} and {strides} do not fit")
    parts: Parts = {}
    dropped: set[int] = set()
    for axis, (begin, end, stride) in enumerate(zip(begins, ends, strides, strict=True)):
        size, bit = shape[axis], 1 << axis
        if stride == 0 or abs(stride) > LARGEST_SIZE:
            raise InvalidModelError(f"strides: {strides}")
        if not isinstance(size, int):
            if not (masks["begin"] & bit or begin == 0) or stride != 1:
                raise Unsupported("it takes a part of the batch, whose size is unknown")
            if masks["shrink_axis"] & bit or not (masks["end"] & bit or end == Dim(1)):
                raise Unsupported("it takes a part of the batch, whose size is unknown")
            continue
        if isinstance(begin, Dim) or isinstance(end, Dim):
            raise Unsupported("its bounds depend on the batch")
        if masks["shrink_axis"] & bit:
            if masks["begin"] & bit:  # as LiteRT has it
                begin = 0 if stride > 0 else -1
            index = begin + size if begin < 0 else begin
            if not 0 <= index < size:
                raise InvalidModelError(f"begin: {begin} is outside of {size}")
            parts[axis] = (index, index + 1, 1)
            dropped.add(axis)
            continue
        start = None if masks["begin"] & bit else begin
        stop = None if masks["end"] & bit else end
        first, last, _ = slice(start, stop, stride).indices(size)
        parts[axis] = (first, None if last < 0 else last, stride)
    return parts, dropped


@operator("GATHER")
def gather(call: Call) -> Value:
    """Import constant indices, or computed ones."""
    shape = call.shape()
    axis = call.axis(call.option("axis", 0), len(shape))
    if call.option("batch_dims", 0):
        raise Unsupported("batch_dims is not supported")
    if isinstance(call.value(1), Computed):
        return call.builder.emit("take", [call.real(0), call.value(1)], axis=axis)
    indices = call.known(1, "indices")
    if shape[axis] is None:
        raise Unsupported("it takes a part of the batch, whose size is unknown")
    if indices.dtype.kind != "i" or indices.size == 0:
        raise Unsupported(f"its indices are {indices.dtype} of shape {indices.shape}")
    return gathered(call.builder, call.value(0), axis, indices)


@operator("TILE")
def tile(call: Call) -> Value:
    """Import a repetition of every axis."""
    return tiled(call.builder, call.value(0), call.ints(1, "multiples"))


@operator("BROADCAST_TO")
def broadcast_to(call: Call) -> Value:
    """Import broadcasting to a shape."""
    return expanded(call.builder, call.value(0), call.sizes(1, "shape"))


@operator("ZEROS_LIKE")
def zeros_like(call: Call) -> Value:
    """Import zeros of the shape of another value."""
    shape, kind = call.shape(), call.results[0].type
    if not all(isinstance(n, int) for n in shape) or kind not in ("float32", "int32", "int64"):
        raise Unsupported(f"zeros of {kind} and shape {shape}")
    call.builder.charge(shape)
    return Known(np.zeros([n or 0 for n in shape], kind))
