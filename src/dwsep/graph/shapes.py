"""The shape of a node's value, from the shapes of its inputs.

One function for each kind of node. The batch may be unknown (None); it stays None as long as it
stays one axis of its own, and what would mix it with other axes is refused. Everything else is
checked: a node that gets a shape here can be computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..errors import ShapeError
from .ir import Node, Shape
from .sizes import axis_of, broadcast, checked, reshaped, shown, window

Rule = Callable[[Node, Sequence[Shape], bool], Shape]

_RULES: dict[str, Rule] = {}


def infer(node: Node, input_shapes: Sequence[Shape], *, channels_last: bool = False) -> Shape:
    """Return the shape of a node's value.

    Parameters
    ----------
    node : Node
        Its attributes and weights are in the form that `ir` describes.
    input_shapes : sequence of Shape
        A shape for each input, None for the batch.
    channels_last : bool
        Whether images are NHWC, as they are after the layout pass, or NCHW as in ONNX files.

    Raises
    ------
    ShapeError
        If the shapes do not fit together; the message names the node and both sides.
    """
    rule = _RULES.get(node.kind)
    if rule is None:
        raise ShapeError(f"{_named(node)}: no such kind of node")
    try:
        shape = rule(node, input_shapes, channels_last)
        return checked(shape)
    except ShapeError as error:
        raise ShapeError(f"{_named(node)}: {error}") from None


def _named(node: Node) -> str:
    return f"{node.kind} {node.name or node.output!r}"


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


def _same(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    return inputs[0]


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


def _binary(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    shape = broadcast(*inputs)
    if node.attributes["function"] == "prelu" and shape != inputs[0]:
        raise ShapeError(f"a slope {shown(inputs[1])} does not fit {shown(inputs[0])}")
    return shape


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


def _reduce(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    axes = {axis_of(axis, inputs[0]) for axis in node.attributes["axes"]}
    if node.attributes["keepdims"]:
        return tuple(1 if axis in axes else n for axis, n in enumerate(inputs[0]))
    return tuple(n for axis, n in enumerate(inputs[0]) if axis not in axes)


def _softmax(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    axis_of(node.attributes["axis"], inputs[0])
    return inputs[0]


def _layer_norm(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    if not inputs[0]:
        raise ShapeError("need at least one axis, got ()")
    for name in ("scale", "shift"):
        _channels(node.weights[name].size, inputs[0][-1] or 0)
    return inputs[0]


def _concat(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    first = inputs[0]
    axis = axis_of(node.attributes["axis"], first)
    rest = first[:axis] + first[axis + 1 :]
    if any(len(s) != len(first) or s[:axis] + s[axis + 1 :] != rest for s in inputs):
        raise ShapeError(f"{', '.join(map(shown, inputs))} do not fit along axis {axis}")
    if any(s[axis] is None for s in inputs):
        raise ShapeError("cannot concatenate along the batch while its size is unknown")
    return (*first[:axis], sum(s[axis] or 0 for s in inputs), *first[axis + 1 :])


def _slice(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    starts, stops, steps = (node.attributes[name] for name in ("starts", "stops", "steps"))
    result: list[int | None] = []
    for size, start, stop, step in zip(inputs[0], starts, stops, steps, strict=True):
        if size is None:
            if (start, stop, step) != (0, None, 1):
                raise ShapeError("cannot take a part of the batch while its size is unknown")
            result.append(None)
        else:
            result.append(len(range(*slice(start, stop, step).indices(size))))
    return tuple(result)


def _pad(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    result: list[int | None] = []
    mode = node.attributes["mode"]
    for size, before, after in zip(
        inputs[0], node.attributes["before"], node.attributes["after"], strict=True
    ):
        if min(before, after) < 0:
            raise ShapeError(f"padding needs to be at least 0, got {before} and {after}")
        if size is None and before + after:
            raise ShapeError("cannot pad the batch while its size is unknown")
        if mode == "reflect" and size is not None and max(before, after) >= size:
            raise ShapeError(f"cannot reflect {max(before, after)} of {size}")
        result.append(None if size is None else size + before + after)
    return tuple(result)


def _transpose(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    perm = node.attributes["perm"]
    if sorted(perm) != list(range(len(inputs[0]))):
        raise ShapeError(f"{tuple(perm)} does not permute the axes of {shown(inputs[0])}")
    return tuple(inputs[0][axis] for axis in perm)


def _reshape(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    return reshaped(inputs[0], node.attributes["shape"])


def _matmul(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    a, b = inputs
    if len(a) < 2 or len(b) < 2 or a[-1] != b[-2] or a[-1] is None:
        raise ShapeError(f"cannot multiply {shown(a)} by {shown(b)}")
    return (*broadcast(a[:-2], b[:-2]), a[-2], b[-1])


def _gather(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    shape, indices = inputs[0], node.attributes["indices"]
    axis = axis_of(node.attributes["axis"], shape)
    size = shape[axis]
    if size is None:
        raise ShapeError("cannot take a part of the batch while its size is unknown")
    if indices.size and not -size <= indices.min() <= indices.max() < size:
        raise ShapeError(f"indices need to be from {-size} to {size - 1}")
    return (*shape[:axis], *indices.shape, *shape[axis + 1 :])


def _expand(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    shape, target = inputs[0], tuple(node.attributes["shape"])
    aligned = (1,) * (len(target) - len(shape)) + shape
    first = len(aligned) - len(target)
    return broadcast(
        shape, tuple(aligned[first + i] if n == 0 else n for i, n in enumerate(target))
    )


_RULES.update(
    dict.fromkeys(("activation", "unary", "identity"), _same),
    batch_norm=_batch_norm,
    dense=_dense,
    pointwise=_pointwise,
    conv=_conv,
    standard=_conv,
    depthwise=_depthwise,
    separable=_separable,
    inverted_residual=_separable,
    conv_transpose=_conv_transpose,
    binary=_binary,
    pool=_pool,
    resize=_resize,
    zero_insert=_zero_insert,
    reduce=_reduce,
    softmax=_softmax,
    layer_norm=_layer_norm,
    concat=_concat,
    slice=_slice,
    pad=_pad,
    transpose=_transpose,
    reshape=_reshape,
    matmul=_matmul,
    gather=_gather,
    expand=_expand,
)
