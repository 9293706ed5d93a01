"""Operators that move values without computing with them."""

from __future__ import annotations

from typing import Any

from ...errors import InvalidModelError
from ..importing.compositions import (
    reshaped,
    size_of,
)
from ..importing.values import Known, Unsupported, Value
from ..sizes import LARGEST_SIZE
from .call import Call, operator


def target(call: Call) -> list[Any]:
    """Return the shape that a RESHAPE asks for: an input, an option, or that of its output."""
    if call.has(1):
        return call.sizes(1, "shape")
    sizes = call.option("new_shape")
    return list(sizes if sizes is not None else call.results[0].shape)


@operator("DENSIFY")
def densify(call: Call) -> Value:
    """Import the dense array that a sparse constant stands for: they are read as such."""
    return Known(call.known(0, "input"))


@operator("RESHAPE")
def reshape(call: Call) -> Value:
    """Import a reshape."""
    return reshaped(call.builder, call.value(0), target(call))


@operator("SQUEEZE")
def squeeze(call: Call) -> Value:
    """Import a reshape that takes axes of size 1 away; all of them if none is named."""
    shape = call.shape()
    axes = call.axes("squeeze_dims", call.option("squeeze_dims", []), len(shape))
    axes = axes or [axis for axis, n in enumerate(shape) if n == 1]
    if any(shape[axis] != 1 for axis in axes):
        raise InvalidModelError(f"squeeze_dims: {axes} are not all of size 1 in {shape}")
    sizes = [size_of(shape, axis) for axis in range(len(shape)) if axis not in axes]
    return reshaped(call.builder, call.value(0), sizes)


@operator("EXPAND_DIMS")
def expand_dims(call: Call) -> Value:
    """Import a reshape that inserts an axis of size 1."""
    axes, shape = call.ints(1, "axis"), call.shape()
    if len(axes) != 1:
        raise InvalidModelError(f"axis: need one, got {axes}")
    sizes = [size_of(shape, axis) for axis in range(len(shape))]
    sizes.insert(call.axis(axes[0], len(shape) + 1), 1)
    return reshaped(call.builder, call.value(0), sizes)


@operator("TRANSPOSE")
def transpose(call: Call) -> Value:
    """Import a permutation of the axes."""
    perm = call.ints(1, "perm")
    if sorted(perm) != list(range(len(call.shape()))):
        raise InvalidModelError(f"perm: {perm} does not permute {len(call.shape())} axes")
    return call.builder.transpose(call.value(0), perm)


@operator("CONCATENATION")
def concatenation(call: Call) -> Value:
    """Import a concatenation."""
    values = [call.real(i) for i in range(len(call.inputs))]
    axis = call.axis(call.option("axis", 0), len(call.shape()))
    y = values[0] if len(values) == 1 else call.builder.emit("concat", values, axis=axis)
    return call.activated(y)


@operator("PAD", "PADV2", "MIRROR_PAD")
def pad(call: Call) -> Value:
    """Import padding; a mirror that repeats the border is one of the edge if it is one wide."""
    shape, amounts = call.shape(), call.known(1, "paddings")
    if amounts.shape != (len(shape), 2) or amounts.dtype.kind != "i":
        raise InvalidModelError(f"paddings: need shape ({len(shape)}, 2), got {amounts.shape}")
    rows = amounts.tolist()
    before, after = [row[0] for row in rows], [row[1] for row in rows]
    if not all(0 <= n <= LARGEST_SIZE for n in before + after):
        raise InvalidModelError("paddings: need numbers of at least 0")
    mode, value = "constant", 0.0
    if call.type == "PADV2":
        constant = call.weight(2, "value")
        if constant.size != 1:
            raise InvalidModelError(f"value: need one number, got shape {constant.shape}")
        value = float(constant.reshape(())[()])
    elif call.type == "MIRROR_PAD":
        mode = "reflect" if call.option("mode", 0) == 0 else "edge"
        if mode == "edge" and max(*before, *after, 0) > 1:
            raise Unsupported("SYMMETRIC is supported for one row and column only")
    if not any(before + after):
        return call.value(0)
    return call.builder.emit(
        "pad", [call.value(0)], mode=mode, before=tuple(before), after=tuple(after), value=value
    )
