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
    places = []
    for axis, size in ((1, int(shape[2] or 0)), (0, int(shape[3] or 0))):  # open ones are settled
        part = build.reshape(sliced(build, grid, {3: (axis, axis + 1, 1)}), (0, 1, -1))
        places.append(_place(build, part, size, corners, padding))
    y = sampler.nearest(places) if mode == "nearest" else sampler.linear(places)
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
    """Values of an image (N, C, H, W) at whole coordinates (N, 1, points)."""

    def __init__(self, build: Builder, x: Value, padding: str, points: int) -> None:
        self.build = build
        self.channels, self.height, self.width = (int(n or 0) for n in shape_of(x)[1:])
        self.x = build.reshape(x, (0, self.channels, self.height * self.width))
        self.zeros = padding == "zeros"
        self.points = points

    def nearest(self, places: list[Value]) -> Value:
        return self.at([self.build.unary("round", place) for place in places])

    def linear(self, places: list[Value]) -> Value:
        build = self.build
        first = [build.unary("floor", place) for place in places]
        after = [build.binary("sub", p, f) for p, f in zip(places, first, strict=True)]
        before = [build.binary("sub", build.constant(1.0), a) for a in after]
        total: Value | None = None
        for row in (0, 1):
            for column in (0, 1):
                weights = [(before, after)[k][i] for i, k in enumerate((row, column))]
                corner = [
                    build.binary("add", f, float(k))
                    for f, k in zip(first, (row, column), strict=True)
                ]
                part = build.binary("mul", self.at(corner), build.binary("mul", *weights))
                total = part if total is None else build.binary("add", total, part)
        assert total is not None
        return total

    def at(self, places: list[Value]) -> Value:
        """Return the pixels at whole coordinates; outside they are zeros, or the nearest ones."""
        build = self.build
        sizes = (self.height, self.width)
        inside = [clipped(build, p, 0.0, size - 1.0) for p, size in zip(places, sizes, strict=True)]
        row, column = (build.cast(place, DType.INT64) for place in inside)
        index = build.binary("add", build.binary("mul", row, self.width), column)
        index = build.emit("expand", [index], shape=(0, self.channels, self.points))
        y = build.emit("gather_elements", [self.x, index], axis=2)
        if not self.zeros:
            return y
        for place, bounded in zip(places, inside, strict=True):
            same = build.emit("compare", [place, bounded], function="equal")
            y = build.emit("where", [same, y, build.constant(0.0)])
        return y
