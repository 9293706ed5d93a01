"""Scales and zero points from statistics, by one of several rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..graph.ir import Quantization
from .histogram import Histogram
from .observe import Statistics
from .places import Places

__all__ = ["RULES", "Range", "needs_histograms", "quantizations", "range_of"]

RULES = ("minmax", "mean_minmax", "percentile", "mse")
_SHARE = 0.9999  # of the values, that the rule `percentile` keeps
_LEVELS = 255
_SHARES = np.linspace(1.0, 0.3, 36)  # of the extremes, that the rule `mse` tries
_TINY = float(np.finfo(np.float32).tiny)


class Range(NamedTuple):
    """The least and the greatest number that integers reach, of one or of each channel."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


def needs_histograms(rule: str) -> bool:
    """Return whether a rule looks at more than extremes."""
    return rule in ("percentile", "mse")


def range_of(rule: str, of: list[Statistics]) -> Range:
    """Return the range of values that share a scale."""
    low, high = min(float(s.low.min()) for s in of), max(float(s.high.max()) for s in of)
    if rule == "mean_minmax":
        low = min(s.least_sum / s.count for s in of)
        high = max(s.most_sum / s.count for s in of)
    elif needs_histograms(rule):
        counts = of[0].histogram
        for other in of[1:]:
            counts = counts.merged(other.histogram)
        find = _percentile if rule == "percentile" else _least_error
        found = find(counts)
        low, high = max(low, found[0]), min(high, found[1])
    return Range(np.array([min(low, 0.0)]), np.array([max(high, 0.0)]))


def _percentile(h: Histogram) -> tuple[float, float]:
    """Return bounds that leave out the same share of the values at both ends."""
    total = int(h.counts.sum())
    outside = (1 - _SHARE) / 2 * total
    below = np.cumsum(h.counts)
    edges = h.edges()
    first = int(np.searchsorted(below, outside, side="right"))
    last = int(np.searchsorted(below, total - outside, side="left"))
    return float(edges[first]), float(edges[min(last, h.counts.size - 1) + 1])


def _least_error(h: Histogram) -> tuple[float, float]:
    """Return the bounds for which rounding and clamping have the least squared error."""
    edges = h.edges()
    centres = (edges[:-1] + edges[1:]) / 2
    used = h.counts > 0
    centres, counts = centres[used], h.counts[used].astype(np.float64)
    lows = min(edges[0], 0.0) * _SHARES
    highs = max(edges[-1], 0.0) * _SHARES
    below = np.maximum(lows[:, None] - centres, 0)
    above = np.maximum(centres - highs[:, None], 0)
    clamped = ((below**2) @ counts)[:, None] + (above**2) @ counts
    inside = counts.sum() - ((below > 0) @ counts)[:, None] - (above > 0) @ counts
    steps = (highs - lows[:, None]) / _LEVELS
    # Rounding moves a value by step**2 / 12 on average, which needs no look at each.
    best = int(np.argmin(clamped + inside * steps**2 / 12))
    return float(lows[best // highs.size]), float(highs[best % highs.size])


def _half_way(rule: str, whole: Range, s: Statistics) -> Range:
    """Return ranges of channels: between each one's own and that of all, by geometric means.

    With its own range alone a channel that the calibration inputs hardly use would be clamped.
    """
    low, high = s.low.astype(np.float64), s.high.astype(np.float64)
    if rule == "mean_minmax":
        low, high = s.low_sum / s.count, s.high_sum / s.count
    low = np.clip(low, whole.low, 0.0)
    high = np.clip(high, 0.0, whole.high)
    unused = low == high  # by the calibration inputs: nothing is known of these channels
    low, high = np.where(unused, whole.low, low), np.where(unused, whole.high, high)
    return Range(-np.sqrt(low * whole.low), np.sqrt(high * whole.high))


def _quantization(found: Range, axis: int | None, exact: float) -> Quantization:
    """Return int8 whose range holds 0 and another number, which is a whole number of steps."""
    low, high = np.minimum(found.low, exact), np.maximum(found.high, exact)
    span = high - low
    scale = np.where(span > 0, np.maximum(span / _LEVELS, _TINY), 1.0)
    steps = np.floor(abs(exact) / scale)
    scale = np.where(steps > 0, abs(exact) / np.maximum(steps, 1), scale).astype(np.float32)
    zero = np.clip(np.rint(-128 - low / scale), -128, 127).astype(int)
    return Quantization(tuple(scale.tolist()), tuple(zero.tolist()), axis)


def quantizations(
    places: Places,
    statistics: Mapping[str, Statistics],
    rule: str,
    ranks: Mapping[str, int],
    *,
    by_channel: bool = True,
    exact: Mapping[str, float] | None = None,
) -> dict[str, Quantization]:
    """Return the quantization of each value that is stored as integers.

    Parameters
    ----------
    places : Places
    statistics : mapping of str to Statistics
        Of each of those values.
    rule : str
        One of `RULES`.
    ranks : mapping of str to int
        How many axes the values have.
    by_channel : bool
        Whether inputs of depthwise convolutions have a scale for each channel, where they may.
    exact : mapping of str to float
        Numbers that integers of some of the values have to stand for.
    """
    result: dict[str, Quantization] = {}
    for members in places.sharing().values():
        whole = range_of(rule, [statistics[value] for value in members])
        for value in members:
            number = (exact or {}).get(value, 0.0)
            if by_channel and value in places.by_channel:
                found = _half_way(rule, whole, statistics[value])
                result[value] = _quantization(found, ranks[value] - 1, number)
            else:
                result[value] = _quantization(whole, None, number)
    return result
