"""Operators on int8 that TFLite computes in fixed point, as its reference kernels document them."""

from __future__ import annotations

import math

import numpy as np

from ..importing.builder import Builder
from ..importing.values import Computed, Value
from ..ir import Quantization
from .hard_swish import Ints, halved, product


def squared_difference(
    build: Builder, a: Computed, b: Computed, scales: list[Quantization]
) -> Value:
    """Return the stored result of two values with their scales and that of the result.

    Both numbers, 128 times finer than bytes, are scaled to twice the larger scale and rounded, once
    as a product and once as a division by a power of two. That is exact here; the square is a
    float32, so next to a tie it differs.
    """
    twice = 2.0 * max(q.scale[0] for q in scales[:2])
    a_scaled, b_scaled = _scaled(build, a, scales[0], twice), _scaled(build, b, scales[1], twice)
    difference = build.binary("sub", a_scaled, b_scaled)
    unit = float(np.float32(scales[2].scale[0] * 2**14 / twice**2))
    whole = Quantization((unit,), scales[2].zero_point, None, scales[2].dtype)
    y = build.quantize(build.binary("mul", difference, difference), whole)
    return build.emit("reinterpret", [y], None, **scales[2].attributes)


def rsqrt_table(x: Quantization, y: Quantization) -> list[int] | None:
    """Return the reciprocal root of each stored number: of 20 places, then scaled and rounded."""
    limits = np.iinfo(y.dtype.numpy)
    values = np.maximum(np.arange(limits.min, limits.max + 1) - x.zero_point[0], 0)
    fine = np.rint(2**20 / np.sqrt(np.maximum(values, 1))).astype(np.int64)
    scale = 1 / float(np.sqrt(np.float32(x.scale[0])) * np.float32(y.scale[0]))
    fraction, exponent = math.frexp(scale)
    if exponent > 20:
        return None
    bits = math.floor(fraction * 2**31 + 0.5)
    result = halved(product(fine, bits, rounded=True, places=31), 20 - exponent)
    result = result + y.zero_point[0]
    result = np.where(values > 0, result, limits.max)  # LiteRT refuses negative numbers
    return [int(v) for v in np.clip(result, limits.min, limits.max)]


def _scaled(build: Builder, x: Computed, q: Quantization, twice: float) -> Value:
    fraction, exponent = math.frexp(q.scale[0] / twice)
    if (fraction, exponent) == (0.5, 0):  # that of the larger scale
        whole = Quantization((64.0,), q.zero_point)
        return build.dequantize(build.emit("reinterpret", [x], None, **whole.attributes), whole)
    bits = math.floor(fraction * 2**31 + 0.5)
    values: Ints = (np.arange(-128, 128) - q.zero_point[0]) * 128
    values = halved(product(values, bits, rounded=True, places=31), -exponent)
    # Two bytes: the core looks up no wider numbers.
    parts = []
    for numbers, unit in ((values >> 7, 128.0), (values & 127, 1.0)):
        part = Quantization((unit,))
        to = {"to": "int8", "scale": part.scale, "zero_point": part.zero_point}
        table = build.emit("table", [x], None, values=tuple(numbers.tolist()), **to)
        parts.append(build.dequantize(table, part))
    return build.binary("add", *parts)
