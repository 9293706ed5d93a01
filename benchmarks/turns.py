"""Interleaved timing, and which of its rounds count.

Not taken from dwsep.cli: both commits of a comparison must be measured alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

__all__ = [
    "Rounds",
    "interleaved",
    "ratio",
    "seconds_waited",
    "times_in_turns",
    "undisturbed",
]

Rounds = dict[str, list[float]]

# Other libraries' threads spin for up to 20 ms after a call, and would steal from the next.
_SETTLE_SECONDS = 0.02

# A turn is disturbed where threads waited for a CPU for so much of its time. Next to a busy core
# LiteRT / dwsep on two threads read 0.7 to 2.2 for products that are 1.02 to 1.16 in the turns that
# are left (AMD EPYC, Zen 3, AVX2, 2026-11-29).
_MOST_WAITED = 0.04


def interleaved(
    runners: Mapping[str, Callable[[], object]],
    seconds: float,
    burst: float = 0.01,
    settle: float = 0.0,
    at_most: Mapping[str, int] | None = None,
    clock: Callable[[], float] = time.perf_counter,
    waits: Rounds | None = None,
) -> Rounds:
    """Time runners interleaved, A B C A B C ...; what disturbs one round disturbs all of them.

    Parameters
    ----------
    runners : mapping of str to callable
    seconds : float
        To spend on all runners together, those of `at_most` apart; at least three rounds are made.
    burst : float
        Seconds of each runner in a round, after as many that do not count.
    settle : float
        Seconds of sleep before each: other libraries' threads spin for up to 20 ms after a call.
    at_most : mapping of str to int, optional
        Runners so slow that they are called once in each of so many rounds, the first ones.
    clock : callable, optional
        The wall clock; `time.thread_time` where all runners work on the calling thread alone, as it
        does not count what other programs take.
    waits : dict of str to list of float, optional
        Gets for every runner but those of `at_most` how much of each round's time threads of this
        process were ready to run and had no CPU, summed over threads, divided by the time. Reading
        it takes a millisecond or so between the bursts.

    Returns
    -------
    dict of str to list of float
        For every runner the median of each round.
    """
    slow = dict(at_most or {})
    rounds: Rounds = {name: [] for name in runners}
    spent, number = 0.0, 0
    while spent < seconds or number < max(3, *slow.values(), 0):
        for name, run in runners.items():
            if name in slow:
                if number < slow[name]:
                    rounds[name].append(_burst(run, 0.0, clock))
                continue
            start = time.perf_counter()
            if settle:
                time.sleep(settle)
            _burst(run, burst, clock)
            waited = 0.0 if waits is None else seconds_waited()
            before = time.perf_counter()
            rounds[name].append(_burst(run, burst, clock))
            took = time.perf_counter() - before
            if waits is not None:
                lost = max(seconds_waited() - waited, 0.0)
                waits.setdefault(name, []).append(lost / took)
            spent += time.perf_counter() - start
        number += 1
    return rounds


def seconds_waited() -> float:
    """Return for how long the threads of this process were ready to run and had no CPU.

    Zero where the system does not tell.
    """
    nanoseconds = 0
    for thread in Path("/proc/self/task").glob("*/schedstat"):
        try:
            nanoseconds += int(thread.read_text(encoding="ascii").split()[1])
        except OSError:  # it has ended
            continue
    return nanoseconds / 1e9


def undisturbed(waits: Rounds) -> list[int]:
    """Return the rounds in which every runner waited for a CPU for 4 % of its time at most.

    If they are fewer than a third, or than three, then as many of those that waited least; all,
    if there are no more than three. What they measured has no part in the choice.
    """
    most = [max(shares) for shares in zip(*waits.values(), strict=True)]
    order = sorted(range(len(most)), key=lambda number: most[number])
    clean = sum(share <= _MOST_WAITED for share in most)
    return sorted(order[: max(clean, 3, len(most) // 3)])


def _burst(run: Callable[[], object], seconds: float, clock: Callable[[], float]) -> float:
    times: list[float] = []
    start = now = clock()
    while not times or now - start < seconds:
        before = now
        run()
        now = clock()
        if now > before:  # a thread's CPU time was seen to stand still when it changed its CPU
            times.append(now - before)
    return median(times)


def times_in_turns(
    runners: dict[str, Callable[[], object]], seconds: float, threads: int
) -> dict[str, Any]:
    """Return the median time of each runner, and how many times as fast dwsep's is as others.

    Of the rounds that other programs disturbed least: the same ones for all. `rounds` says how many
    these are, of how many, `waited` for how much of their time threads had no CPU even so.
    """
    alone = threads == 1
    waits: Rounds = {}
    all_rounds = interleaved(
        runners,
        seconds * len(runners),
        burst=0.015 if alone else 0.05,
        settle=0.0 if alone else _SETTLE_SECONDS,
        waits=waits,
    )
    kept = undisturbed(waits)
    rounds = {name: [values[number] for number in kept] for name, values in all_rounds.items()}
    times = {name: median(values) for name, values in rounds.items()}
    return {
        "seconds": times,
        "rounds": [len(kept), len(next(iter(all_rounds.values())))],
        "waited": max(median(waits[name][number] for number in kept) for name in runners),
        "times_as_fast": {
            name: median(b / a for a, b in zip(rounds["dwsep"], values, strict=True))
            for name, values in rounds.items()
            if name != "dwsep"
        },
    }


def ratio(rounds: Rounds, above: str, below: str) -> float:
    """Return the median over the rounds of one runner's time divided by another's."""
    return median(a / b for a, b in zip(rounds[above], rounds[below], strict=False))
