"""Pixels of an image at computed places."""

from __future__ import annotations

from ...errors import InvalidModelError
from ..importing.builder import Builder
from ..importing.compositions import clipped
from ..importing.moving import sliced
from ..importing.values import Unsupported, Value, shape_of
from ..ir import DType
from .call import Call
from .registry import operator

# Of indices in floats, which are exact up to 2^24: arithmetic of integers takes ten times as long.
_MOST_PIXELS = 2**23


@operator("GridSample")
def grid_sample(call: Call) -> Value:
    """Import the nearest pixels, or weighted sums of four, each gathered."""
    build, x, grid = call.builder, call.value(0), call.value(1)
    mode = str(call.attribute("mode", "bilinear" if call.opset < 20 else "linear"))
    padding = str(call.attribute("padding_mode", "zeros"))
    if mode not in ("bilinear", "linear", "nearest"):
        raise Unsupported(f"mode {mode!r} is not supported")
    if padding not in ("zeros", "border", "reflection"):
        raise InvalidModelError(f"padding_mode: there is no {padding!r}")
    corners = call.flag("align_corners", False)
    shape, points = shape_of(x), shape_of(grid)
    if len(shape) != 4 or len(points) != 4 or points[3] != 2 or None in (*shape[1:], *points[1:]):
        raise Unsupported(f"only images and pairs are supported, got {shape} and {points}")
    sampler = _Sampler(build, x, padding, (points[1] or 0) * (points[2] or 0))
    # Rows of one coordinate: arithmetic on every second number took 8 us for 0.4 of 3,136.
    grid = build.transpose(build.reshape(grid, (0, -1, 2)), (0, 2, 1))
    places = []
    for axis, size in ((1, int(shape[2] or 0)), (0, int(shape[3] or 0))):  # open ones are settled
        part = build.reshape(sliced(build, grid, {1: (axis, axis + 1, 1)}), (0, -1, 1))
        places.append(_place(build, part, size, corners, padding))
    y = sampler.nearest(places) if mode == "nearest" else sampler.linear(places)
    y = build.transpose(y, (0, 2, 1))
    return build.reshape(y, (0, shape[1] or 0, points[1] or 0, points[2] or 0))


def _place(build: Builder, at: Value, size: int, corners: bool, padding: str) -> Value:
    """Return coordinates from -1 to 1 as those of pixels."""
    if corners:
        at = build.binary("mul", build.binary("add", at, 1.0), (size - 1) / 2)
    else:
        at = build.binary("sub", build.binary("mul", build.binary("add", at, 1.0), size / 2), 0.5)
    if padding == "reflection":
        at = _reflected(build, at, size, corners)
    return at if padding == "zeros" else clipped(build, at, 0.0, size - 1.0)


def _reflected(build: Builder, at: Value, size: int, corners: bool) -> Value:
    """Return coordinates reflected at the centres of the first and last pixel, or at their ends."""
    low, length = (0.0, size - 1.0) if corners else (-0.5, float(size))
    if length == 0:
        return build.binary("mul", at, 0.0)
    way = build.binary("sub", at, low)
    turns = build.unary("floor", build.binary("div", way, 2 * length))
    rest = build.binary("sub", way, build.binary("mul", turns, 2 * length))
    back = build.unary("abs", build.binary("sub", rest, length))
    return build.binary("add", build.unary("neg", back), low + length)


class _Sampler:
    """Pixels (N, points, C) of an image (N, C, H, W) at whole coordinates (N, points, 1).

    Pixels lie side by side, so that each is copied whole: 30x30 of 32 channels took 509 us by
    channels, and 124 so (AMD EPYC, Zen 3, 2026-11-29).
    """

    def __init__(self, build: Builder, x: Value, padding: str, points: int) -> None:
        self.build = build
        self.channels, self.height, self.width = (int(n or 0) for n in shape_of(x)[1:])
        self.points = points
        exact = self.height * self.width <= _MOST_PIXELS
        self.whole = DType.FLOAT32 if exact else DType.INT64
        self.alone = shape_of(x)[0] == 1
        x = build.reshape(x, (0, self.channels, self.height * self.width))
        x = build.transpose(x, (0, 2, 1))
        self.zeros = padding == "zeros"
        if self.zeros:  # one more pixel stands for those outside
            none, one = (0, 0, 0), (0, 1, 0)
            x = build.emit("pad", [x], mode="constant", value=0.0, before=none, after=one)
        self.x = x

    def nearest(self, places: list[Value]) -> Value:
        row, column = (self.number(self.build.unary("round", place)) for place in places)
        return self.at(self.rows(row), self.columns(column))

    def number(self, place: Value) -> Value:
        """Return 0 for NaN, axis by axis; `zeros` finds those outside by itself."""
        if self.zeros:
            return place
        same = self.build.emit("compare", [place, place], function="equal")
        return self.build.emit("where", [same, place, self.build.constant(0.0)])

    def linear(self, places: list[Value]) -> Value:
        build = self.build
        first = [build.unary("floor", place) for place in places]
        after = [build.binary("sub", p, f) for p, f in zip(places, first, strict=True)]
        before = [build.binary("sub", build.constant(1.0), a) for a in after]
        rows = [self.rows(build.binary("add", first[0], float(k))) for k in (0, 1)]
        columns = [self.columns(build.binary("add", first[1], float(k))) for k in (0, 1)]
        total: Value | None = None
        for row in (0, 1):
            for column in (0, 1):
                weights = [(before, after)[k][i] for i, k in enumerate((row, column))]
                pixels = self.at(rows[row], columns[column])
                part = build.binary("mul", pixels, build.binary("mul", *weights))
                total = part if total is None else build.binary("add", total, part)
        assert total is not None
        return total

    def rows(self, places: Value) -> Value:
        return self.offsets(places, self.height, self.width)

    def columns(self, places: Value) -> Value:
        return self.offsets(places, self.width, 1)

    def offsets(self, places: Value, size: int, step: int) -> Value:
        """Return by how much an index grows: outside the image beyond all, or as the nearest."""
        build = self.build
        inside = clipped(build, places, 0.0, size - 1.0)
        index = build.cast(inside, self.whole)
        index = build.binary("mul", index, step) if step > 1 else index
        if not self.zeros:
            return index
        same = build.emit("compare", [places, inside], function="equal")
        beyond = build.constant(self.height * self.width, self.whole)
        return build.emit("where", [same, index, beyond])

    def at(self, row: Value, column: Value) -> Value:
        """Return the pixels there; an index beyond the last one means that one."""
        build = self.build
        index = build.cast(build.binary("add", row, column), DType.INT64)
        if self.alone:
            return build.emit("take", [self.x, build.reshape(index, (self.points,))], axis=1)
        index = build.emit("expand", [index], shape=(0, self.points, self.channels))
        return build.emit("gather_elements", [self.x, index], axis=1)
