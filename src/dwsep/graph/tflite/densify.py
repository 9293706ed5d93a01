"""Weights that are stored sparse."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InvalidModelError
from .parts import Content, Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DENSE, _CSR = 0, 1
_MOST_ELEMENTS = 2**28
_INDEX_TYPES = {1: "<i4", 2: "<u2", 3: "u1"}


def dense_array(tensor: Tensor, content: Content, sparsity: Any) -> NDArray[Any]:
    """Return the elements of a sparse tensor in their places.

    The dimensions, and the blocks that some are cut into, are traversed in an order of the file's;
    each is dense, or lists which indices it has, as the rows of a compressed sparse matrix do.
    """
    shape = tensor.declared
    if math.prod(shape) > _MOST_ELEMENTS:
        raise InvalidModelError(f"tensor {tensor.name!r} has the shape {shape}")
    order, blocks, levels = sparsity
    rank, depth = len(shape), len(shape) + len(blocks)
    if sorted(order) != [*range(depth)] or len(levels) != depth:
        raise InvalidModelError(f"tensor {tensor.name!r}: its order of traversal is {order[:20]}")
    if any(not 0 <= b < rank for b in blocks) or order[:rank] != (*range(rank),):
        raise InvalidModelError(
            f"tensor {tensor.name!r}: blocks that are not traversed last are not supported"
        )
    sizes = list(shape)
    inner = {}
    for level in range(rank, depth):
        axis, size = blocks[order[level] - rank], levels[level][1]
        if size < 1 or sizes[axis] % size:
            raise InvalidModelError(f"tensor {tensor.name!r}: blocks of {size} along {axis}")
        sizes[axis] //= size
        inner[level] = (axis, size)
    # Flat positions of all elements so far, level by level.
    strides = [math.prod(shape[axis + 1 :]) for axis in range(rank)]
    positions = np.zeros(1, np.int64)
    for level, row in enumerate(levels):
        axis, size = inner.get(level, (level, sizes[level] if level < rank else 1))
        block = math.prod(s for a, s in inner.values() if a == axis)
        step = strides[axis] * (1 if level in inner else block)
        rows, indices = _indices(content, row, positions.size, size, tensor.name)
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
    content: Content, level: tuple[int, ...], count: int, size: int, name: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for each element of a level, the element of the level before and its index."""
    if level[0] == _DENSE:
        if level[1] != size or count * size > _MOST_ELEMENTS:
            raise InvalidModelError(f"tensor {name!r}: a dimension is not {size}")
        return np.repeat(np.arange(count), size), np.tile(np.arange(size), count)
    segments, indices = _vector(content, *level[2:4]), _vector(content, *level[4:6])
    counts = np.diff(segments)
    sound = segments.size == count + 1 and segments[0] == 0 and (counts >= 0).all()
    if not sound or segments[-1] != indices.size:
        raise InvalidModelError(f"tensor {name!r}: its segments do not fit")
    if indices.size and not 0 <= indices.min() <= indices.max() < size:
        raise InvalidModelError(f"tensor {name!r}: an index is not from 0 to {size - 1}")
    return np.repeat(np.arange(count), counts), indices


def _vector(content: Content, kind: int, table: int) -> NDArray[np.int64]:
    if not table or kind not in _INDEX_TYPES:
        raise InvalidModelError("a sparse dimension has no indices")
    dtype = np.dtype(_INDEX_TYPES[kind])
    (vector,) = content.row(table, ((0, "v", dtype.itemsize),))
    return content.numbers(vector, dtype).astype(np.int64)
