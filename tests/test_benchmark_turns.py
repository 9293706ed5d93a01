"""The benchmarks' turns: runners one after the other, and which rounds count."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import turns


def test_turns_and_ratios():
    calls = []
    runners = {name: lambda name=name: calls.append(name) for name in "abc"}
    rounds = turns.interleaved(runners, 0.0, burst=0.0, at_most={"c": 1})
    assert [len(rounds[name]) for name in "abc"] == [3, 3, 1]
    assert [n for i, n in enumerate(calls) if not i or calls[i - 1] != n] == [*"abcabab"]
    assert turns.ratio({"a": [2.0, 9.0, 4.0], "b": [1.0, 3.0, 2.0]}, "a", "b") == 2


def test_rounds_in_which_threads_waited_for_a_cpu_do_not_count():
    waits = {"a": [0.0, 0.5, 0.0, 0.01, 0.0], "b": [0.0, 0.0, 0.2, 0.03, 0.02]}
    assert turns.undisturbed(waits) == [0, 3, 4]
    assert turns.undisturbed({"a": [0.9, 0.1, 0.7, 0.3, 0.5]}) == [1, 3, 4]  # never none
    assert len(turns.undisturbed({"a": [0.0] * 20})) == 20
    measured = turns.times_in_turns({"dwsep": lambda: None, "other": lambda: None}, 0.0, 1)
    assert measured["rounds"] == [3, 3]
    assert measured["waited"] >= 0


def test_waiting_for_a_cpu_is_seen():
    if not hasattr(os, "sched_setaffinity") or not Path("/proc/self/schedstat").exists():
        pytest.skip("only Linux tells for how long a thread has waited for a CPU")
    here = os.sched_getaffinity(0)
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        os.sched_setaffinity(0, {min(here)})
        os.sched_setaffinity(busy.pid, {min(here)})
        before, end = turns.seconds_waited(), time.monotonic() + 0.3
        while time.monotonic() < end:
            pass
        assert turns.seconds_waited() - before > 0.03
    finally:
        os.sched_setaffinity(0, here)
        busy.kill()
        busy.wait()


def test_who_waited_is_asked_only_where_it_is_wanted(monkeypatch):
    """Nor is it asked between the burst that warms and the one that counts: 2 s, by this clock."""
    now, asked = [0.0], []

    def read():
        now[0] += 1
        asked.append(now[0])
        return 0.1 * now[0]

    def run():
        now[0] += 2

    monkeypatch.setattr(turns, "seconds_waited", read)
    monkeypatch.setattr(turns.time, "perf_counter", lambda: now[0])
    clock = turns.time.perf_counter
    assert turns.interleaved({"a": run}, 0.0, burst=0.0, clock=clock) == {"a": [2.0] * 3}
    assert not asked
    waits = {}
    turns.interleaved({"a": run, "b": run}, 0.0, 0.0, at_most={"b": 1}, clock=clock, waits=waits)
    assert len(asked) == 6
    assert waits == {"a": [pytest.approx(0.3 / 2)] * 3}  # 2 s of the run, 1 s of the second reading


def test_fewer_than_three_rounds_are_all_kept():
    assert turns.undisturbed({"a": [0.9]}) == [0]
    assert turns.undisturbed({"a": [0.9, 0.0], "b": [0.0, 0.5]}) == [0, 1]
    assert turns.undisturbed({"a": [0.9, 0.0, 0.5]}) == [0, 1, 2]
    assert turns.undisturbed({"a": []}) == []
