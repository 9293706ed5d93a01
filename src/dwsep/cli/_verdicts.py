"""Faster, same or slower than a saved run, judged by interleaved timings.

Seconds of another day say nothing on a shared machine. What is saved is the time of every layer
divided by that of a fixed burst of multiply-adds in registers, timed in the same turn; the clock
and most of what neighbours take away cancel out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from .timing import Timing

__all__ = [
    "Samples",
    "Saved",
    "Verdict",
    "compare",
    "conditions",
    "fma_burst",
    "in_bursts",
    "judge",
]

Samples = dict[str, list[float]]

# What a burst of multiply-adds takes at least; the operations that are the unit of a saved time.
_FMA_SECONDS = 0.0005
_UNIT_FLOPS = 1e8
_FORMAT = "dwsep bench ratios, 1"
_RESAMPLES = 2000
# A table has up to a hundred rows, each of which may err; the interval is one of 99.8 %.
_TAIL = 0.001
_MORE_MEASUREMENTS = 2


def fma_burst() -> tuple[int, float]:
    """Find how many rounds of multiply-adds last long enough to be timed, and their flops."""
    from dwsep import _limits

    return _limits.fma_rounds(_FMA_SECONDS)


def in_bursts(timing: Timing, fma: Timing, flops: float) -> list[float]:
    """Divide the lower quartile of each turn by what 1e8 operations took in the same turn."""
    pairs = zip(timing.lower, fma.lower, strict=True)
    return [seconds / (unit * _UNIT_FLOPS / flops) for seconds, unit in pairs]


class Verdict(NamedTuple):
    """A row before and after: the ratio of the medians and the interval that it is in."""

    row: str
    word: str
    ratio: float
    low: float
    high: float


def judge(row: str, before: Sequence[float], after: Sequence[float], threshold: float) -> Verdict:
    """Return whether a row became slower.

    Parameters
    ----------
    row : str
        Its name, passed through.
    before, after : sequence of float
        Its time in each turn of the two runs, in the same unit.
    threshold : float
        0.05: it is slower if the whole interval lies above 1.05, faster if below 1 / 1.05.

    Returns
    -------
    Verdict
        "faster", "same" or "slower". The interval is the percentile bootstrap's for the ratio of
        the medians (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).

    Examples
    --------
    >>> judge("layer", [1.0, 1.01, 0.99] * 5, [1.2, 1.22, 1.19] * 5, 0.05).word
    'slower'
    """
    import numpy as np

    rng = np.random.default_rng(0)

    def medians(values: Sequence[float]) -> Any:
        drawn = rng.choice(np.asarray(values), (_RESAMPLES, len(values)))
        return np.median(drawn, axis=1)

    low, high = np.quantile(medians(after) / medians(before), [_TAIL, 1 - _TAIL])
    word = "slower" if low > 1 + threshold else "faster" if high < 1 / (1 + threshold) else "same"
    return Verdict(row, word, float(np.median(after) / np.median(before)), float(low), float(high))


def compare(
    before: Samples,
    after: Samples,
    threshold: float,
    measure_again: Callable[[str], Samples],
) -> list[Verdict]:
    """Judge every row; one that seems slower is measured again and must be so each time.

    Neighbours only ever add to a time, so the best of the measurements is what counts.
    """
    verdicts = {row: judge(row, before[row], after[row], threshold) for row in before}
    for _ in range(_MORE_MEASUREMENTS):
        slower = {row for row, verdict in verdicts.items() if verdict.word == "slower"}
        while slower:
            for row, values in measure_again(sorted(slower)[0]).items():
                if row in slower:
                    slower.discard(row)
                    again = judge(row, before[row], values, threshold)
                    verdicts[row] = min(verdicts[row], again, key=lambda verdict: verdict.ratio)
    return list(verdicts.values())


def conditions(machine: dict[str, Any]) -> dict[str, Any]:
    """Return what a comparison needs to be equal and is known before anything is timed."""
    cpu = machine["cpu"]
    return {"cpu": cpu["name"], "isa": cpu["isa"], "threads": machine["threads"]}


class Saved(NamedTuple):
    """A saved run: what must be equal for a comparison to mean anything, and its rows."""

    conditions: dict[str, Any]
    samples: Samples

    @classmethod
    def of(cls, report: dict[str, Any], samples: Samples) -> Saved:
        """Take from a report what belongs in the file."""
        return cls(conditions(report) | {"rows": sorted(samples)}, samples)

    def write(self, path: str) -> None:
        """Write the file."""
        text = json.dumps({"format": _FORMAT, **self._asdict()})
        Path(path).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: str) -> Saved:
        """Read a file that `write` wrote; ValueError for any other."""
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            if content["format"] != _FORMAT:
                raise ValueError(f"format {content['format']!r}")
            samples = {
                str(row): [float(v) for v in values] for row, values in content["samples"].items()
            }
            if not all(values and all(0 < v < inf for v in values) for values in samples.values()):
                raise ValueError("a row without times")
            return cls(dict(content["conditions"]), samples)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{path}: need a file of `dwsep bench --save`, got {error}") from error

    def check(self, conditions: dict[str, Any]) -> None:
        """Raise ValueError where these conditions of a run are not those of the saved one."""
        for name, found in conditions.items():
            wanted = self.conditions.get(name)
            if found != wanted and name == "rows":
                raise ValueError("the saved run measured other layers: use the same options")
            if found != wanted:
                raise ValueError(f"{name}: the saved run had {wanted!r}, this one has {found!r}")
