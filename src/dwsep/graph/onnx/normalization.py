"""Normalizations whose statistics are the input's own."""

from __future__ import annotations

import numpy as np

from ...errors import InvalidModelError
from ..importing.builder import Builder
from ..importing.moving import sliced
from ..importing.values import Known, Unsupported, Value, shape_of
from ..ir import Array
from ..sizes import known_product
from .call import Call
from .registry import operator


def normalized(build: Builder, x: Value, axes: list[int], epsilon: float) -> Value:
    """Add the nodes of (x - mean) / sqrt(variance + epsilon) over some axes."""
    centred = build.binary("sub", x, build.reduce("mean", x, axes))
    variance = build.reduce("mean", build.binary("mul", centred, centred), axes)
    return build.binary("div", centred, build.unary("sqrt", build.binary("add", variance, epsilon)))


def _affine(build: Builder, x: Value, scale: Array, shift: Array) -> Value:
    """Add scale and shift of the channels (axis 1)."""
    shape = (-1,) + (1,) * (len(shape_of(x)) - 2)
    y = build.binary("mul", x, Known(scale.reshape(shape)))
    return build.binary("add", y, Known(shift.reshape(shape)))


@operator("LayerNormalization")
def layer_norm(call: Call) -> Value:
    """Import a normalization over the axes from `axis` on."""
    if any(call.outputs[1:]):
        raise Unsupported("its mean or deviation is used")
    build, x, shape = call.builder, call.value(0), call.shape()
    axis = call.axis(call.attribute("axis", -1), len(shape))
    inner = shape[axis:]
    if None in inner:
        raise Unsupported("it normalizes over the batch")
    size = known_product(inner)
    scale = _spread(call.weight(1, "scale"), inner)
    zeros = np.zeros(size, np.float32)
    shift = _spread(call.weight(2, "bias"), inner) if call.has(2) else zeros
    flat = build.reshape(x, [*[0] * axis, size])
    epsilon = call.number("epsilon", 1e-5)
    y = build.emit("layer_norm", [flat], {"scale": scale, "shift": shift}, epsilon=epsilon)
    return build.reshape(y, [*[0] * axis, *(n or 0 for n in inner)])


def _spread(array: Array, inner: tuple[int | None, ...]) -> Array:
    sizes = tuple(n or 0 for n in inner)
    if array.size > known_product(inner) or array.ndim > len(sizes):
        raise InvalidModelError(f"weights of shape {array.shape} do not fit the axes {sizes}")
    if array.size == known_product(inner):
        return np.ascontiguousarray(array.reshape(-1))
    if known_product(inner) > 2**24:
        raise Unsupported(f"weights of shape {array.shape} for {sizes} are too many")
    return np.ascontiguousarray(np.broadcast_to(array, sizes).reshape(-1))


def _two(call: Call, size: int) -> tuple[Array, Array]:
    scale, shift = call.weight(1, "scale"), call.weight(2, "bias")
    for name, array in (("scale", scale), ("bias", shift)):
        if array.shape != (size,):
            raise InvalidModelError(f"{name}: need shape ({size},), got {array.shape}")
    return scale, shift


@operator("InstanceNormalization")
def instance_norm(call: Call) -> Value:
    """Import a normalization of every channel of every image."""
    shape = call.shape()
    if len(shape) < 3 or shape[1] is None:
        raise Unsupported(f"need images with channels, its input has {len(shape)} axes")
    scale, shift = _two(call, shape[1])
    epsilon = call.number("epsilon", 1e-5)
    build = call.builder
    y = normalized(build, call.value(0), list(range(2, len(shape))), epsilon)
    return _affine(build, y, scale, shift)


@operator("GroupNormalization")
def group_norm(call: Call) -> Value:
    """Import a normalization of groups of channels; weights are a group's before opset 21."""
    build, x, shape = call.builder, call.value(0), call.shape()
    groups = call.attribute("num_groups", ...)
    if len(shape) < 3 or shape[1] is None:
        raise Unsupported(f"need images with channels, its input has {len(shape)} axes")
    if groups < 1 or shape[1] % groups:
        raise InvalidModelError(f"num_groups: {groups} does not divide {shape[1]} channels")
    scale, shift = _two(call, groups if call.opset < 21 else shape[1])
    if call.opset < 21:
        scale, shift = (np.repeat(a, shape[1] // groups) for a in (scale, shift))
    inner = known_product(shape[1:])
    parts = build.reshape(x, (0, groups, inner // groups))
    y = normalized(build, parts, [2], call.number("epsilon", 1e-5))
    return _affine(build, build.reshape(y, (0, *(n or 0 for n in shape[1:]))), scale, shift)


@operator("MeanVarianceNormalization")
def mean_variance(call: Call) -> Value:
    """Import a normalization that adds a little to the deviation, not to the variance."""
    build, x = call.builder, call.value(0)
    axes = call.axes("axes", list(call.attribute("axes", [0, 2, 3])), len(call.shape()))
    centred = build.binary("sub", x, build.reduce("mean", x, axes))
    variance = build.reduce("mean", build.binary("mul", centred, centred), axes)
    return build.binary("div", centred, build.binary("add", build.unary("sqrt", variance), 1e-9))


@operator("LpNormalization")
def lp_normalization(call: Call) -> Value:
    """Import a division by a norm along an axis; nothing is divided by 0."""
    build, x = call.builder, call.value(0)
    axis = call.axis(call.attribute("axis", -1), len(call.shape()))
    p = call.attribute("p", 2)
    if p not in (1, 2):
        raise InvalidModelError(f"p: need 1 or 2, got {p}")
    parts = build.binary("mul", x, x) if p == 2 else build.unary("abs", x)
    norm = build.reduce("sum", parts, [axis])
    norm = build.unary("sqrt", norm) if p == 2 else norm
    none = build.emit("compare", [norm, build.constant(0)], function="equal")
    return build.binary("div", x, build.emit("where", [none, build.constant(1), norm]))


_MOST_NEIGHBOURS = 64


@operator("LRN")
def local_response(call: Call) -> Value:
    """Import x / (bias + alpha * mean of the squares of neighbouring channels) ** beta."""
    build, x, shape = call.builder, call.value(0), call.shape()
    size = call.attribute("size", ...)
    if len(shape) < 2 or shape[1] is None or not 1 <= size <= _MOST_NEIGHBOURS:
        raise Unsupported(f"need channels, of which 1 to {_MOST_NEIGHBOURS} are neighbours")
    before, after = (size - 1) // 2, size // 2
    rest = [0] * (len(shape) - 2)
    squares = build.emit(
        "pad",
        [build.binary("mul", x, x)],
        mode="constant",
        before=(0, before, *rest),
        after=(0, after, *rest),
        value=0.0,
    )
    total = sliced(build, squares, {1: (0, shape[1], 1)})
    for i in range(1, size):
        total = build.binary("add", total, sliced(build, squares, {1: (i, i + shape[1], 1)}))
    scaled = build.binary("mul", total, call.number("alpha", 1e-4) / size)
    scaled = build.binary("add", scaled, call.number("bias", 1.0))
    beta = build.constant(call.number("beta", 0.75))
    return build.binary("div", x, build.binary("pow", scaled, beta))
