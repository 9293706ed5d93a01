"""Convolutions whose filters the network computes, as products and sums of shifted images.

Mixtures of experts (CondConv) and dynamic convolutions have them: filters for each image, as many
groups as images.
"""

from __future__ import annotations

from ...errors import InvalidModelError
from ..importing.builder import Builder
from ..importing.moving import sliced
from ..importing.values import Unsupported, Value, shape_of

Pair = tuple[int, int]
_MOST_NODES = 1024  # a convolution has one for each tap and group


class Taps:
    """The padded image, and where its taps lie."""

    def __init__(
        self, build: Builder, x: Value, kernel: Pair, stride: Pair, dilation: Pair
    ) -> None:
        self.build, self.x, self.kernel = build, x, kernel
        self._stride, self._dilation = stride, dilation

    def shifted(self) -> list[Value]:
        """Return the pixels that each tap meets, images as large as the result."""
        return [
            self._at(row, column)
            for row in range(self.kernel[0])
            for column in range(self.kernel[1])
        ]

    def _at(self, *tap: int) -> Value:
        parts = {}
        for axis, (at, taps, step, gap) in enumerate(
            zip(tap, self.kernel, self._stride, self._dilation, strict=True), start=2
        ):
            behind = (taps - 1 - at) * gap  # pixels that only later taps meet
            parts[axis] = (at * gap, -behind or None, step)
        return sliced(self.build, self.x, parts)


def convolved(taps: Taps, filters: Value, groups: int) -> Value:
    """Add a convolution with filters (out, in / groups, KH, KW)."""
    build, shape, filter_shape = taps.build, shape_of(taps.x), shape_of(filters)
    out, taken = filter_shape[0] or 0, filter_shape[1] or 0
    if shape[1] != taken * groups:
        raise InvalidModelError(
            f"weights are for {taken * groups} channels, its input has {shape[1]}"
        )
    depthwise = taken == 1 and out == groups
    rows, columns = taps.kernel
    if rows * columns * (1 if depthwise else groups) > _MOST_NODES:
        size = f"{rows}x{columns} taps in {groups} groups"
        raise Unsupported(f"its weights are computed by the network, which is too much for {size}")
    if depthwise:
        return _depthwise(taps, filters)
    shifted, made, parts = taps.shifted(), out // groups, []
    for group in range(groups):
        some = [sliced(build, x, {1: (group * taken, (group + 1) * taken, 1)}) for x in shifted]
        own = sliced(build, filters, {0: (group * made, (group + 1) * made, 1)})
        parts.append(_product(build, some, own))
    return parts[0] if groups == 1 else build.emit("concat", parts, axis=1)


def _depthwise(taps: Taps, filters: Value) -> Value:
    """Add a sum over the taps, in their order."""
    build, kernel = taps.build, taps.kernel
    total: Value | None = None
    for number, x in enumerate(taps.shifted()):
        row, column = divmod(number, kernel[1])
        weight = sliced(build, filters, {2: (row, row + 1, 1), 3: (column, column + 1, 1)})
        product = build.binary("mul", x, build.transpose(weight, (1, 0, 2, 3)))
        total = product if total is None else build.binary("add", total, product)
    assert total is not None
    return total


def _product(build: Builder, shifted: list[Value], filters: Value) -> Value:
    """Add a product of matrices: a row for each pixel, with all that its taps meet."""
    out, taken = shape_of(filters)[:2]
    rows = shifted[0] if len(shifted) == 1 else build.emit("concat", shifted, axis=1)
    length = len(shifted) * (taken or 0)
    matrix = build.reshape(build.transpose(filters, (2, 3, 1, 0)), (length, out or 0))
    y = build.emit("matmul", [build.transpose(rows, (0, 2, 3, 1)), matrix])
    return build.transpose(y, (0, 3, 1, 2))
