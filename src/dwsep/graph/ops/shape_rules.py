"""What shape rules of several families share."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ShapeError
from ..ir import Node
from ..sizes import shown
from ..types import Shape


def as_input(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    """Return the shape of the first input."""
    return inputs[0]


def image(shape: Shape, channels_last: bool) -> tuple[int | None, int, int, int]:
    """Return the sizes N, H, W, C."""
    if len(shape) != 4:
        raise ShapeError(f"need an image of 4 axes, got {shown(shape)}")
    n, *rest = shape
    if None in rest:
        raise ShapeError(f"need the batch as the first axis, got {shown(shape)}")
    a, b, c = (size for size in rest if size is not None)
    return (n, a, b, c) if channels_last else (n, b, c, a)


def from_image(n: int | None, size: Shape, channels: int, channels_last: bool) -> Shape:
    return (n, *size, channels) if channels_last else (n, channels, *size)


def check_channels(wanted: int, got: int) -> None:
    if wanted != got:
        raise ShapeError(f"the weights are for {wanted} channels, the input has {got}")
