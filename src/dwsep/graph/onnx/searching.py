"""Where the largest elements lie, elements at computed places, running sums, the best boxes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import InvalidModelError
from ..importing.builder import Builder
from ..importing.compositions import to_target
from ..importing.moving import sizes_with, sliced
from ..importing.values import Computed, Known, Unsupported, Value, shape_of
from ..ir import DType, Length
from ..sizes import LARGEST_SIZE, Shape
from .call import Call
from .registry import operator


@operator("ArgMax", "ArgMin")
def arg(call: Call) -> Value:
    """Import the place of an extreme."""
    build, x, shape = call.builder, call.value(0), call.shape()
    axis = call.axis(call.attribute("axis", 0), len(shape))
    last = call.flag("select_last_index", False)
    function = "max" if call.type == "ArgMax" else "min"
    y = build.emit("arg", [x], function=function, axis=axis, last=last)
    if call.flag("keepdims", True):
        return y
    return build.reshape(y, to_target(shape_of(y), sizes_with(y, axis, [])))


@operator("TopK")
def top_k(call: Call) -> list[Value | None]:
    """Import the largest elements and where they lie: the indices, and what lies there."""
    build, x, shape = call.builder, call.value(0), call.shape()
    axis = call.axis(call.attribute("axis", -1), len(shape))
    if call.opset < 10:
        k = call.attribute("k", ...)
    else:
        (k,) = call.ints(1, "k")
    if not 0 < k <= LARGEST_SIZE:
        raise InvalidModelError(f"k: need at least 1, got {k}")
    function = "max" if call.flag("largest", True) else "min"
    indices = build.emit("top_k", [x], function=function, axis=axis, k=k)
    values = build.emit("gather_elements", [x, indices], axis=axis) if call.outputs[0] else None
    return [values, indices if any(call.outputs[1:]) else None]


@operator("GatherElements")
def gather_elements(call: Call) -> Value:
    """Import elements at indices of their own."""
    axis = call.axis(call.attribute("axis", 0), len(call.shape()))
    indices = call.value(1)
    if isinstance(indices, Known) and indices.array.size:
        size = call.shape()[axis] or 0
        low, high = indices.array.min(), indices.array.max()
        if not -size <= low <= high < size:
            raise InvalidModelError(
                f"indices: need from {-size} to {size - 1}, got {low} to {high}"
            )
    return call.builder.emit("gather_elements", [call.value(0), indices], axis=axis)


@operator("CumSum")
def cumulative_sum(call: Call) -> Value:
    """Import running sums."""
    axis = call.scalar(1, "axis")
    if axis != math.floor(axis):
        raise InvalidModelError(f"axis: need an integer, got {axis}")
    if call.shape()[call.axis(int(axis), len(call.shape()))] is None:
        raise Unsupported("it sums over the batch, whose size is unknown")
    return call.builder.emit(
        "cumulative_sum",
        [call.value(0)],
        axis=call.axis(int(axis), len(call.shape())),
        exclusive=call.flag("exclusive", False),
        reverse=call.flag("reverse", False),
    )


@operator("Hardmax")
def hardmax(call: Call) -> Value:
    """Import 1 where the first of the largest elements lies, else 0."""
    build, x, shape = call.builder, call.value(0), call.shape()
    axis = call.axis(call.attribute("axis", -1 if call.opset >= 13 else 1), len(shape))
    if call.opset < 13 and any(n != 1 for n in shape[axis + 1 :]):
        raise Unsupported("before opset 13 it is over several axes together")
    size = shape[axis]
    if size is None:
        raise Unsupported("it is over the batch, whose size is unknown")
    build.charge((size,))
    places = np.arange(size, dtype=np.int64).reshape((-1,) + (1,) * (len(shape) - 1 - axis))
    best = build.emit("arg", [x], function="max", axis=axis, last=False)
    return build.cast(build.emit("compare", [best, Known(places)], function="equal"), DType.FLOAT32)


@operator("NonMaxSuppression")
def non_max_suppression(call: Call) -> Value:
    """Import places of boxes; what is made of them is as long as there are boxes that are kept."""
    build, values = call.builder, [call.value(0), call.value(1)]
    most = int(call.scalar(2, "max_output_boxes_per_class")) if call.has(2) else 0
    overlap = call.scalar(3, "iou_threshold") if call.has(3) else 0.0
    if not (0 <= overlap <= 1 and most >= 0):
        raise InvalidModelError(f"need a number of boxes and a part of them, got {most}, {overlap}")
    bound: dict[str, Any] = (
        {"least_score": call.scalar(4, "score_threshold")} if call.has(4) else {}
    )
    y = build.emit(
        "non_max_suppression",
        values,
        most=min(most, LARGEST_SIZE),
        overlap=overlap,
        centered=call.flag("center_point_box", False),
        **bound,
    )
    if not shape_of(y)[0]:
        return y
    first = sliced(build, y, {1: (0, 1, 1)})
    zero = build.constant(0, DType.INT64)
    used = build.cast(build.emit("compare", [first, zero], function="greater_equal"), DType.INT64)
    count = build.emit("accumulate", [used], function="sum", axis=0)
    if isinstance(count, Computed) and isinstance(y, Computed):
        build.graph.lengths[y.name] = Length(0, count.name)
    return y


@operator("GatherND")
def gather_nd(call: Call) -> Value:
    """Import elements, or parts, at tuples of computed indices, of which one number is made."""
    build, x, shape = call.builder, call.value(0), call.shape(0)
    if call.attribute("batch_dims", 0) != 0:
        raise Unsupported("batch_dims are not supported")
    flat, depth = flat_places(build, call.value(1), shape)
    rows = [math.prod(n or 0 for n in shape[:depth]), *(n or 0 for n in shape[depth:])]
    if None in shape[depth:]:
        raise Unsupported("its input has the batch behind the axes that are indexed")
    return build.emit("take", [build.reshape(x, rows), flat], axis=0)


def flat_places(build: Builder, indices: Value, shape: Shape) -> tuple[Value, int]:
    """Return the numbers of rows whose places are tuples, and how long those are."""
    places = shape_of(indices)
    depth = places[-1] if places else None
    if depth is None or not 1 <= depth <= len(shape) or None in shape[:depth]:
        raise Unsupported(f"indices of shape {places} for an input of shape {shape}")
    flat: Value = build.constant(0, DType.INT64)
    for axis in range(depth):
        part = sliced(build, indices, {len(places) - 1: (axis, axis + 1, 1)})
        part = build.reshape(part, to_target(shape_of(part), sizes_with(part, len(places) - 1, [])))
        part = build.binary("mod", part, shape[axis] or 1)  # negative ones count from the end
        flat = build.binary("add", build.binary("mul", flat, shape[axis] or 1), part)
    return flat, depth
