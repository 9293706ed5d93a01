"""Opsets 1 to 6: what their operators meant, as operators of opset 7."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...errors import InvalidModelError
from ..importing.builder import Builder
from ..importing.node import FileNode
from ..importing.values import Known, Value, shape_of
from ..replaced import replaced
from .model import onnx_package

SINCE = 7  # the opset whose operators the others say themselves

_GONE = {"consumed_inputs", "is_test", "broadcast"}
_BROADCASTING = (
    *("Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Less", "Greater"),
)

Node = tuple[FileNode, "list[Value | None]"]


def modern(build: Builder, node: FileNode, inputs: list[Value | None], opset: int) -> Node:
    """Return a node of an opset before 7 as one of opset 7, and its inputs."""
    attributes = {k: v for k, v in node.attributes.items() if k not in _GONE}
    broadcasts = node.attributes.get("broadcast") == 1
    node = replaced(node, attributes=attributes)
    inputs = list(inputs)
    if node.type in _BROADCASTING:
        _align(build, node, inputs, broadcasts)
    elif node.type == "PRelu" and len(inputs) == 2:
        _align_slope(build, inputs)
    elif node.type in _CHANGED:
        before, change = _CHANGED[node.type]
        if opset < before:
            change(node, inputs)
    return replaced(node, inputs=[*node.inputs, *[""] * (len(inputs) - len(node.inputs))]), inputs


def _align(build: Builder, node: FileNode, inputs: list[Value | None], broadcasts: bool) -> None:
    """Have the axes of the second operand begin at an axis of the first, as `axis` says."""
    axis = node.attributes.pop("axis", None)
    a, b = [*inputs, None, None][:2]
    if a is None or b is None:
        return
    before, shape = shape_of(a), shape_of(b)
    if not broadcasts:
        if before != shape:
            raise InvalidModelError(f"shapes {before} and {shape} differ, without broadcast")
    elif axis is not None:
        rest = len(before) - axis - len(shape) if isinstance(axis, int) else -1
        if rest < 0 or axis < 0:
            raise InvalidModelError(f"axis: {axis} does not fit {before} and {shape}")
        if None not in shape:
            inputs[1] = build.reshape(b, [*[n or 0 for n in shape], *[1] * rest])


def _align_slope(build: Builder, inputs: list[Value | None]) -> None:
    """Slopes of the channels lie along axis 1."""
    x, slope = inputs
    if x is None or slope is None or len(shape_of(slope)) != 1:
        return
    inputs[1] = build.reshape(slope, [-1, *[1] * max(len(shape_of(x)) - 2, 0)])


def _integers(inputs: list[Value | None], numbers: object) -> None:
    if not isinstance(numbers, list):
        raise InvalidModelError(f"need integers, got {numbers!r}")
    inputs.append(Known(np.array(numbers, np.int64)))


def _reshape(node: FileNode, inputs: list[Value | None]) -> None:
    _integers(inputs, node.attributes.pop("shape", None))


def _cast(node: FileNode, inputs: list[Value | None]) -> None:
    to, types = node.attributes.get("to"), dict(onnx_package().TensorProto.DataType.items())
    if not isinstance(to, str) or to not in types:
        raise InvalidModelError(f"to: need the name of a type, got {to!r}")
    node.attributes["to"] = types[to]


def _concat(node: FileNode, inputs: list[Value | None]) -> None:
    node.attributes.setdefault("axis", 1)


def _pad(node: FileNode, inputs: list[Value | None]) -> None:
    if "paddings" in node.attributes:
        node.attributes["pads"] = node.attributes.pop("paddings")


def _tile(node: FileNode, inputs: list[Value | None]) -> None:
    """Repeat one axis, which is an input as the number is."""
    numbers = []
    for value in inputs[1:3]:
        if not isinstance(value, Known) or value.array.size != 1:
            raise InvalidModelError("tiles and axis: need numbers that are known")
        numbers.append(int(value.array.reshape(())[()]))
    if len(numbers) != 2 or inputs[0] is None:
        raise InvalidModelError("need a value, tiles and an axis")
    rank = len(shape_of(inputs[0]))
    if not 0 <= numbers[1] < rank:
        raise InvalidModelError(f"axis: need from 0 to {rank - 1}, got {numbers[1]}")
    repeats = [1] * rank
    repeats[numbers[1]] = numbers[0]
    del inputs[1:]
    _integers(inputs, repeats)
    del node.inputs[2:]


def _upsample(node: FileNode, inputs: list[Value | None]) -> None:
    """Scales were those of rows and columns."""
    scales = [node.attributes.pop(f"{side}_scale", None) for side in ("height", "width")]
    if not all(isinstance(scale, float) for scale in scales):
        raise InvalidModelError(f"need height_scale and width_scale, got {scales}")
    node.attributes["scales"] = [1.0, 1.0, *scales]


def _recurrent(node: FileNode, inputs: list[Value | None]) -> None:
    node.attributes.pop("output_sequence", None)


# Of an operator, the opset that changed it, and what the older ones need.
_CHANGED: dict[str, tuple[int, Callable[[FileNode, list[Value | None]], None]]] = {
    "Reshape": (5, _reshape),
    "Cast": (6, _cast),
    "Concat": (4, _concat),
    "Pad": (2, _pad),
    "Tile": (6, _tile),
    "Upsample": (7, _upsample),
    **{name: (7, _recurrent) for name in ("RNN", "GRU", "LSTM")},
}
