"""Pools and resizes images with NumPy, in the precision of the array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ir import Node
from .sizes import window

AnyArray = NDArray[Any]


def _rows_and_columns(x: AnyArray, channels_last: bool) -> AnyArray:
    """Return a view with rows and columns as the last axes."""
    return np.moveaxis(x, (1, 2), (-2, -1)) if channels_last else x


def _back(y: AnyArray, channels_last: bool) -> AnyArray:
    return np.moveaxis(y, (-2, -1), (1, 2)) if channels_last else y


def pool(node: Node, inputs: list[AnyArray], channels_last: bool) -> AnyArray:
    """Return the greatest or the mean of every window."""
    attributes = node.attributes
    x = _rows_and_columns(inputs[0], channels_last)
    top, bottom, left, right = attributes["padding"]
    maximum = attributes["function"] == "max"
    width = [(0, 0), (0, 0), (top, bottom), (left, right)]
    size = window((x.shape[2], x.shape[3]), attributes["kernel"], attributes)
    y = _windows(np.pad(x, width, constant_values=-np.inf if maximum else 0), node, size)
    if maximum:
        return _back(y.max(axis=0), channels_last)
    total = y.sum(axis=0)
    counted = np.ones(x.shape[2:], x.dtype)[None, None]
    if attributes.get("include_padding"):
        counted = np.pad(counted, width, constant_values=1)
    else:
        counted = np.pad(counted, width)
    return _back(total / _windows(counted, node, size).sum(axis=0), channels_last)


def _windows(x: AnyArray, node: Node, size: tuple[int | None, ...]) -> AnyArray:
    """Return the pixels under each tap of all windows, stacked along a new first axis."""
    (kh, kw), (sh, sw), (dh, dw) = (node.attributes[n] for n in ("kernel", "stride", "dilation"))
    h, w = (n or 0 for n in size)
    taps = [x[..., i * dh :: sh, j * dw :: sw][..., :h, :w] for i in range(kh) for j in range(kw)]
    return np.stack(taps)


def zero_insert(node: Node, inputs: list[AnyArray], channels_last: bool) -> AnyArray:
    """Return an image with zeros between its pixels."""
    x = _rows_and_columns(inputs[0], channels_last)
    rows, columns = node.attributes["stride"]
    size = ((x.shape[2] - 1) * rows + 1, (x.shape[3] - 1) * columns + 1)
    y = np.zeros((*x.shape[:2], *size), x.dtype)
    y[:, :, ::rows, ::columns] = x
    return _back(y, channels_last)


def resize(node: Node, inputs: list[AnyArray], channels_last: bool) -> AnyArray:
    """Return an image of another size."""
    x = _rows_and_columns(inputs[0], channels_last)
    for axis, (size, scale) in enumerate(
        zip(node.attributes["size"], node.attributes["scale"], strict=True)
    ):
        x = _along(node, x, axis + 2, size, scale)
    return _back(x, channels_last)


def _along(node: Node, x: AnyArray, axis: int, size: int, scale: float) -> AnyArray:
    """Resize one axis."""
    attributes = node.attributes
    before = x.shape[axis]
    at = _positions(attributes["coordinates"], before, size, scale)
    if attributes["function"] == "nearest":
        index = _ROUND[attributes["rounding"]](at)
        return np.asarray(x.take(np.clip(index, 0, before - 1).astype(np.int64), axis))
    first = np.floor(at)
    part = (at - first).astype(np.float64)
    if attributes["function"] == "linear":
        taps = {0: 1 - part, 1: part}
    else:
        taps = {k: _cubic(np.abs(part - k)) for k in (-1, 0, 1, 2)}
    shape = [-1 if i == axis else 1 for i in range(x.ndim)]
    total: Any = 0
    for k, weight in taps.items():
        index = np.clip(first + k, 0, before - 1).astype(np.int64)
        total = total + x.take(index, axis) * weight.reshape(shape).astype(x.dtype)
    return np.asarray(total)


def _positions(coordinates: str, before: int, size: int, scale: float) -> AnyArray:
    """Return where in the input the pixels of the output lie.

    In float32 whatever the array is: its rounding decides which pixel is the nearest in a tie.
    """
    i = np.arange(size, dtype=np.float32)
    half, factor = np.float32(0.5), np.float32(scale)
    if coordinates == "asymmetric":
        return np.asarray(i / factor)
    if coordinates == "align_corners":
        return np.asarray(i * np.float32(before - 1) / np.float32(max(size - 1, 1)))
    if coordinates == "pytorch_half_pixel" and size == 1:
        return np.zeros(1, np.float32)
    return np.asarray((i + half) / factor - half)


_ROUND: dict[str, Any] = {
    "round_prefer_floor": lambda at: np.ceil(at - 0.5),
    "round_prefer_ceil": lambda at: np.floor(at + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


def _cubic(t: AnyArray, a: float = -0.75) -> AnyArray:
    """Return Keys' kernel (Cubic Convolution Interpolation, 1981) at distances up to 2."""
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    return np.where(t <= 1, near, far)
