"""Nodes that importers of several formats compose an operator of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ...errors import InvalidModelError
from ..ir import Array
from ..sizes import LARGEST_SIZE, known_product
from ..types import DType
from .builder import Builder
from .symbols import UNKNOWN, Dim
from .values import Unsupported, Value, shape_of, type_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

Parts: TypeAlias = "dict[int, tuple[int, int | None, int]]"

_LARGEST = float(np.finfo(np.float32).max)


def to_target(shape: tuple[int | None, ...], sizes: list[Any]) -> list[int]:
    """Return sizes, all but the batch as numbers; the batch is 0 where it stays, else -1."""
    wanted = [n for n in sizes if isinstance(n, Dim)]
    if any((n.times, n.plus) != (1, 0) for n in wanted) or len(wanted) > 1:
        raise Unsupported(f"its shape mixes the batch with other axes; it {UNKNOWN}")
    return [
        n if isinstance(n, int) else 0 if i < len(shape) and shape[i] is None else -1
        for i, n in enumerate(sizes)
    ]


def integers(sizes: list[Any]) -> list[tuple[int, int]]:
    return [(i, n) for i, n in enumerate(sizes) if isinstance(n, int)]


def sizes_with(x: Value, axis: int, instead: list[Any]) -> list[Any]:
    """Return the sizes of a value, one of them replaced."""
    sizes: list[Any] = [Dim(1) if n is None else n for n in shape_of(x)]
    return [*sizes[:axis], *instead, *sizes[axis + 1 :]]


def sliced(build: Builder, x: Value, parts: Parts) -> Value:
    """Add a slice, (start, stop, step) for some axes, unless it takes everything."""
    shape = shape_of(x)
    every = [parts.get(axis, (0, None, 1)) for axis in range(len(shape))]
    for axis, (start, stop, step) in enumerate(every):
        size = shape[axis]
        if size is not None and (start, step) == (0, 1) and (stop is None or stop >= size):
            every[axis] = (0, None, 1)
    if all(part == (0, None, 1) for part in every):
        return x
    starts, stops, steps = (tuple(part[i] for part in every) for i in range(3))
    return build.emit("slice", [x], starts=starts, stops=stops, steps=steps)


def clipped(build: Builder, x: Value, low: float, high: float) -> Value:
    """Add the activation that clips, by its best name."""
    if math.isnan(low) or math.isnan(high):
        raise InvalidModelError("its bounds are NaN")
    low = -math.inf if low <= -_LARGEST else low
    high = math.inf if high >= _LARGEST else high
    low = min(low, high)  # min(max(x, low), high) is high where low is more
    if (low, high) == (-math.inf, math.inf):
        return x
    if type_of(x).dtype is not DType.FLOAT32:
        x = x if low == -math.inf else build.binary("max", x, low)
        return x if high == math.inf else build.binary("min", x, high)
    names = {(0.0, math.inf): "relu", (0.0, 6.0): "relu6"}
    return build.activation(names.get((low, high), ("clip", low, high)), x)


def dense(
    build: Builder,
    x: Value,
    weight: Array,
    bias: Array | None = None,
    scales: dict[str, Any] | None = None,
) -> Value:
    """Add a product with a matrix (in, out) over the last axis; `scales` as `weight_scales`."""
    if weight.ndim != 2 or 0 in weight.shape:
        raise InvalidModelError(f"weights: need a matrix, got shape {weight.shape}")
    weights = {
        "weight": np.ascontiguousarray(weight),
        "bias": np.zeros(weight.shape[1], np.float32)
        if bias is None
        else np.ascontiguousarray(bias),
        **(scales or {}),
    }
    return build.emit("dense", [x], weights, activation=None)


def size_of(shape: tuple[int | None, ...], axis: int) -> Any:
    """Return the size of an axis, of the batch a Dim."""
    n = shape[axis]
    return Dim(1) if n is None else n


def reshaped(build: Builder, x: Value, sizes: list[Any]) -> Value:
    """Add a reshape to sizes, of which one may be -1 and one the batch, a Dim."""
    shape = shape_of(x)
    if any(not -1 <= n <= LARGEST_SIZE or n == 0 for _, n in integers(sizes)):
        raise InvalidModelError(f"shape: need sizes and at most one -1, got {sizes}")
    if sum(n == -1 for _, n in integers(sizes)) > 1:
        raise InvalidModelError(f"shape: need at most one -1, got {sizes}")
    if -1 in [n for _, n in integers(sizes)]:
        _fill_in(shape, sizes)
    return build.reshape(x, to_target(shape, sizes))


def _fill_in(shape: tuple[int | None, ...], sizes: list[Any]) -> None:
    """Replace -1 by what remains."""
    at = next(i for i, n in integers(sizes) if n == -1)
    total: Any = known_product(shape)
    total = Dim(total) if None in shape else total
    others: Any = 1
    for i, n in enumerate(sizes):
        if i != at:
            others = others * n
    if not isinstance(total, Dim):
        if isinstance(others, Dim):
            raise Unsupported(UNKNOWN)
        if total % others:
            raise InvalidModelError(f"shape: {shape} has no {sizes}")
    try:
        sizes[at] = total // others
    except Unsupported:
        raise Unsupported(f"its shape mixes the batch with other axes; it {UNKNOWN}") from None


def gathered(build: Builder, x: Value, axis: int, indices: NDArray[Any]) -> Value:
    """Add the elements of an axis at constant indices; a slice if they advance by equal steps."""
    size = shape_of(x)[axis] or 0
    if not -size <= indices.min() <= indices.max() < size:
        raise InvalidModelError(f"indices: need from {-size} to {size - 1}")
    indices = np.where(indices < 0, indices + size, indices).astype(np.int64)
    steps = np.unique(np.diff(indices.reshape(-1)))
    if indices.ndim < 2 and (indices.size == 1 or (steps.size == 1 and steps[0] != 0)):
        first, last = int(indices.reshape(-1)[0]), int(indices.reshape(-1)[-1])
        step = int(steps[0]) if steps.size else 1
        stop = last + (1 if step > 0 else -1)
        part = sliced(build, x, {axis: (first, None if stop < 0 else stop, step)})
        sizes = sizes_with(part, axis, [] if indices.ndim == 0 else [indices.size])
        return build.reshape(part, to_target(shape_of(part), sizes))
    return build.emit("gather", [x], axis=axis, indices=indices)


def expanded(build: Builder, x: Value, sizes: list[Any]) -> Value:
    """Add broadcasting to a shape, of which one size may be the batch, a Dim."""
    shape = shape_of(x)
    if any(not 1 <= n <= LARGEST_SIZE for _, n in integers(sizes)):
        raise InvalidModelError(f"shape: need sizes of at least 1, got {sizes}")
    rank = max(len(sizes), len(shape))
    aligned = (1,) * (rank - len(shape)) + shape
    sizes = [1] * (rank - len(sizes)) + sizes
    target = []
    for have, n in zip(aligned, sizes, strict=True):
        if have is None and (n == 1 if isinstance(n, int) else n == Dim(1)):
            target.append(0)
        elif not isinstance(n, int):
            raise Unsupported("it repeats something as often as there are images in the batch")
        else:
            target.append(max(n, have or 0) if n == 1 else n)
    if rank == len(shape) and all(n in (0, have) for n, have in zip(target, shape, strict=True)):
        return x
    return build.emit("expand", [x], shape=tuple(target))


def tiled(build: Builder, x: Value, repeats: list[int]) -> Value:
    """Add a repetition of every axis: an axis of repeats before it, expanded, merged."""
    shape = shape_of(x)
    if len(repeats) != len(shape) or any(not 1 <= n <= LARGEST_SIZE for n in repeats):
        raise InvalidModelError(f"repeats: need {len(shape)} of at least 1, got {repeats}")
    for axis, n in enumerate(repeats):
        if n == 1:
            continue
        if shape[axis] is None:
            raise Unsupported("it repeats the batch, whose size is unknown")
        sizes = [m if m is not None else 0 for m in shape_of(x)]
        if sizes[axis] == 1:
            target = tuple(n if i == axis else m for i, m in enumerate(sizes))
            x = build.emit("expand", [x], shape=target)
            continue
        apart = build.reshape(x, to_target(shape_of(x), sizes_with(x, axis, [1, sizes[axis]])))
        spread = build.emit(
            "expand",
            [apart],
            shape=tuple(n if i == axis else m or 0 for i, m in enumerate(shape_of(apart))),
        )
        merged = sizes_with(x, axis, [n * sizes[axis]])
        x = build.reshape(spread, to_target(shape_of(spread), merged))
    return x
