"""Fourier transforms of real numbers, as products with the matrix of the transform.

A complex value is one of float32 whose last axis has all real parts, then all imaginary ones; few
operators take it. Rows of 2048 numbers are the most that networks on sound transform at once, whose
matrix costs less than their first convolutions.
"""

from __future__ import annotations

import numpy as np

from ...errors import InvalidModelError
from ..importing.compositions import dense, sliced
from ..importing.unsupported import Unsupported
from ..importing.values import Value, shape_of
from .call import Call
from .registry import operator

COMPLEX = "complex64"
TAKES_COMPLEX = ("SQUEEZE", "EXPAND_DIMS", "CAST", "COMPLEX_ABS", "REAL", "IMAG")
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
    taken = min(given, length)  # those left out are zeros, those beyond are not read
    call.builder.charge((given, length + 2), work=given * length)
    turns = np.outer(np.arange(taken), np.arange(length // 2 + 1)) % length
    angles = 2 * np.pi / length * turns
    matrix = np.zeros((given, 2 * angles.shape[1]), np.float32)
    matrix[:taken] = np.concatenate([np.cos(angles), -np.sin(angles)], axis=1)
    return dense(call.builder, call.value(0), matrix)


def part(call: Call, index: int) -> Value:
    """Return the real or the imaginary part of the input."""
    x, shape = call.value(0), shape_of(call.value(0))
    tensor = call.tensors[0]
    if tensor is None or tensor.type != COMPLEX or not shape or (shape[-1] or 1) % 2:
        raise Unsupported("it takes no complex numbers of RFFT2D")
    half = (shape[-1] or 0) // 2
    return sliced(call.builder, x, {len(shape) - 1: (index * half, (index + 1) * half, 1)})


@operator("REAL", "IMAG")
def real(call: Call) -> Value:
    """Import one part of complex numbers."""
    return part(call, 0 if call.type == "REAL" else 1)


@operator("COMPLEX_ABS")
def complex_abs(call: Call) -> Value:
    """Import the distance from 0."""
    build = call.builder
    a, b = (build.binary("mul", p, p) for p in (part(call, 0), part(call, 1)))
    return build.unary("sqrt", build.binary("add", a, b))


def check_use(call: Call) -> None:
    """Refuse complex numbers where an operator would take them for others."""
    computed = [t for t, v in zip(call.tensors, call.inputs, strict=True) if t and v is not None]
    if any(t.type == COMPLEX for t in computed) and call.type not in TAKES_COMPLEX:
        raise Unsupported("it takes complex numbers")
