"""Arithmetic of shapes in which the batch may be unknown (None), and sizes may be open.

Few files have open sizes: `open_numbers` is imported for them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ShapeError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeGuard

Shape = tuple[int | None, ...]  # None for the batch, whose size may be unknown

_INT, _NUMBERS = frozenset((int,)), frozenset((int, float))
LARGEST_SIZE = 2**31 - 1
MOST_AXES = 8  # as in the core
LARGEST_ELEMENTS = 2**40  # for one image of the batch; sums of a few of these fit 64 bits
MOST = 2**24  # of an open size; what is computed of them stays far below 64 bits


class OpenSize:
    """What a `Size` is, for who only asks."""

    __slots__ = ()


class OpenRatio:
    """What a `Ratio` is, for who only asks."""

    __slots__ = ()


def is_size(value: object) -> TypeGuard[Any]:
    """Return whether an integer depends on open sizes."""
    return issubclass(type(value), OpenSize)


def is_ratio(value: object) -> TypeGuard[Any]:
    """Return whether a float depends on open sizes."""
    return issubclass(type(value), OpenRatio)


def is_open(value: object) -> bool:
    """Return whether a number depends on open sizes."""
    return issubclass(type(value), (OpenSize, OpenRatio))


def all_known(values: Iterable[object]) -> bool:
    """Return whether values are all Python's own numbers; of ten thousand scales in 0.1 ms."""
    return _NUMBERS.issuperset(map(type, values))


def plain(value: Any) -> Any:
    """Return the number in the example, without a condition: for limits that only refuse."""
    return value.example if type(value) is not int and is_size(value) else value


def whole(value: Any) -> int:
    """Return a number as an int, unless it depends on open sizes: then as it is."""
    return value if is_open(value) else int(value)


def checked(shape: Shape) -> Shape:
    """Return a shape whose sizes and their product an array can have, else raise ShapeError."""
    if shape and _INT.issuperset(map(type, shape)) and len(shape) <= MOST_AXES:  # as most are
        known: Any = shape
        sound = 1 <= min(known) <= max(known) <= LARGEST_SIZE
        if sound and math.prod(known) <= LARGEST_ELEMENTS:
            return shape
    for n in shape:
        if n is not None and (n < 1 or plain(n) > LARGEST_SIZE):
            raise ShapeError(f"sizes need to be from 1 to {LARGEST_SIZE}, got {shown(shape)}")
    if len(shape) > MOST_AXES:
        raise ShapeError(f"need at most {MOST_AXES} axes, got {len(shape)}")
    if shape.count(None) > 1:
        raise ShapeError(f"only one axis can be the batch, got {shown(shape)}")
    if plain(known_product(shape)) > LARGEST_ELEMENTS:
        raise ShapeError(f"more than {LARGEST_ELEMENTS} elements: {shown(shape)}")
    return shape


def known_product(shape: Shape) -> int:
    """Return the product of all sizes but the batch's."""
    return math.prod([n for n in shape if n is not None])


def shown(shape: Shape) -> str:
    """Return a shape as text, N for the batch."""
    return "(" + ", ".join("N" if n is None else str(n) for n in shape) + ")"


def broadcast(*shapes: Shape) -> Shape:
    """Return the shape that NumPy's broadcasting gives; an unknown batch meets itself or 1."""
    shapes = tuple([shape for shape in shapes if shape]) or ((),)
    if all(shape == shapes[0] and all_known(shape) for shape in shapes):
        return shapes[0]
    rank = max(map(len, shapes))
    result: list[int | None] = []
    for sizes in zip(*((1,) * (rank - len(s)) + s for s in shapes), strict=True):
        others = [n for n in sizes if n != 1] or [1]
        if any(n != others[0] for n in others):
            raise ShapeError(f"shapes {', '.join(map(shown, shapes))} do not broadcast")
        result.append(others[0])
    return tuple(result)


def reshaped(shape: Shape, target: Sequence[int]) -> Shape:
    """Return `target` with its 0 (the same axis's size) and -1 (what remains) filled in."""
    if sum(n == -1 for n in target) > 1 or any(n < -1 for n in target):
        raise ShapeError(f"need sizes and at most one -1, got {tuple(target)}")
    if any(n == 0 and axis >= len(shape) for axis, n in enumerate(target)):
        raise ShapeError(f"0 keeps the size of an axis that {shown(shape)} does not have")
    result = [shape[axis] if n == 0 else n for axis, n in enumerate(target)]
    error = f"cannot make {shown(shape)} into {tuple(target)}"
    others = math.prod(n for n in result if n is not None and n != -1)
    total = known_product(shape)
    unplaced = None in shape and None not in result
    if unplaced and -1 not in result:
        raise ShapeError(f"{error} for every N")
    if -1 in result:
        if unplaced and total != others:
            raise ShapeError(f"{error}: that would mix the batch with other axes")
        if others == 0 or total % others:
            raise ShapeError(error)
        result[result.index(-1)] = None if unplaced else total // others
    elif total != others:
        raise ShapeError(error)
    return tuple(result)


def shape_argument(source: Shape, target: Shape) -> tuple[int, ...]:
    """Return the attribute of a `reshape` between two shapes, of which the batch may be unknown."""
    keeps = source[:1] == target[:1] == (None,)
    return tuple((0 if keeps else -1) if size is None else size for size in target)


def window(sizes: tuple[int, int], kernel: tuple[int, int], attributes: dict[str, Any]) -> Shape:
    """Return (H, W) of what a sliding window makes of an image."""
    top, bottom, left, right = attributes["padding"]
    result = []
    for size, k, stride, dilation, pad in zip(
        sizes,
        kernel,
        attributes["stride"],
        attributes["dilation"],
        (top + bottom, left + right),
        strict=True,
    ):
        extent = (k - 1) * dilation + 1
        if size + pad < extent:
            raise ShapeError(f"{size} pixels and {pad} of padding, a window needs {extent}")
        result.append((size + pad - extent) // stride + 1)
    return tuple(result)


def bounds(start: int | None, stop: int | None, step: int, size: int) -> tuple[int, int, int]:
    """Return `slice(start, stop, step).indices(size)`, also of open sizes."""
    if not any(map(is_open, (start, stop, size))):
        return slice(start, stop, step).indices(size)
    least, most = (-1, size - 1) if step < 0 else (0, size)

    def clamped(n: int | None, default: int) -> int:
        if n is None:
            return default
        n = n + size if n < 0 else n
        return least if n < least else most if n > most else n

    ends = (most, least) if step < 0 else (least, most)
    return clamped(start, ends[0]), clamped(stop, ends[1]), step


def steps(start: int, stop: int, step: int) -> int:
    """Return `len(range(start, stop, step))`, also of open sizes."""
    room = stop - start if step > 0 else start - stop
    return (room - 1) // abs(step) + 1 if room > 0 else 0


def axis_of(axis: int, shape: Shape) -> int:
    if not -len(shape) <= axis < len(shape):
        raise ShapeError(f"{shown(shape)} has no axis {axis}")
    return axis % len(shape)
