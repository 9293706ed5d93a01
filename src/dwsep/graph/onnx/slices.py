"""Operators that take parts of a value."""

from __future__ import annotations

import numpy as np

from ...errors import InvalidModelError
from ..importing.moving import Parts, gathered, sliced
from ..importing.symbols import Dim, held
from ..importing.values import UNKNOWN, Computed, Unsupported, Value
from .call import Call, part_of
from .registry import operator


@operator("Split")
def split(call: Call) -> list[Value | None]:
    """Import a slice for each output that is read."""
    shape = call.shape()
    axis = call.axis(call.attribute("axis", 0), len(shape))
    size, parts = shape[axis], len(call.outputs)
    if size is None:
        raise Unsupported("it splits the batch, whose size is unknown")
    sizes = call.ints_of("split", 1, 13)
    if sizes is None:
        if call.attribute("num_outputs", parts) != parts:
            raise InvalidModelError("num_outputs: differs from the number of outputs")
        if call.opset < 18 and size % parts:
            raise InvalidModelError(f"{parts} parts do not divide {size}")
        each = -(-size // parts)
        sizes = [each] * (parts - 1) + [size - each * (parts - 1)]
    if len(sizes) != parts or sum(sizes) != size or min(sizes) < 0:
        raise InvalidModelError(f"split: {sizes} for {parts} outputs and {size} elements")
    results: list[Value | None] = []
    start = 0
    for name, n in zip(call.outputs, sizes, strict=True):
        part: Parts = {axis: (start, start + n, 1)}
        results.append(sliced(call.builder, call.value(0), part) if name else None)
        start += n
    return results


@operator("Slice")
def slice_(call: Call) -> Value:
    """Import a slice; where it begins and ends is an attribute before opset 10, input since."""
    shape = call.shape()
    starts = call.ints_of("starts", 1, 10)
    stops = call.sizes(2, "ends") if call.opset >= 10 else call.attribute("ends", None)
    if starts is None or stops is None or len(starts) != len(stops):
        raise InvalidModelError(f"starts and ends: need as many of both, got {starts} and {stops}")
    axes = call.ints_of("axes", 3, 10)
    steps = call.ints(4, "steps") if call.has(4) else [1] * len(starts)
    axes = call.axes("axes", list(range(len(starts))) if axes is None else axes, len(shape))
    if not len(axes) == len(steps) == len(starts):
        raise InvalidModelError("axes and steps: need as many as starts")
    parts: Parts = {}
    for axis, start, stop, step in zip(axes, starts, stops, steps, strict=True):
        if step == 0:
            raise InvalidModelError("steps: need numbers that are not 0")
        size = shape[axis]
        if size is None:
            # all of the batch may be written as up to its size or up to a huge number
            whole = isinstance(stop, Dim) or stop >= 2**31 - 1
            if (start, step) != (0, 1) or not whole or (isinstance(stop, Dim) and stop != Dim(1)):
                raise Unsupported("it takes a part of the batch, whose size is unknown")
            continue
        if not isinstance(stop, int):
            raise Unsupported(f"its end {UNKNOWN}")
        parts[axis] = part_of(start, stop, step, size)
    return sliced(call.builder, call.value(0), parts)


@operator("Gather")
def gather(call: Call) -> Value:
    """Import constant indices; a slice if they advance by equal steps."""
    build, x, shape = call.builder, call.value(0), call.shape()
    axis = call.axis(call.attribute("axis", 0), len(shape))
    if isinstance(call.value(1), Computed):
        return build.emit("take", [x, call.value(1)], axis=axis)
    indices = held(call.known(1, "indices"))
    size = shape[axis]
    if size is None:
        raise Unsupported("it takes a part of the batch, whose size is unknown")
    if indices.dtype not in (np.int64, np.int32) or indices.size == 0:
        raise Unsupported(f"its indices are {indices.dtype} of shape {indices.shape}")
    return gathered(build, x, axis, indices)
