"""Operators that move values without computing with them: reshapes and transpositions."""

from __future__ import annotations

from typing import Any

from ...errors import InvalidModelError
from ..importing.compositions import integers, reshaped, size_of, to_target
from ..importing.symbols import Dim
from ..importing.values import UNKNOWN, Known, Unsupported, Value, shape_of, type_of
from ..sizes import LARGEST_SIZE, known_product
from .call import Call
from .registry import operator


@operator("Reshape")
def reshape(call: Call) -> Value:
    """Import a reshape, with every size that is known filled in."""
    shape = call.shape()
    sizes = call.sizes(1, "shape")
    if not call.flag("allowzero", False):
        if any(n == 0 and i >= len(shape) for i, n in integers(sizes)):
            raise InvalidModelError(f"shape: a 0 in {sizes} keeps an axis that there is not")
        sizes = [
            size_of(shape, i) if isinstance(n, int) and n == 0 else n for i, n in enumerate(sizes)
        ]
    return reshaped(call.builder, call.value(0), sizes)


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
    sizes = [size_of(shape, i) for i in range(len(shape))]
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
    perm = call.attribute("perm", list(range(len(call.shape())))[::-1])
    return call.builder.transpose(call.value(0), perm)


@operator("Concat")
def concat(call: Call) -> Value:
    """Import a concatenation; constants that are empty along the axis, and fit, add nothing."""
    values = [call.value(i) for i in range(len(call.inputs))]
    axis = call.axis(call.attribute("axis", ...), len(call.shape()))
    first = next((v for v in values if not _is_empty(v)), values[0])
    values = [v for v in values if v is first or not _adds_nothing(v, first, axis)]
    return values[0] if len(values) == 1 else call.builder.emit("concat", values, axis=axis)


def _is_empty(value: Value) -> bool:
    return isinstance(value, Known) and value.array.size == 0


def _adds_nothing(value: Value, other: Value, axis: int) -> bool:
    if not _is_empty(value) or type_of(value).dtype is not type_of(other).dtype:
        return False
    wanted = list(shape_of(other))
    wanted[axis : axis + 1] = [0]
    return shape_of(value) == tuple(wanted)


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
