"""SQUARED_DIFFERENCE of int8 as TFLite computes it: in fixed point, 128 times finer than a byte.

From what TFLite's reference kernel documents: both numbers are scaled to twice the larger scale and
rounded, once as a product and once as a division by a power of two; the square is scaled and
rounded at last. What is scaled is exact here; the square is a float32, so next to a tie it differs.
"""

from __future__ import annotations

import math

import numpy as np

from ..importing.builder import Builder
from ..importing.values import Computed, Value
from ..types import Quantization
from .hard_swish import Ints, halved, product


def squared_difference(
    build: Builder, a: Computed, b: Computed, scales: list[Quantization]
) -> Value:
    """Return the stored result of two values with their scales and that of the result."""
    twice = 2.0 * max(q.scale[0] for q in scales[:2])
    a_scaled, b_scaled = _scaled(build, a, scales[0], twice), _scaled(build, b, scales[1], twice)
    difference = build.binary("sub", a_scaled, b_scaled)
    unit = float(np.float32(scales[2].scale[0] * 2**14 / twice**2))
    whole = Quantization((unit,), scales[2].zero_point, None, scales[2].dtype)
    y = build.quantize(build.binary("mul", difference, difference), whole)
    return build.emit("reinterpret", [y], None, **scales[2].attributes)


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
