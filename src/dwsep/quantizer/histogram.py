"""Histograms that grow: how often values fall into bins whose width doubles when they must."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["Histogram"]

_MOST = 4096  # bins; int8 has 256 steps
_LEAST_EXPONENT = -100


class Histogram:
    """Counts of values in bins from k * width to (k + 1) * width, for whole k.

    Widths are powers of two, so that bins merge exactly and the order of arrays changes nothing but
    where the first width comes from.
    """

    def __init__(self) -> None:
        self.exponent = _LEAST_EXPONENT
        self.first = 0
        self.counts: NDArray[np.int64] = np.zeros(0, np.int64)

    def add(self, values: NDArray[np.float32]) -> None:
        """Count values, which are finite."""
        values = values.reshape(-1)
        low, high = float(values.min()), float(values.max())
        if self.counts.size:
            low, high = min(low, self.edges()[0]), max(high, self.edges()[-1])
        while (high - low) / 2.0**self.exponent > _MOST - 2:
            self._widen(max(1, self._missing(high - low)))
        scaled = values * np.float32(2.0**-self.exponent)
        bins = np.floor(scaled, out=scaled).astype(np.int32)
        first, last = int(bins.min()), int(bins.max())
        self._reach(first, last)
        bins -= self.first
        self.counts += np.bincount(bins, minlength=self.counts.size)

    def _missing(self, span: float) -> int:
        return math.ceil(math.log2(span / (_MOST - 2))) - self.exponent

    def _widen(self, doublings: int) -> None:
        """Double the width so many times."""
        self.exponent += doublings
        if not self.counts.size:
            return
        places = (np.arange(self.counts.size) + self.first) >> doublings
        self.first = int(places[0])
        counts = np.bincount(places - self.first, weights=self.counts)
        self.counts = counts.astype(np.int64)

    def _reach(self, first: int, last: int) -> None:
        """Make room for bins."""
        if not self.counts.size:
            self.first, self.counts = first, np.zeros(last - first + 1, np.int64)
            return
        before = max(0, self.first - first)
        after = max(0, last - (self.first + self.counts.size - 1))
        if before or after:
            self.counts = np.pad(self.counts, (before, after))
            self.first -= before

    def edges(self) -> NDArray[np.float64]:
        """Return where bins begin, and where the last ends."""
        places = np.arange(self.counts.size + 1, dtype=np.float64) + self.first
        return places * np.float64(2.0**self.exponent)

    def merged(self, other: Histogram) -> Histogram:
        """Return the counts of both."""
        result, coarse = Histogram(), max(self.exponent, other.exponent)
        for part in (self, other):
            copy = Histogram()
            copy.exponent, copy.first, copy.counts = part.exponent, part.first, part.counts
            copy._widen(coarse - part.exponent)
            result.exponent = coarse
            result._reach(copy.first, copy.first + copy.counts.size - 1)
            at = copy.first - result.first
            result.counts[at : at + copy.counts.size] += copy.counts
        return result
