"""Finds the values of nodes that move the elements of known arrays, or join them along axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ...errors import InvalidModelError
from .call import Call, charge_folding, part_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

AnyArray: TypeAlias = "NDArray[Any]"


def _reshape(call: Call, arrays: list[AnyArray]) -> AnyArray:
    target = call.ints(1, "shape")
    array = arrays[0]
    if not call.flag("allowzero", False):
        target = [array.shape[i] if n == 0 and i < array.ndim else n for i, n in enumerate(target)]
    return array.reshape(target)


def _flatten(call: Call, arrays: list[AnyArray]) -> AnyArray:
    axis = call.attribute("axis", 1)
    before = math.prod(arrays[0].shape[:axis])
    return arrays[0].reshape(before, arrays[0].size // max(before, 1))


def _squeeze(call: Call, arrays: list[AnyArray]) -> AnyArray:
    axes = call.ints_of("axes", 1, 13)
    if call.type == "Squeeze":
        return np.squeeze(arrays[0], None if axes is None else tuple(axes))
    return np.expand_dims(arrays[0], tuple(axes or ()))


def _gather(call: Call, arrays: list[AnyArray]) -> AnyArray:
    axis = call.axis(call.attribute("axis", 0), arrays[0].ndim)
    shape = arrays[0].shape
    charge_folding(call, (*shape[:axis], *arrays[1].shape, *shape[axis + 1 :]), arrays[0])
    return np.take(arrays[0], arrays[1].astype(np.int64), axis)


def _slice(call: Call, arrays: list[AnyArray]) -> AnyArray:
    array = arrays[0]
    starts, stops = call.ints_of("starts", 1, 10), call.ints_of("ends", 2, 10)
    axes = call.ints_of("axes", 3, 10)
    steps = call.ints(4, "steps") if call.has(4) else [1] * len(starts or [])
    parts = [slice(None)] * array.ndim
    axes = list(range(len(starts or []))) if axes is None else axes
    for axis, start, stop, step in zip(axes, starts or [], stops or [], steps, strict=True):
        axis = call.axis(axis, array.ndim)
        parts[axis] = slice(*part_of(start, stop, step, array.shape[axis]))
    return array[tuple(parts)]


def _concat(call: Call, arrays: list[AnyArray]) -> AnyArray:
    charge_folding(call, (sum(a.size for a in arrays),), *arrays)
    return np.concatenate(arrays, call.attribute("axis", ...))


def _expand(call: Call, arrays: list[AnyArray]) -> AnyArray:
    shape = np.broadcast_shapes(arrays[0].shape, tuple(call.ints(1, "shape")))
    charge_folding(call, shape, arrays[0])
    return np.broadcast_to(arrays[0], shape).copy()


def _tile(call: Call, arrays: list[AnyArray]) -> AnyArray:
    repeats = call.ints(1, "repeats")
    if len(repeats) != arrays[0].ndim or min(repeats, default=0) < 0:
        raise InvalidModelError(f"repeats: {repeats} does not fit")
    charge_folding(call, [n * r for n, r in zip(arrays[0].shape, repeats, strict=True)], arrays[0])
    return np.tile(arrays[0], repeats)


def _reduce(call: Call, arrays: list[AnyArray]) -> AnyArray:
    changed = 13 if call.type == "ReduceSum" else 18
    axes = call.ints_of("axes", 1, changed)
    if not axes and call.flag("noop_with_empty_axes", False):
        return arrays[0]
    functions = {"ReduceSum": np.sum, "ReduceProd": np.prod, "ReduceMax": np.max}
    function: Any = functions.get(call.type, np.min)
    result = function(
        arrays[0], axis=tuple(axes) if axes else None, keepdims=call.flag("keepdims", True)
    )
    return np.asarray(result)


def _transpose(call: Call, arrays: list[AnyArray]) -> AnyArray:
    return arrays[0].transpose(call.attribute("perm", None))


MOVES: dict[str, Callable[[Call, list[AnyArray]], AnyArray]] = {
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _squeeze,
    "Gather": _gather,
    "Slice": _slice,
    "Concat": _concat,
    "Expand": _expand,
    "Tile": _tile,
    "Transpose": _transpose,
    "ReduceSum": _reduce,
    "ReduceProd": _reduce,
    "ReduceMax": _reduce,
    "ReduceMin": _reduce,
}
