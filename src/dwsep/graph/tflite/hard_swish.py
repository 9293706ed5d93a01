"""The table of HARD_SWISH on integers: TFLite computes it in 16 bits, not by its definition.

From what gemmlowp and TFLite's reference kernel document: a product of two int16 keeps the upper
half, doubled; a division by a power of two rounds half away from zero.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..ir import Quantization

if TYPE_CHECKING:
    from numpy.typing import NDArray

Ints: TypeAlias = "NDArray[np.int64]"
_LEAST, _MOST = -(2**15), 2**15 - 1


def hard_swish_table(x: Quantization, y: Quantization) -> list[int] | None:
    """Return the result of each stored number, the least first; None where TFLite has none."""
    limits = np.iinfo(x.dtype.numpy)
    # 128 times finer than x, so that bits below a step of x take part in products.
    fine = np.float32(1 / 128) * np.float32(x.scale[0])
    factor, exponent = _multiplier(fine / np.float32(y.scale[0]))
    slope, slope_exponent = _multiplier(fine / (np.float32(3) / np.float32(2**15)))
    if exponent > 0:
        return None
    values = (np.arange(limits.min, limits.max + 1) - x.zero_point[0]) * 128
    gate = values
    if slope_exponent > 0:
        gate = np.clip(gate * 2 ** (slope_exponent - 1), _LEAST, _MOST)
    gate = product(gate, slope, rounded=True)
    positive = slope_exponent > 0
    gate = np.clip(gate * 2, _LEAST, _MOST) if positive else halved(gate, -slope_exponent)
    gate = (gate + 2**15) >> 1  # from [-1, 1] to [0, 1]
    result = product(gate, product(values, factor, rounded=True), rounded=False)
    result = halved(result, -exponent) + y.zero_point[0]
    stored = np.iinfo(y.dtype.numpy)
    return [int(v) for v in np.clip(result, stored.min, stored.max)]


def _multiplier(real: Any) -> tuple[int, int]:
    """Return a number as 15 bits and a power of two."""
    fraction, exponent = math.frexp(float(real))
    bits = math.floor(fraction * 2**31 + 0.5)
    if bits == 2**31:
        bits, exponent = bits // 2, exponent + 1
    if exponent < -31:
        return 0, 0
    return min((bits + 2**15) >> 16, _MOST), exponent


def product(a: Ints, b: int | Ints, *, rounded: bool, places: int = 15) -> Ints:
    """Return a * b / 2**places, half away from zero or towards zero."""
    both, half = a * b, 2 ** (places - 1)
    nudge = np.where(both >= 0, half, 1 - half) if rounded else 0
    upper = np.trunc((both + nudge) / 2**places).astype(np.int64)
    return np.where((a == b) & (a == _LEAST), _MOST, upper)


def halved(x: Ints, times: int) -> Ints:
    """Return x / 2**times, half away from zero."""
    mask = (1 << times) - 1
    return (x >> times) + ((x & mask) > (mask >> 1) + (x < 0))
