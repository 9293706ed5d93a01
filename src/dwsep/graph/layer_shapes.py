"""The shapes of what layers make: nodes that have weights, or that work on images."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..errors import ShapeError
from .ir import Node
from .sizes import broadcast, shown, window
from .types import Shape

__all__ = ["LAYER_RULES", "Rule"]

# Of a node, the shapes of its inputs, and whether images are NHWC.
Rule = Callable[[Node, Sequence[Shape], bool], Shape]


def _image(shape: Shape, channels_last: bool) -> tuple[int | None, int, int, int]:
    """Return the sizes N, H, W, C."""
    if len(shape) != 4:
        raise ShapeError(f"need an image of 4 axes, got {shown(shape)}")
    n, *rest = shape
    if None in rest:
        raise ShapeError(f"need the batch as the first axis, got {shown(shape)}")
    a, b, c = (int(size) for size in rest if size is not None)
    return (n, a, b, c) if channels_last else (n, b, c, a)


def _from_image(n: int | None, size: Shape, channels: int, channels_last: bool) -> Shape:
    return (n, *size, channels) if channels_last else (n, channels, *size)


def _channels(wanted: int, got: int) -> None:
    if wanted != got:
        raise ShapeError(f"the weights are for {wanted} channels, the input has {got}")


def _residual(shape: Shape, inputs: Sequence[Shape]) -> Shape:
    if len(inputs) > 1 and broadcast(shape, inputs[1]) != shape:
        raise ShapeError(f"a residual {shown(inputs[1])} does not fit {shown(shape)}")
    return shape


def _batch_norm(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    shape = inputs[0]
    if len(shape) < 2:
        raise ShapeError(f"need an axis of channels, got {shown(shape)}")
    channels = shape[-1 if channels_last else 1]
    for name in ("scale", "shift"):
        _channels(node.weights[name].size, channels or 0)
    return shape


def _dense(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    shape = inputs[0]
    if not shape or shape[-1] is None:
        raise ShapeError(f"need a last axis of known size, got {shown(shape)}")
    taken, made = node.weights["weight"].shape[-2:]
    _channels(taken, shape[-1])
    return _residual((*shape[:-1], made), inputs)


def _pointwise(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    if channels_last:
        return _dense(node, inputs, channels_last)
    n, h, w, c = _image(inputs[0], channels_last)
    taken, made = node.weights["weight"].shape[-2:]
    _channels(taken, c)
    return _residual(_from_image(n, (h, w), made, channels_last), inputs)


def _conv(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    n, h, w, c = _image(inputs[0], channels_last)
    kh, kw, taken, made = node.weights["weight"].shape
    groups = node.attributes.get("groups", 1)
    _channels(taken * groups, c)
    if made % groups:
        raise ShapeError(f"{made} output channels do not divide into {groups} groups")
    size = window((h, w), (kh, kw), node.attributes)
    return _residual(_from_image(n, size, made, channels_last), inputs)


def _depthwise(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    n, h, w, c = _image(inputs[0], channels_last)
    kh, kw, taken, multiplier = node.weights["weight"].shape
    _channels(taken, c)
    size = window((h, w), (kh, kw), node.attributes)
    return _from_image(n, size, c * multiplier, channels_last)


def _separable(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    n, h, w, c = _image(inputs[0], channels_last)
    if "expand_weight" in node.weights:
        taken, c_expanded = node.weights["expand_weight"].shape[-2:]
        _channels(taken, c)
        c = c_expanded
    kh, kw, taken, multiplier = node.weights["depthwise_weight"].shape
    _channels(taken, c)
    size = window((h, w), (kh, kw), node.attributes)
    c *= multiplier
    if "reduce_weight" in node.weights:
        taken, reduced = node.weights["reduce_weight"].shape[-2:]
        _channels(taken, c)
        taken, gates = node.weights["excite_weight"].shape[-2:]
        _channels(taken, reduced)
        if gates != c:
            raise ShapeError(f"a gate of {gates} channels does not fit {c}")
    taken, made = node.weights["weight"].shape[-2:]
    _channels(taken, c)
    return _residual(_from_image(n, size, made, channels_last), inputs)


def _conv_transpose(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    n, h, w, c = _image(inputs[0], channels_last)
    attributes = node.attributes
    kh, kw, taken, made = node.weights["weight"].shape
    _channels(taken, c)
    groups = attributes.get("groups", 1)
    if c % groups:
        raise ShapeError(f"{c} channels do not divide into {groups} groups")
    top, bottom, left, right = attributes["padding"]
    size = tuple(
        (s - 1) * stride + (k - 1) * dilation + 1 - pad + extra
        for s, k, stride, dilation, pad, extra in zip(
            (h, w),
            (kh, kw),
            attributes["stride"],
            attributes["dilation"],
            (top + bottom, left + right),
            attributes["output_padding"],
            strict=True,
        )
    )
    return _from_image(n, size, made * groups, channels_last)


def _pool(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    n, h, w, c = _image(inputs[0], channels_last)
    size = window((h, w), node.attributes["kernel"], node.attributes)
    return _from_image(n, size, c, channels_last)


def _resize(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    n, _, _, c = _image(inputs[0], channels_last)
    return _from_image(n, tuple(node.attributes["size"]), c, channels_last)


def _zero_insert(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    n, h, w, c = _image(inputs[0], channels_last)
    rows, columns = node.attributes["stride"]
    return _from_image(n, ((h - 1) * rows + 1, (w - 1) * columns + 1), c, channels_last)


def _layer_norm(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    if not inputs[0]:
        raise ShapeError("need at least one axis, got ()")
    for name in ("scale", "shift"):
        _channels(node.weights[name].size, inputs[0][-1] or 0)
    return inputs[0]


LAYER_RULES: dict[str, Rule] = {
    "batch_norm": _batch_norm,
    "dense": _dense,
    "pointwise": _pointwise,
    "conv": _conv,
    "standard": _conv,
    "depthwise": _depthwise,
    "separable": _separable,
    "inverted_residual": _separable,
    "conv_transpose": _conv_transpose,
    "pool": _pool,
    "resize": _resize,
    "zero_insert": _zero_insert,
    "layer_norm": _layer_norm,
}
