"""Values with others in some places; where those are known, rows of both are gathered."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InvalidModelError
from ..importing.symbols import held
from ..importing.values import Known, Unsupported, Value, shape_of
from .call import Call
from .registry import operator
from .searching import flat_places

if TYPE_CHECKING:
    from numpy.typing import NDArray


@operator("ScatterND")
def scatter_nd(call: Call) -> Value:
    """Import other rows, whose places the last axis of the indices has."""
    if _is_empty(call):
        return call.value(0)
    if not _is_known(call):
        return _computed_rows(call)
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
    if _is_empty(call):
        return call.value(0)
    if not _is_known(call):
        return _put(call, call.value(0), call.value(1), call.value(2), call.attribute("axis", 0))
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


_FUNCTIONS = {"none": "last", "add": "sum", "mul": "prod", "max": "max", "min": "min"}


def _is_known(call: Call) -> bool:
    return isinstance(call.value(1), Known) and call.attribute("reduction", "none") == "none"


def _is_empty(call: Call) -> bool:
    """Return whether there are no updates, and so the data are the result."""
    return 0 in shape_of(call.value(1)) and 0 in shape_of(call.value(2))


def _put(call: Call, x: Value, indices: Value, new: Value, axis: int) -> Value:
    """Return the data with elements whose places along an axis the network computes."""
    function = call.attribute("reduction", "none")
    if function not in _FUNCTIONS:
        raise InvalidModelError(f"reduction: need one of {', '.join(_FUNCTIONS)}, got {function}")
    axis = call.axis(axis, len(shape_of(x)))
    return call.builder.emit("scatter", [x, indices, new], function=_FUNCTIONS[function], axis=axis)


def _computed_rows(call: Call) -> Value:
    """Return the data with rows whose places the last axis of computed indices has."""
    build, x, new = call.builder, call.value(0), call.value(2)
    flat, depth = flat_places(build, call.value(1), call.shape())
    shapes = [call.shape(), shape_of(flat), shape_of(new)]
    if any(n is None for shape in shapes for n in shape):
        raise Unsupported("its data or indices have the batch, whose size is unknown")
    (*outer, inner), width = [[n or 0 for n in shape] for shape in shapes], 1
    if inner != [*outer[1], *outer[0][depth:]]:
        raise InvalidModelError(
            f"updates: need shape {(*outer[1], *outer[0][depth:])}, got {inner}"
        )
    width = math.prod(outer[0][depth:])
    count, rows = math.prod(outer[0][:depth]), math.prod(outer[1])
    places = build.reshape(flat, (rows, 1))
    if width != 1:
        places = build.emit("expand", [places], shape=(rows, width))
    y = _put(call, build.reshape(x, (count, width)), places, build.reshape(new, (rows, width)), 0)
    return build.reshape(y, outer[0])


def _shape(call: Call) -> tuple[int, ...]:
    shape = call.shape()
    if not all(isinstance(n, int) for n in shape):
        raise Unsupported(f"its data have the shape {shape}")
    return tuple(int(n or 0) for n in shape)


def _indices(call: Call) -> NDArray[Any]:
    indices = held(call.known(1, "indices"))
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
