"""Operators that make values larger: padding, broadcasting, repetition."""

from __future__ import annotations

from ...errors import InvalidModelError
from ..importing.symbols import Dim
from ..importing.unsupported import Unsupported
from ..importing.values import Value, shape_of
from ..sizes import LARGEST_SIZE
from .call import Call
from .registry import operator
from .reshapes import integers, sizes_with, to_target
from .slices import sliced


@operator("Pad")
def pad(call: Call) -> Value:
    """Import padding; what is less than 0 cuts."""
    build, x, shape = call.builder, call.value(0), call.shape()
    mode = str(call.attribute("mode", "constant"))
    if mode not in ("constant", "reflect", "edge"):
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
    return build.emit("pad", [x], mode=mode, before=tuple(before), after=tuple(after), value=value)


@operator("Expand")
def expand(call: Call) -> Value:
    """Import broadcasting to a shape."""
    x, shape = call.value(0), call.shape()
    sizes = call.sizes(1, "shape")
    if any(not 1 <= n <= LARGEST_SIZE for _, n in integers(sizes)):
        raise InvalidModelError(f"shape: need sizes of at least 1, got {sizes}")
    rank = max(len(sizes), len(shape))
    aligned = (1,) * (rank - len(shape)) + shape
    sizes = [1] * (rank - len(sizes)) + sizes
    target = []
    for have, n in zip(aligned, sizes, strict=True):
        if have is None and (n == 1 if isinstance(n, int) else n == Dim(1)):
            target.append(0)
        elif not isinstance(n, int):
            raise Unsupported("it repeats something as often as there are images in the batch")
        else:
            target.append(max(n, have or 0) if n == 1 else n)
    if rank == len(shape) and all(n in (0, have) for n, have in zip(target, shape, strict=True)):
        return x
    return call.builder.emit("expand", [x], shape=tuple(target))


@operator("Tile")
def tile(call: Call) -> Value:
    """Import a repetition of every axis: an axis of repeats before it, expanded, merged."""
    x, shape = call.value(0), call.shape()
    repeats = call.ints(1, "repeats")
    if len(repeats) != len(shape) or any(not 1 <= n <= LARGEST_SIZE for n in repeats):
        raise InvalidModelError(f"repeats: need {len(shape)} of at least 1, got {repeats}")
    build = call.builder
    for axis, n in enumerate(repeats):
        if n == 1:
            continue
        if shape[axis] is None:
            raise Unsupported("it repeats the batch, whose size is unknown")
        sizes = [m if m is not None else 0 for m in shape_of(x)]
        if sizes[axis] == 1:
            target = tuple(n if i == axis else m for i, m in enumerate(sizes))
            x = build.emit("expand", [x], shape=target)
            continue
        apart = build.reshape(x, to_target(shape_of(x), sizes_with(x, axis, [1, sizes[axis]])))
        spread = build.emit(
            "expand",
            [apart],
            shape=tuple(n if i == axis else m or 0 for i, m in enumerate(shape_of(apart))),
        )
        merged = sizes_with(x, axis, [n * sizes[axis]])
        x = build.reshape(spread, to_target(shape_of(spread), merged))
    return x
