"""The width multiplier, and how channels are rounded after it."""

from __future__ import annotations

import numpy as np

from .._checks import shown

WIDEST = 100.0  # beyond it no network fits an ONNX file


def width_multiplier(alpha: object) -> float:
    """Check the width multiplier `alpha`."""
    wanted = f"alpha: need a number above 0 and at most {WIDEST:g}, got {shown(alpha)}"
    numbers = (int, float, np.integer, np.floating)
    if isinstance(alpha, bool) or not isinstance(alpha, numbers):
        raise TypeError(wanted)
    if not 0 < alpha <= WIDEST:
        raise ValueError(wanted)
    return float(alpha)


def divisible(channels: float, divisor: int = 8) -> int:
    """Round to a multiple of `divisor`, at least one, and not down by more than a tenth."""
    nearest = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return nearest if nearest >= 0.9 * channels else nearest + divisor
