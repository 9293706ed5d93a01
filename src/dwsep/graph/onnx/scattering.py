"""Values with others in some places, which are known when the file is loaded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InvalidModelError
from ..importing.values import Unsupported, Value, shape_of
from .call import Call
from .registry import operator

if TYPE_CHECKING:
    from numpy.typing import NDArray


@operator("ScatterND")
def scatter_nd(call: Call) -> Value:
    """Import other rows, whose places the last axis of the indices has."""
    shape, indices = _shape(call), _indices(call)
    depth = indices.shape[-1] if indices.ndim else 0
    if not 1 <= depth <= len(shape):
        raise InvalidModelError(f"indices: shape {indices.shape} for data of shape {shape}")
    _check(indices, np.array(shape[:depth]))
    places = indices.reshape(-1, depth).T % np.array(shape[:depth])[:, None]
    rows = _numbers(places, shape[:depth])
    return _replaced(call, rows, math.prod(shape[:depth]), (*indices.shape[:-1], *shape[depth:]))


@operator("ScatterElements", "Scatter")
def scatter_elements(call: Call) -> Value:
    """Import other elements, each at an index along one axis."""
    shape, indices = _shape(call), _indices(call)
    axis = call.axis(call.attribute("axis", 0), len(shape))
    if len(shape) != indices.ndim or any(n > m for n, m in zip(indices.shape, shape, strict=True)):
        raise InvalidModelError(f"indices: shape {indices.shape} for data of shape {shape}")
    _check(indices, np.array(shape[axis]))
    call.builder.charge(indices.shape, 8 * indices.size * len(shape))
    places: list[Any] = list(np.indices(indices.shape, sparse=True))
    places[axis] = indices % shape[axis]
    rows = _numbers(np.broadcast_arrays(*places), shape).reshape(-1)
    return _replaced(call, rows, math.prod(shape), indices.shape)


def _shape(call: Call) -> tuple[int, ...]:
    shape = call.shape()
    if call.attribute("reduction", "none") != "none":
        raise Unsupported(f"reduction {call.attribute('reduction', 'none')!r} is not supported")
    if not all(isinstance(n, int) for n in shape):
        raise Unsupported(f"its data have the shape {shape}")
    return tuple(n or 0 for n in shape)


def _indices(call: Call) -> NDArray[Any]:
    indices = call.known(1, "indices")
    if indices.dtype.kind != "i" or not indices.size:
        raise Unsupported(f"its indices are {indices.dtype} of shape {indices.shape}")
    return indices


def _numbers(places: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the numbers of elements, by their places along each axis."""
    return np.asarray(np.ravel_multi_index(tuple(places), shape))


def _check(indices: NDArray[Any], sizes: NDArray[Any]) -> None:
    if np.any(indices < -sizes) or np.any(indices >= sizes):
        raise InvalidModelError(f"indices: need less than {sizes.tolist()}, got {indices.max()}")


def _replaced(call: Call, rows: NDArray[Any], count: int, updates: tuple[int, ...]) -> Value:
    """Return the data, as `count` rows, with some replaced; of equal places the last wins."""
    build, data, new = call.builder, call.value(0), call.value(2)
    if shape_of(new) != updates:
        raise InvalidModelError(f"updates: need shape {updates}, got {shape_of(new)}")
    shape = [n or 0 for n in shape_of(data)]
    width = math.prod(shape) // max(count, 1)
    build.charge((count,))
    source = np.arange(count)
    source[rows] = count + np.arange(rows.size)
    both = [build.reshape(x, (n, width)) for x, n in ((data, count), (new, rows.size))]
    if np.all(source >= count):
        y = both[1]  # all of them
        source = source - count
    else:
        y = build.emit("concat", both, axis=0)
    if not np.array_equal(source, np.arange(shape_of(y)[0] or 0)):
        y = build.emit("gather", [y], axis=0, indices=source)
    return build.reshape(y, shape)
