"""Resizing whose filter grows with the step from pixel to pixel, as a matrix for each axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ..importing.builder import Builder
from ..importing.compositions import dense
from ..importing.values import Known, Unsupported, Value, shape_of
from ..ir import Array

if TYPE_CHECKING:
    from numpy.typing import NDArray


def antialiased(
    build: Builder,
    x: Value,
    mode: str,
    coordinates: str,
    size: tuple[int, int],
    scale: tuple[float, float],
) -> Value:
    """Add a resize of an image (N, C, H, W) to a size; weights outside are those of the border."""
    shape = shape_of(x)
    before = int(shape[2] or 0), int(shape[3] or 0)  # open sizes are settled: they make weights
    size, scale = (int(size[0]), int(size[1])), (float(scale[0]), float(scale[1]))
    if mode not in ("linear", "cubic") or coordinates not in _PLACES:
        raise Unsupported(f"antialias with {mode!r} and {coordinates!r} is not supported")
    for have, want in zip(before, size, strict=True):
        build.charge((have, want))
    rows, columns = (
        _matrix(mode, coordinates, *sizes) for sizes in zip(before, size, scale, strict=True)
    )
    if columns.shape[0] != columns.shape[1] or scale[1] != 1:
        x = dense(build, x, np.ascontiguousarray(columns.T))
    if rows.shape[0] != rows.shape[1] or scale[0] != 1:
        x = build.emit("matmul", [Known(rows), x])
    return x


_Places: TypeAlias = "NDArray[np.float64]"

_PLACES = {
    "half_pixel": lambda i, n, m, s: (i + 0.5) / s - 0.5,
    "pytorch_half_pixel": lambda i, n, m, s: (i + 0.5) / s - 0.5 if m > 1 else 0 * i,
    "asymmetric": lambda i, n, m, s: i / s,
    "align_corners": lambda i, n, m, s: i * (n - 1) / (m - 1) if m > 1 else 0 * i,
}


def _linear(at: _Places) -> _Places:
    return np.asarray(np.maximum(1 - np.abs(at), 0))


def _cubic(at: _Places) -> _Places:
    a, x = -0.75, np.abs(at)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _matrix(mode: str, coordinates: str, before: int, after: int, scale: float) -> Array:
    """Return the weights (after, before) of one axis."""
    wider = min(scale, 1.0)
    reach = (1 if mode == "linear" else 2) / wider
    places = _PLACES[coordinates](np.arange(after, dtype=np.float64), before, after, scale)
    taps = np.floor(places[:, None] - reach + 1).astype(np.int64) + np.arange(int(2 * reach) + 2)
    weights = (_linear if mode == "linear" else _cubic)((taps - places[:, None]) * wider)
    weights /= weights.sum(1, keepdims=True)
    matrix = np.zeros((after, before))
    np.add.at(matrix, (np.arange(after)[:, None], np.clip(taps, 0, before - 1)), weights)
    return matrix.astype(np.float32)
