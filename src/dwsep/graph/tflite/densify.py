"""Weights that are stored sparse."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InvalidModelError
from .flatbuffer import Table
from .parts import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DENSE, _CSR = 0, 1
_MOST_ELEMENTS = 2**28
_INDEX_TYPES = {1: "<i4", 2: "<u2", 3: "u1"}


def dense_array(tensor: Tensor, sparsity: Table) -> NDArray[Any]:
    """Return the elements of a sparse tensor in their places.

    The dimensions, and the blocks that some are cut into, are traversed in an order of the file's;
    each is dense, or lists which indices it has, as the rows of a compressed sparse matrix do.
    """
    shape = tensor.declared
    if math.prod(shape) > _MOST_ELEMENTS:
        raise InvalidModelError(f"tensor {tensor.name!r} has the shape {shape}")
    order = [int(n) for n in sparsity.numbers(0, "<i4")]
    blocks = [int(n) for n in sparsity.numbers(1, "<i4")]
    levels = sparsity.tables(2)
    rank, depth = len(shape), len(shape) + len(blocks)
    if sorted(order) != list(range(depth)) or len(levels) != depth:
        raise InvalidModelError(f"tensor {tensor.name!r}: its order of traversal is {order}")
    if any(not 0 <= b < rank for b in blocks) or order[:rank] != list(range(rank)):
        raise InvalidModelError(
            f"tensor {tensor.name!r}: blocks that are not traversed last are not supported"
        )
    sizes = list(shape)
    inner = {}
    for level in range(rank, depth):
        axis, size = blocks[order[level] - rank], levels[level].scalar(1, "i", 0)
        if size < 1 or sizes[axis] % size:
            raise InvalidModelError(f"tensor {tensor.name!r}: blocks of {size} along {axis}")
        sizes[axis] //= size
        inner[level] = (axis, size)
    # Flat positions of all elements so far, level by level.
    strides = [math.prod(shape[axis + 1 :]) for axis in range(rank)]
    positions = np.zeros(1, np.int64)
    for level, table in enumerate(levels):
        axis, size = inner.get(level, (level, sizes[level] if level < rank else 1))
        block = math.prod(s for a, s in inner.values() if a == axis)
        step = strides[axis] * (1 if level in inner else block)
        rows, indices = _indices(table, positions.size, size, tensor.name)
        if indices.size > math.prod(shape):
            raise InvalidModelError(f"tensor {tensor.name!r} has too many elements")
        positions = positions[rows] + indices * step
    values = tensor.elements()
    if values.size != positions.size:
        raise InvalidModelError(
            f"tensor {tensor.name!r}: {values.size} values for {positions.size} places"
        )
    result = np.zeros(math.prod(shape), values.dtype)
    result[positions] = values
    return result.reshape(shape)


def _indices(
    table: Table, count: int, size: int, name: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for each element of a level, the element of the level before and its index."""
    if table.scalar(0, "b", _DENSE) == _DENSE:
        if table.scalar(1, "i", 0) != size or count * size > _MOST_ELEMENTS:
            raise InvalidModelError(f"tensor {name!r}: a dimension is not {size}")
        return np.repeat(np.arange(count), size), np.tile(np.arange(size), count)
    segments, indices = _vector(table, 2), _vector(table, 4)
    counts = np.diff(segments)
    sound = segments.size == count + 1 and segments[0] == 0 and (counts >= 0).all()
    if not sound or segments[-1] != indices.size:
        raise InvalidModelError(f"tensor {name!r}: its segments do not fit")
    if indices.size and not 0 <= indices.min() <= indices.max() < size:
        raise InvalidModelError(f"tensor {name!r}: an index is not from 0 to {size - 1}")
    return np.repeat(np.arange(count), counts), indices


def _vector(table: Table, field: int) -> NDArray[np.int64]:
    kind, vector = table.scalar(field, "B", 0), table.table(field + 1)
    if vector is None or kind not in _INDEX_TYPES:
        raise InvalidModelError("a sparse dimension has no indices")
    return vector.numbers(0, _INDEX_TYPES[kind]).astype(np.int64)
