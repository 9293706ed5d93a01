"""Nodes that importers of several formats compose an operator of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._checks import LARGEST_FLOAT32
from ...errors import InvalidModelError
from ..ir import Array, DType
from ..sizes import LARGEST_SIZE, known_product
from .builder import Builder
from .values import UNKNOWN, Unsupported, Value, shape_of, type_of

if TYPE_CHECKING:
    pass


def to_target(shape: tuple[int | None, ...], sizes: list[Any]) -> list[int]:
    """Return sizes, all but the batch as numbers; the batch is 0 where it stays, else -1."""
    wanted = [n for n in sizes if not isinstance(n, (int, float))]  # Dims
    if any((n.times, n.plus) != (1, 0) for n in wanted) or len(wanted) > 1:
        raise Unsupported(f"its shape mixes the batch with other axes; it {UNKNOWN}")
    return [
        n if isinstance(n, int) else 0 if i < len(shape) and shape[i] is None else -1
        for i, n in enumerate(sizes)
    ]


def integers(sizes: list[Any]) -> list[tuple[int, int]]:
    return [(i, n) for i, n in enumerate(sizes) if isinstance(n, int)]


def clipped(build: Builder, x: Value, low: float, high: float) -> Value:
    """Add the activation that clips, by its best name."""
    if math.isnan(low) or math.isnan(high):
        raise InvalidModelError("its bounds are NaN")
    low = -math.inf if low <= -LARGEST_FLOAT32 else low
    high = math.inf if high >= LARGEST_FLOAT32 else high
    low = min(low, high)  # min(max(x, low), high) is high where low is more
    if (low, high) == (-math.inf, math.inf):
        return x
    if type_of(x).dtype is not DType.FLOAT32:
        x = x if low == -math.inf else build.binary("max", x, low)
        return x if high == math.inf else build.binary("min", x, high)
    names = {(0.0, math.inf): "relu", (0.0, 6.0): "relu6"}
    return build.activation(names.get((low, high), ("clip", low, high)), x)


def dense(
    build: Builder,
    x: Value,
    weight: Array,
    bias: Array | None = None,
    scales: dict[str, Any] | None = None,
) -> Value:
    """Add a product with a matrix (in, out) over the last axis; `scales` as `weight_scales`."""
    if weight.ndim != 2 or 0 in weight.shape:
        raise InvalidModelError(f"weights: need a matrix, got shape {weight.shape}")
    weights = {
        "weight": np.ascontiguousarray(weight),
        "bias": np.zeros(weight.shape[1], np.float32)
        if bias is None
        else np.ascontiguousarray(bias),
        **(scales or {}),
    }
    shape = shape_of(x)
    if len(shape) <= 4:
        return build.emit("dense", [x], weights, activation=None)
    rows = build.reshape(x, (0, -1, weight.shape[0]))  # the core's layers take up to four axes
    y = build.emit("dense", [rows], weights, activation=None)
    inner = (-1 if n is None else n for n in shape[1:-1])
    return build.reshape(y, (0, *inner, weight.shape[1]))


def size_of(shape: tuple[int | None, ...], axis: int) -> Any:
    """Return the size of an axis, of the batch a Dim."""
    if (n := shape[axis]) is not None:
        return n
    from .symbols import Dim

    return Dim(1)


def reshaped(build: Builder, x: Value, sizes: list[Any]) -> Value:
    """Add a reshape to sizes, of which one may be -1 and one the batch, a Dim."""
    shape = shape_of(x)
    if any(not -1 <= n <= LARGEST_SIZE or n == 0 for _, n in integers(sizes)):
        raise InvalidModelError(f"shape: need sizes and at most one -1, got {sizes}")
    if sum(n == -1 for _, n in integers(sizes)) > 1:
        raise InvalidModelError(f"shape: need at most one -1, got {sizes}")
    if -1 in [n for _, n in integers(sizes)]:
        _fill_in(shape, sizes)
    return build.reshape(x, to_target(shape, sizes))


def _fill_in(shape: tuple[int | None, ...], sizes: list[Any]) -> None:
    """Replace -1 by what remains."""
    at = next(i for i, n in integers(sizes) if n == -1)
    total: Any = known_product(shape)
    others: Any = 1
    for i, n in enumerate(sizes):
        if i != at:
            others = others * n
    if None in shape:
        from .symbols import Dim

        total = Dim(total)
    elif not isinstance(others, int):
        raise Unsupported(UNKNOWN)
    elif total % others:
        raise InvalidModelError(f"shape: {shape} has no {sizes}")
    try:
        sizes[at] = total // others
    except Unsupported:
        raise Unsupported(f"its shape mixes the batch with other axes; it {UNKNOWN}") from None
