"""Fourier transforms of real numbers, as products with matrices.

A complex value is one of float32 whose last axis has all real parts, then all imaginary ones; few
operators take it. A transform of n = a b numbers is a of b numbers and b of a numbers (Cooley and
Tukey, 1965): of 2048 numbers, 32 and 64, a tenth of the multiplications of one product.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ...errors import InvalidModelError
from ..importing.builder import Builder
from ..importing.compositions import dense
from ..importing.moving import sliced
from ..importing.values import Unsupported, Value, shape_of
from ..ir import Array
from .call import Call, operator
from .parts import COMPLEX

if TYPE_CHECKING:
    from numpy.typing import NDArray

Wide: TypeAlias = "NDArray[np.float64]"

_LONGEST = 4096  # a matrix of 64 MB


@operator("RFFT2D")
def rfft2d(call: Call) -> Value:
    """Import a transform of the last axis; the axis before it has one row."""
    lengths, shape = call.ints(1, "fft_length"), call.shape()
    if len(lengths) != 2 or len(shape) < 2:
        raise InvalidModelError(f"fft_length: need two for {shape}, got {lengths}")
    given, length = shape[-1], lengths[1]
    if lengths[0] != 1 or shape[-2] != 1 or given is None:
        raise Unsupported(f"a transform of two axes, {shape} to {lengths}, is not supported")
    if not 1 <= length <= _LONGEST:
        raise Unsupported(f"a transform of {length} numbers, more than {_LONGEST}")
    build, x = call.builder, call.value(0)
    call.builder.charge((length, length + 2), work=given * length)
    if given > length:  # those beyond are not read
        x = sliced(build, x, {len(shape) - 1: (0, length, 1)})
    middle = [n for n in shape[1:-1] if n is not None]
    columns = _columns(length) if len(middle) == len(shape[1:-1]) else 0
    if columns == 0:
        return dense(build, x, _matrix(min(given, length), length))
    if given < length:  # those left out are zeros
        after = (*[0] * (len(shape) - 1), length - given)
        before = (0,) * len(shape)
        x = build.emit("pad", [x], mode="constant", before=before, after=after, value=0.0)
    rows = math.prod(middle)
    y = _in_two(build, build.reshape(x, (0, rows, 1, length)), rows, columns, length // columns)
    return build.reshape(y, (0, *middle, length + 2))


def _columns(length: int) -> int:
    """Return a, where a transform of a b numbers is worth two; 0 where it is not."""
    both = [(a + length // a, a) for a in range(2, length) if length % (2 * a) == 0]
    least, columns = min(both, default=(length, 0))
    return columns if 8 * least < length else 0


def _waves(turns: NDArray[np.int64], length: int) -> tuple[Wide, Wide]:
    """Return cosines and negative sines of so many parts of a circle."""
    angles = 2 * np.pi / length * (turns % length)
    return np.cos(angles), -np.sin(angles)


def _matrix(taken: int, length: int) -> Array:
    """Return the matrix of a transform of numbers of which only the first may be not 0."""
    waves = _waves(np.outer(np.arange(taken), np.arange(length // 2 + 1)), length)
    return np.concatenate(waves, axis=1).astype(np.float32)


def _in_two(build: Builder, x: Value, rows: int, a: int, b: int) -> Value:
    """Transform (N, rows, 1, a b) to the real parts, then the imaginary ones."""
    length = a * b
    y = build.transpose(build.reshape(x, (0, rows, a, b)), (0, 1, 3, 2))
    # Columns for each of a frequencies: real, imaginary.
    first = np.stack(_waves(np.outer(np.arange(a), np.arange(a)), a), axis=-1)
    y = dense(build, y, first.reshape(a, 2 * a).astype(np.float32))
    y = build.reshape(build.transpose(y, (0, 1, 3, 2)), (0, rows, 1, 2 * length))
    # A group for each of the a frequencies: from b complex numbers to half as many.
    frequencies = np.arange(a)[:, None] + a * np.arange(b // 2)
    turns = np.arange(b)[:, None, None] * frequencies  # (b, a, b / 2)
    c, s = _waves(turns, length)
    second = np.stack([np.stack([c, s], axis=2), np.stack([-s, c], axis=2)])  # (2, b, a, 2, b / 2)
    weights = {
        "weight": second.reshape(1, 1, 2 * b, length).astype(np.float32),
        "bias": np.zeros(length, np.float32),
    }
    window: dict[str, Any] = {"stride": (1, 1), "dilation": (1, 1), "padding": (0, 0, 0, 0)}
    y = build.emit("conv", [y], weights, **window, groups=a, activation=None)
    y = build.transpose(build.reshape(y, (0, rows, a, b)), (0, 1, 3, 2))
    y = build.reshape(y, (0, rows, 1, length))
    highest = np.stack([1.0 - 2 * (np.arange(length) % 2), np.zeros(length)], axis=1)
    last = dense(build, x, highest.astype(np.float32))
    half = length // 2
    cuts = [(y, 0, half), (last, 0, 1), (y, half, length), (last, 1, 2)]
    parts = [sliced(build, value, {3: (start, stop, 1)}) for value, start, stop in cuts]
    return build.emit("concat", parts, axis=3)


def _part(call: Call, index: int) -> Value:
    """Return the real or the imaginary part of the input."""
    x, shape = call.value(0), shape_of(call.value(0))
    tensor = call.tensors[0]
    if tensor is None or tensor.type != COMPLEX or not shape or (shape[-1] or 1) % 2:
        raise Unsupported("it takes no complex numbers of RFFT2D")
    half = (shape[-1] or 0) // 2
    return sliced(call.builder, x, {len(shape) - 1: (index * half, (index + 1) * half, 1)})


@operator("REAL", "IMAG")
def real(call: Call) -> Value:
    """Import one part of complex numbers; a cast to real ones is the first."""
    return _part(call, 1 if call.type == "IMAG" else 0)


@operator("COMPLEX_ABS")
def complex_abs(call: Call) -> Value:
    """Import the distance from 0."""
    build = call.builder
    a, b = (build.binary("mul", p, p) for p in (_part(call, 0), _part(call, 1)))
    return build.unary("sqrt", build.binary("add", a, b))
