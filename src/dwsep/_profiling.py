"""Times the steps of a network."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import prod
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core, _limits
from ._arguments import integer
from ._profile import Profile, StepSpan, StepTime
from ._summary import step_rows

if TYPE_CHECKING:
    from ._summary import StepRow

__all__ = ["profile"]


def _step_time(row: StepRow, seconds: float, threads: int, peak: float) -> StepTime:
    if row.free:
        return StepTime(row, 0.0, 0.0, 0.0, "", "", 0.0)
    written = float(np.dtype(row.dtype).itemsize * prod(row.output))
    operations = _limits.operations_in_floats(row.flops, row.kernel)
    work = _limits.Work(operations, row.bytes - written, written)
    limit = _limits.limit(work, threads, peak)
    safe = max(seconds, 1e-9)  # the clock's tick: a step may take less
    return StepTime(
        row,
        seconds,
        row.flops / safe / 1e9,
        limit.seconds,
        limit.bound,
        limit.level,
        limit.seconds / safe,
    )


def profile(
    network: _core.Network, name: str, arrays: Sequence[Any], rounds: int, num_threads: int | None
) -> Profile:
    """Time the steps of a network.

    Each round times one call as a whole, one call step by step and some multiply-adds in registers,
    so that a busy neighbour or another clock hits all of them; the peak is that of the fastest
    round. One call before them is not counted: it brings weights, clock and threads up.
    """
    count = integer(rounds, "rounds", 1)
    threads = _core.get_num_threads() if num_threads is None else num_threads
    network.run(arrays, num_threads)
    burst, burst_flops = _limits.fma_rounds(0.0005)
    peak = _limits.peak_flops()
    whole: list[float] = []
    parts: list[list[float]] = []
    for _ in range(count):
        peak = max(peak, burst_flops / _core.time_fma(burst)[0])
        start = time.perf_counter()
        network.run(arrays, num_threads)
        whole.append(time.perf_counter() - start)
        parts.append(network.profile(arrays, num_threads)[1])
    steps = step_rows(network, [array.shape for array in arrays], num_threads)
    seconds = [median(times) for times in zip(*parts, strict=True)]
    rows = [_step_time(row, took, threads, peak) for row, took in zip(steps, seconds, strict=True)]
    cores = min(threads, _core.available_cpus())
    call, flops = median(whole), sum(row.step.flops for row in rows)
    return Profile(
        name=name,
        threads=threads,
        rounds=count,
        rows=rows,
        seconds=call,
        gflops=flops / call / 1e9,
        flops=flops,
        limit_seconds=sum(row.limit_seconds for row in rows),
        peak_gflops=cores * peak / 1e9,
        bandwidths={
            level: _limits.bandwidth(level, cores).read / 1e9 for level in _limits.levels()
        },
        spans=[StepSpan(*span) for span in network.trace(arrays, num_threads)],
    )
