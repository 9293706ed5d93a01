"""Nodes that importers of several formats compose what moves values of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ...errors import InvalidModelError
from ..ir import DType
from ..sizes import LARGEST_SIZE, Shape
from .builder import Builder
from .compositions import integers, to_target
from .symbols import Dim
from .values import Computed, Known, Unsupported, Value, shape_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

Parts: TypeAlias = "dict[int, tuple[int, int | None, int]]"


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
        shown = ["N" if isinstance(n, Dim) else n for n in sizes]
        raise InvalidModelError(f"shape: need sizes from 1 to {LARGEST_SIZE}, got {shown}")
    rank = max(len(sizes), len(shape))
    aligned = (1,) * (rank - len(shape)) + shape
    sizes = [1] * (rank - len(sizes)) + sizes
    target = []
    for have, n in zip(aligned, sizes, strict=True):
        if have is None and (n == 1 if isinstance(n, int) else n == Dim(1)):
            target.append(0)
        elif not isinstance(n, int):
            if have != 1 or n != Dim(1) or None in shape:
                raise Unsupported("it repeats something as often as there are images in the batch")
            return _for_each_image(build, x, aligned, sizes)
        else:
            target.append(max(n, have or 0) if n == 1 else n)
    if rank == len(shape) and all(n in (0, have) for n, have in zip(target, shape, strict=True)):
        return x
    return build.emit("expand", [x], shape=tuple(target))


def _for_each_image(build: Builder, x: Value, shape: Shape, sizes: list[Any]) -> Value:
    """Add broadcasting of what the batch has not: a choice between equals, for each image."""
    types = build.graph.types
    images = [n for n in build.graph.inputs if types[n].shape[:1] == (None,)]
    if len(images) != 1:  # of several, nothing says whose number of images is meant
        raise Unsupported("it repeats something as often as there are images in the batch")
    one: Value = Computed(images[0], types[images[0]])
    one = sliced(build, one, {axis: (0, 1, 1) for axis in range(1, len(shape_of(one)))})
    one = build.reshape(one, [-1 if isinstance(n, Dim) else 1 for n in sizes])
    rest = [1 if isinstance(n, Dim) else n for n in sizes]
    x = expanded(build, build.reshape(x, [n or 0 for n in shape]), rest)
    same = build.emit("compare", [one, one], function="equal")
    return build.emit("where", [same, x, x])


def tiled(build: Builder, x: Value, repeats: list[int]) -> Value:
    """Add a repetition of every axis: an axis of repeats before it, expanded, merged."""
    shape = shape_of(x)
    if any(isinstance(n, Dim) for n in repeats) and len(repeats) == len(shape):
        once = [n if isinstance(n, Dim) else 1 for n in repeats]
        if all(m == 1 or isinstance(n, int) for m, n in zip(shape, once, strict=True)):
            x = expanded(build, x, once)
            repeats = [1 if isinstance(n, Dim) else n for n in repeats]
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


def one_hot(build: Builder, indices: Value, depth: int, on: Value, off: Value, axis: int) -> Value:
    """Add a choice along a new axis of `depth`: `on` at each index, elsewhere `off`."""
    shape = shape_of(indices)
    rank = len(shape) + 1
    if not -rank <= axis < rank or not 1 <= depth <= LARGEST_SIZE:
        raise InvalidModelError(f"axis, depth: got {axis} and {depth} for a shape {shape}")
    axis %= rank
    if None in shape[axis:]:
        raise Unsupported("its new axis lies before the batch, whose size is unknown")
    build.charge((depth,))
    apart = [0 if n is None else n for n in shape]
    apart.insert(axis, 1)
    places = np.arange(depth).reshape([-1] + [1] * (len(shape) - axis))
    indices = build.reshape(build.cast(indices, DType.INT64), apart)
    hot = build.emit("compare", [indices, Known(places)], function="equal")
    return build.emit("where", [hot, on, off])
