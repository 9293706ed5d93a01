"""The type of a node's value, from the types of its inputs.

One function for each kind of node; those of layers are in `layer_shapes`. The batch may be unknown
(None); it stays None as long as it stays one axis of its own, and what would mix it with other axes
is refused. Everything else is checked: a node that gets a shape here can be computed.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ShapeError
from .ir import Node
from .layer_shapes import LAYER_RULES, Rule
from .sizes import axis_of, broadcast, checked, reshaped, shown
from .types import DType, Shape, TensorType

__all__ = ["infer"]


def infer(
    node: Node, input_types: Sequence[TensorType], *, channels_last: bool = False
) -> TensorType:
    """Return the type of a node's value.

    Parameters
    ----------
    node : Node
        Its attributes and weights are in the form that `ir` describes.
    input_types : sequence of TensorType
        One for each input; all are float32 so far.
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
        shape = checked(rule(node, [type_.shape for type_ in input_types], channels_last))
    except ShapeError as error:
        raise ShapeError(f"{_named(node)}: {error}") from None
    return TensorType(shape, DType.FLOAT32)


def _named(node: Node) -> str:
    return f"{node.kind} {node.name or node.output!r}"


def _same(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    return inputs[0]


def _binary(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    shape = broadcast(*inputs)
    if node.attributes["function"] == "prelu" and shape != inputs[0]:
        raise ShapeError(f"a slope {shown(inputs[1])} does not fit {shown(inputs[0])}")
    return shape


def _reduce(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    axes = {axis_of(axis, inputs[0]) for axis in node.attributes["axes"]}
    if node.attributes["keepdims"]:
        return tuple(1 if axis in axes else n for axis, n in enumerate(inputs[0]))
    return tuple(n for axis, n in enumerate(inputs[0]) if axis not in axes)


def _softmax(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    axis_of(node.attributes["axis"], inputs[0])
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


_RULES: dict[str, Rule] = {
    **LAYER_RULES,
    **dict.fromkeys(("activation", "unary", "identity"), _same),
    "binary": _binary,
    "reduce": _reduce,
    "softmax": _softmax,
    "concat": _concat,
    "slice": _slice,
    "pad": _pad,
    "transpose": _transpose,
    "reshape": _reshape,
    "matmul": _matmul,
    "gather": _gather,
    "expand": _expand,
}
