"""Operators that make values larger: padding, broadcasting, repetition."""

from __future__ import annotations

import numpy as np

from ...errors import InvalidModelError
from ..importing.builder import Builder
from ..importing.moving import expanded, gathered, sliced, tiled
from ..importing.values import Unsupported, Value, shape_of
from ..sizes import LARGEST_SIZE
from .call import Call
from .registry import operator


@operator("Pad")
def pad(call: Call) -> Value:
    """Import padding; what is less than 0 cuts."""
    build, x, shape = call.builder, call.value(0), call.shape()
    mode = str(call.attribute("mode", "constant"))
    if mode not in ("constant", "reflect", "edge", "wrap"):
        raise Unsupported(f"mode {mode!r} is not supported")
    amounts = call.ints_of("pads", 1, 11)
    value = float(call.attribute("value", 0.0)) if call.opset < 11 else 0.0
    if call.opset >= 11 and call.has(2) and call.known(2, "value").size:
        value = call.scalar(2, "value")
    axes = call.axes("axes", call.ints(3, "axes") if call.has(3) else None, len(shape))
    axes = axes if call.has(3) else list(range(len(shape)))
    if amounts is None or len(amounts) != 2 * len(axes):
        raise InvalidModelError(f"pads: need two for each of {len(axes)} axes, got {amounts}")
    if any(abs(n) > LARGEST_SIZE for n in amounts):
        raise InvalidModelError(f"pads: {amounts} is too much")
    before, after = [0] * len(shape), [0] * len(shape)
    cut: dict[int, tuple[int, int | None, int]] = {}
    for i, axis in enumerate(axes):
        low, high = amounts[i], amounts[i + len(axes)]
        before[axis], after[axis] = max(low, 0), max(high, 0)
        size = shape[axis]
        if min(low, high) < 0:
            if size is None or size + min(low, 0) + min(high, 0) < 1:
                raise Unsupported(f"its pads {amounts} leave nothing of axis {axis}")
            cut[axis] = (max(-low, 0), size + min(high, 0), 1)
    x = sliced(build, x, cut)
    if not any(before + after):
        return x
    if mode == "wrap":
        return _wrapped(build, x, before, after)
    return build.emit("pad", [x], mode=mode, before=tuple(before), after=tuple(after), value=value)


def _wrapped(build: Builder, x: Value, before: list[int], after: list[int]) -> Value:
    """Add the elements that follow each other round and round."""
    for axis, (low, high) in enumerate(zip(before, after, strict=True)):
        size = shape_of(x)[axis]
        if low == high == 0:
            continue
        if size is None:
            raise Unsupported("it pads the batch, whose size is unknown")
        low, size, high = int(low), int(size), int(high)  # open ones are settled
        build.charge((low + size + high,))
        x = gathered(build, x, axis, np.arange(-low, size + high) % size)
    return x


@operator("Expand")
def expand(call: Call) -> Value:
    """Import broadcasting to a shape."""
    return expanded(call.builder, call.value(0), call.sizes(1, "shape"))


@operator("Tile")
def tile(call: Call) -> Value:
    """Import a repetition of every axis: an axis of repeats before it, expanded, merged."""
    return tiled(call.builder, call.value(0), call.sizes(1, "repeats"))
