"""Operators that move values without computing with them: reshapes and transpositions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import InvalidModelError
from ..importing.symbols import UNKNOWN, Dim
from ..importing.unsupported import Unsupported
from ..importing.values import Known, Value, shape_of
from ..sizes import LARGEST_SIZE, known_product
from .call import Call
from .registry import operator


def to_target(shape: tuple[int | None, ...], sizes: list[Any]) -> list[int]:
    """Return sizes, all but the batch as numbers; the batch is 0 where it stays, else -1."""
    wanted = [n for n in sizes if isinstance(n, Dim)]
    if any((n.times, n.plus) != (1, 0) for n in wanted) or len(wanted) > 1:
        raise Unsupported(f"its shape mixes the batch with other axes; it {UNKNOWN}")
    return [
        n if isinstance(n, int) else 0 if i < len(shape) and shape[i] is None else -1
        for i, n in enumerate(sizes)
    ]


@operator("Reshape")
def reshape(call: Call) -> Value:
    """Import a reshape, with every size that is known filled in."""
    shape = call.shape()
    sizes = call.sizes(1, "shape")
    if not call.flag("allowzero", False):
        if any(n == 0 and i >= len(shape) for i, n in integers(sizes)):
            raise InvalidModelError(f"shape: a 0 in {sizes} keeps an axis that there is not")
        sizes = [
            _size_of(shape, i) if isinstance(n, int) and n == 0 else n for i, n in enumerate(sizes)
        ]
    if any(not -1 <= n <= LARGEST_SIZE or n == 0 for _, n in integers(sizes)):
        raise InvalidModelError(f"shape: need sizes and at most one -1, got {sizes}")
    if sum(n == -1 for _, n in integers(sizes)) > 1:
        raise InvalidModelError(f"shape: need at most one -1, got {sizes}")
    if -1 in [n for _, n in integers(sizes)]:
        _fill_in(shape, sizes)
    return call.builder.reshape(call.value(0), to_target(shape, sizes))


def integers(sizes: list[Any]) -> list[tuple[int, int]]:
    return [(i, n) for i, n in enumerate(sizes) if isinstance(n, int)]


def _size_of(shape: tuple[int | None, ...], axis: int) -> Any:
    n = shape[axis]
    return Dim(1) if n is None else n


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


@operator("Flatten")
def flatten(call: Call) -> Value:
    """Import a reshape to a matrix."""
    shape = call.shape()
    axis = call.attribute("axis", 1)
    if not -len(shape) <= axis <= len(shape):
        raise InvalidModelError(f"axis: need from {-len(shape)} to {len(shape)}, got {axis}")
    axis = axis + len(shape) if axis < 0 else axis
    sides = []
    for part in (shape[:axis], shape[axis:]):
        size: Any = known_product(part)
        sides.append(Dim(size) if None in part else size)
    return call.builder.reshape(call.value(0), to_target(shape, sides))


@operator("Squeeze", "Unsqueeze")
def squeeze(call: Call) -> Value:
    """Import a reshape that takes away or inserts axes of size 1."""
    shape = call.shape()
    given = call.ints_of("axes", 1, 13)
    sizes = [_size_of(shape, i) for i in range(len(shape))]
    if call.type == "Squeeze":
        axes = call.axes("axes", given, len(shape))
        if given is None:
            axes = [i for i, n in enumerate(shape) if n == 1]
        if any(shape[axis] is None for axis in axes):
            raise Unsupported(f"it squeezes the batch, which {UNKNOWN}")
        if any(shape[axis] != 1 for axis in axes):
            raise InvalidModelError(f"axes: {axes} are not all of size 1 in {shape}")
        sizes = [n for i, n in enumerate(sizes) if i not in axes]
    else:
        if given is None:
            raise InvalidModelError("axes are missing")
        for axis in sorted(call.axes("axes", given, len(shape) + len(given))):
            sizes.insert(axis, 1)
    return call.builder.reshape(call.value(0), to_target(shape, sizes))


@operator("Transpose")
def transpose(call: Call) -> Value:
    """Import a permutation of the axes; without `perm` they are reversed."""
    rank = len(call.shape())
    perm = call.attribute("perm", list(range(rank))[::-1])
    if sorted(perm) != list(range(rank)):
        raise InvalidModelError(f"perm: {perm} does not permute {rank} axes")
    return call.builder.transpose(call.value(0), perm)


@operator("Concat")
def concat(call: Call) -> Value:
    """Import a concatenation."""
    values = [call.value(i) for i in range(len(call.inputs))]
    axis = call.axis(call.attribute("axis", ...), len(call.shape()))
    return values[0] if len(values) == 1 else call.builder.emit("concat", values, axis=axis)


def sizes_with(x: Value, axis: int, instead: list[Any]) -> list[Any]:
    """Return the sizes of a value, one of them replaced."""
    sizes: list[Any] = [Dim(1) if n is None else n for n in shape_of(x)]
    return [*sizes[:axis], *instead, *sizes[axis + 1 :]]


@operator("Cast", "CastLike")
def cast(call: Call) -> Value:
    """Import a cast of a computed value: float32 to float32 only."""
    if call.type == "Cast" and call.attribute("to", ...) == 1:
        return call.value(0)
    if call.type == "CastLike" and _is_float32(call.value(1)):
        return call.value(0)
    raise Unsupported("the network's values are float32 and stay so")


def _is_float32(value: Value) -> bool:
    return not isinstance(value, Known) or value.array.dtype == np.float32


@operator("DepthToSpace", "SpaceToDepth")
def depth_to_space(call: Call) -> Value:
    """Import the exchange of channels and pixels as reshape, transpose, reshape."""
    build, x, shape = call.builder, call.value(0), call.shape()
    block = call.attribute("blocksize", ...)
    if len(shape) != 4 or None in shape[1:]:
        raise Unsupported("need an image")
    c, h, w = (n or 0 for n in shape[1:])
    deep = call.type == "DepthToSpace"
    if not 1 <= block <= LARGEST_SIZE or (c % (block * block) if deep else h % block or w % block):
        raise InvalidModelError(f"blocksize: {block} does not fit {shape}")
    if deep:
        inner = c // (block * block)
        if call.attribute("mode", "DCR") == "CRD":
            y = build.reshape(x, (0, inner, block, block, h, w))
            y = build.transpose(y, (0, 1, 4, 2, 5, 3))
        else:
            y = build.reshape(x, (0, block, block, inner, h, w))
            y = build.transpose(y, (0, 3, 4, 1, 5, 2))
        return build.reshape(y, (0, inner, h * block, w * block))
    y = build.reshape(x, (0, c, h // block, block, w // block, block))
    y = build.transpose(y, (0, 3, 5, 1, 2, 4))
    return build.reshape(y, (0, c * block * block, h // block, w // block))
