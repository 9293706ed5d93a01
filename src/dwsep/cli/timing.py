"""Interleaved timing: a drifting clock or a busy neighbour hits all contenders alike."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

__all__ = ["Timing", "clock_for", "interleaved"]

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
    lower : tuple of float
        The lower quartile of each turn: what neighbours add to most calls is not in it, and one
        call that a clock read wrongly does not matter.
    """

    seconds: float
    fastest: float
    turns: int
    calls: int
    lower: tuple[float, ...] = ()


Clock = Callable[[], float]


def clock_for(threads: int) -> Clock:
    """Choose the clock for calls that work on so many threads.

    One thread is timed by its own CPU time, which does not count what other programs take: with
    six of them on two CPUs, calls of 8 ms read 50 ms by the wall clock, calls of 0.5 ms as ever.
    """
    return time.thread_time if threads == 1 else time.perf_counter


def _burst(run: Callable[[], object], seconds: float, clock: Clock) -> list[float]:
    """Time calls made one after the other until `seconds` have passed, at least one."""
    times: list[float] = []
    now = start = clock()
    while not times or now - start < seconds:
        before = now
        run()
        now = clock()
        # The CPU time of a thread that changed its CPU was seen to stand still.
        if now > before:
            times.append(now - before)
    return times


def interleaved(
    runners: Mapping[str, Callable[[], object]],
    seconds: float,
    at_most: Mapping[str, int] | None = None,
    clock: Clock = time.perf_counter,
) -> dict[str, Timing]:
    """Time every runner, interleaved: A B C A B C ...

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
    clock : callable, optional
        Gives seconds: the wall clock, or what `clock_for` chose.

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
    >>> list(took), took["sum"].turns >= 3
    (['sum', 'pass'], True)
    """
    slow = dict(at_most or {})
    for name, turns in slow.items():
        if name not in runners or turns < 1:
            raise ValueError(f"at_most: need at least one turn of a runner, got {name!r}: {turns}")
    medians: dict[str, list[float]] = {name: [] for name in runners}
    lower: dict[str, list[float]] = {name: [] for name in runners}
    fastest = dict.fromkeys(runners, math.inf)
    calls = dict.fromkeys(runners, 0)
    spent, turn = 0.0, 0
    while spent < seconds or turn < max(_LEAST_TURNS, *slow.values(), 0):
        for name, run in runners.items():
            if name in slow:
                times = _burst(run, 1e-9, clock) if turn < slow[name] else []
            else:
                before = clock()
                _burst(run, _WARM_SECONDS, clock)
                times = _burst(run, _BURST_SECONDS, clock)
                spent += clock() - before
            if times:
                medians[name].append(median(times))
                lower[name].append(sorted(times)[len(times) // 4])
                fastest[name] = min(fastest[name], *times)
                calls[name] += len(times)
        turn += 1
    return {
        name: Timing(median(m), fastest[name], len(m), calls[name], tuple(lower[name]))
        for name, m in medians.items()
    }
