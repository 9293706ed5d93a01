"""Permutations of axes, and how reshapes carry them.

A value has the axes of the file; in memory they lie in another order. `perm[k]` is the file's axis
that is axis k in memory, so that memory = transpose(file, perm).
"""

from __future__ import annotations

from .sizes import Shape

Perm = tuple[int, ...]

NHWC: Perm = (0, 2, 3, 1)  # of an image whose file says NCHW


def identity(rank: int) -> Perm:
    return tuple(range(rank))


def channels_last(rank: int) -> Perm:
    """Return where the second axis goes last: NHWC for images."""
    return (0, *range(2, rank), 1)


def permuted(shape: Shape, perm: Perm) -> Shape:
    return tuple(shape[axis] for axis in perm)


def inverse(perm: Perm) -> Perm:
    return tuple(perm.index(axis) for axis in range(len(perm)))


def between(old: Perm, new: Perm) -> Perm:
    """Return what transposes memory in one order to another."""
    return tuple(old.index(axis) for axis in new)


def dropped(perm: Perm, axes: set[int]) -> Perm:
    """Return the order of the axes that remain when some are removed."""
    rest = sorted(axis for axis in perm if axis not in axes)
    return tuple(rest.index(axis) for axis in perm if axis not in axes)


def long_axes(shape: Shape, perm: Perm) -> Perm:
    """Return the axes in memory's order without those of size 1, which may lie anywhere."""
    return tuple(axis for axis in perm if shape[axis] != 1)


def same_order(shape: Shape, a: Perm, b: Perm) -> bool:
    """Return whether two orders are the same memory."""
    return long_axes(shape, a) == long_axes(shape, b)


Groups = list[tuple[Perm, Perm]]


def groups(source: Shape, target: Shape) -> Groups:
    """Divide a reshape into the smallest runs of axes that hold the same elements.

    Returns the axes of the source and of the target for each run, both in the file's order. Axes of
    size 1 are left out. The unknown batch is a run of its own.
    """
    result: Groups = []
    left = [axis for axis, size in enumerate(source) if size != 1]
    right = [axis for axis, size in enumerate(target) if size != 1]
    whole = [(tuple(left), tuple(right))]
    while left and right:
        a, b = source[left[0]], target[right[0]]
        taken = [left.pop(0)], [right.pop(0)]
        while a != b:
            if a is None or b is None:
                return whole
            axes, sizes, chosen = (left, source, 0) if a < b else (right, target, 1)
            if not axes:
                return whole
            size = sizes[axes[0]]
            if size is None:
                return whole
            taken[chosen].append(axes.pop(0))
            a, b = (a * size, b) if chosen == 0 else (a, b * size)
        result.append((tuple(taken[0]), tuple(taken[1])))
    return whole if left or right else result


def carry(source: Shape, target: Shape, perm: Perm, wanted: Perm | None) -> tuple[Perm, Perm]:
    """Return the orders before and after a reshape that it can be computed in.

    The first differs from `perm` (but for axes of size 1) only if a run of axes that the reshape
    merges or splits is not together and in order in memory.
    """
    runs = groups(source, target)
    position = {axis: place for place, axis in enumerate(long_axes(source, perm))}
    runs.sort(key=lambda run: min(position[axis] for axis in run[0]))
    before = [axis for run in runs for axis in run[0]]
    order = perm if before == list(position) else _with_ones(source, before)
    return order, arranged(target, [axis for run in runs for axis in run[1]], wanted)


def arranged(shape: Shape, order: list[int], wanted: Perm | None) -> Perm:
    """Return the best order of axes in which the long ones lie in the given order."""
    rank = len(shape)
    choices = [identity(rank)] + ([channels_last(rank)] if rank > 2 else [])
    for choice in choices if wanted is None else [wanted, *choices]:
        if list(long_axes(shape, choice)) == order:
            return choice
    return _with_ones(shape, order)


def _with_ones(shape: Shape, order: list[int]) -> Perm:
    """Put each axis of size 1 behind its predecessor in the file."""
    result = list(order)
    for axis, size in enumerate(shape):
        if size == 1:
            result.insert(result.index(axis - 1) + 1 if axis else 0, axis)
    return tuple(result)
