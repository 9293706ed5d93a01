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


def rescaling_table(x: Quantization, y: Quantization) -> list[int] | None:
    """Return each stored number by another scale; None where scales are equal or far apart.

    XNNPACK's products have 8 bits behind the point. It leaves numbers of two types and far scales
    to the interpreter, which rounds twice. Both round ties up.
    """
    limits, stored = np.iinfo(x.dtype.numpy), np.iinfo(y.dtype.numpy)
    ratio = _ratio(x, y)
    if ratio == 1 or not 2**-20 < ratio < 2**20:
        return None
    values: Ints = np.arange(limits.min, limits.max + 1) - x.zero_point[0]
    if x.dtype is y.dtype and 1 / 256 <= ratio <= 128:
        result = (values * round(ratio * 256) + 128) >> 8
    else:
        rounded, places = _product(values, x.scale[0] / y.scale[0])
        result = (rounded + (1 << places >> 1)) >> places
    result = result + y.zero_point[0]
    return [int(v) for v in np.clip(result, stored.min, stored.max)]


def leaky_relu_table(x: Quantization, y: Quantization, slope: float) -> list[int] | None:
    """Return the result of each stored number, None where scales are far apart.

    XNNPACK's products have 8 bits behind the point and 16 in all; factors that do not fit it leaves
    to the interpreter.
    """
    limits = np.iinfo(x.dtype.numpy)
    ratio = _ratio(x, y)
    factors = ratio, ratio * slope
    if x.dtype is not y.dtype or not all(f == 0 or 2**-20 < abs(f) < 2**20 for f in factors):
        return None
    values: Ints = np.arange(limits.min, limits.max + 1) - x.zero_point[0]
    if all(1 / 256 <= abs(f) <= 128 for f in factors) and factors[1] > -128:
        parts = [(values * round(f * 256) + 128) >> 8 for f in factors]
    else:
        y_scale = np.float32(y.scale[0])
        positive = np.float32(x.scale[0])
        negative = positive * np.float32(slope)
        parts = [_multiplied(values, float(s / y_scale)) for s in (positive, negative)]
    result = np.where(values > 0, *parts) + y.zero_point[0]
    return [int(v) for v in np.clip(result, limits.min, limits.max)]


def _ratio(x: Quantization, y: Quantization) -> float:
    with np.errstate(over="ignore"):
        return float(np.float32(x.scale[0]) / np.float32(y.scale[0]))


def _product(values: Ints, factor: float) -> tuple[Ints, int]:
    """Return products with a number of 31 bits, rounded, and the places behind their point."""
    fraction, exponent = math.frexp(factor)
    bits = math.floor(fraction * 2**31 + 0.5)
    values = values * 2 ** max(exponent, 0)
    return product(values, bits, rounded=True, places=31), min(max(-exponent, 0), 31)


def _multiplied(values: Ints, factor: float) -> Ints:
    return halved(*_product(values, factor))


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
    values = _multiplied((np.arange(-128, 128) - q.zero_point[0]) * 128, q.scale[0] / twice)
    # Two bytes: the core looks up no wider numbers.
    parts = []
    for numbers, unit in ((values >> 7, 128.0), (values & 127, 1.0)):
        part = Quantization((unit,))
        to = {"to": "int8", "scale": part.scale, "zero_point": part.zero_point}
        table = build.emit("table", [x], None, values=tuple(numbers.tolist()), **to)
        parts.append(build.dequantize(table, part))
    return build.binary("add", *parts)
