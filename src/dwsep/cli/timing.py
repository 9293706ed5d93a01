"""Timing in turns: a drifting clock or a busy neighbour hits all contenders alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

__all__ = ["Timing", "interleaved"]

# One uncounted burst brings weights, clock and worker threads up; the counted one is long enough
# that a reschedule of a few milliseconds cannot move its median.
_WARM_SECONDS = 0.004
_BURST_SECONDS = 0.012
_LEAST_TURNS = 3


@dataclass(frozen=True)
class Timing:
    """Seconds of one call.

    Attributes
    ----------
    seconds : float
        The median over `turns` of each turn's median.
    fastest : float
        The fastest call of all.
    turns, calls : int
        How often it had its turn, and calls that were counted.
    fastest_of_turns : tuple of float
        The fastest call of each turn: what a neighbour disturbs least.
    """

    seconds: float
    fastest: float
    turns: int
    calls: int
    fastest_of_turns: tuple[float, ...] = ()


def _burst(run: Callable[[], object], seconds: float) -> list[float]:
    """Time calls made one after the other until `seconds` have passed, at least one."""
    times = []
    now = start = time.perf_counter()
    while now - start < seconds:
        before = now
        run()
        now = time.perf_counter()
        times.append(now - before)
    return times


def interleaved(
    runners: Mapping[str, Callable[[], object]],
    seconds: float,
    at_most: Mapping[str, int] | None = None,
) -> dict[str, Timing]:
    """Time every runner in turns: A B C A B C ...

    Parameters
    ----------
    runners : mapping of str to callable
        What to time, called without arguments.
    seconds : float
        Time to spend on all runners together, not counting those in `at_most`. Each gets at least
        three turns, whatever they take.
    at_most : mapping of str to int, optional
        Runners so slow that every call counts: they are called once in each of so many turns, the
        first ones, and not warmed up.

    Returns
    -------
    dict of str to Timing
        In the order of `runners`.

    Raises
    ------
    ValueError
        If `at_most` names something that is not a runner or allows it no turn.

    Examples
    --------
    >>> from dwsep.cli.timing import interleaved
    >>> took = interleaved({"sum": lambda: sum(range(100)), "pass": lambda: None}, 0.05)
    >>> took["sum"].seconds > took["pass"].seconds
    True
    """
    slow = dict(at_most or {})
    for name, turns in slow.items():
        if name not in runners or turns < 1:
            raise ValueError(f"at_most must give runners at least one turn, got {name!r}: {turns}")
    medians: dict[str, list[float]] = {name: [] for name in runners}
    fastest: dict[str, list[float]] = {name: [] for name in runners}
    calls = dict.fromkeys(runners, 0)
    spent, turn = 0.0, 0
    while spent < seconds or turn < max(_LEAST_TURNS, *slow.values(), 0):
        for name, run in runners.items():
            if name in slow:
                times = _burst(run, 1e-9) if turn < slow[name] else []
            else:
                before = time.perf_counter()
                _burst(run, _WARM_SECONDS)
                times = _burst(run, _BURST_SECONDS)
                spent += time.perf_counter() - before
            if times:
                medians[name].append(median(times))
                fastest[name].append(min(times))
                calls[name] += len(times)
        turn += 1
    return {
        name: Timing(median(m), min(fastest[name]), len(m), calls[name], tuple(fastest[name]))
        for name, m in medians.items()
    }
