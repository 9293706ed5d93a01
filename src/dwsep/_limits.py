"""What the machine reaches when it does one thing only, and the least time of a layer by that.

Nothing is measured before it is asked for, and then once for the process.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from . import _core

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Bandwidth",
    "Limit",
    "Work",
    "bandwidth",
    "fma_rounds",
    "int8_peak",
    "int8_peak_of",
    "level_of",
    "levels",
    "limit",
    "operations_in_floats",
    "peak_flops",
]


class Work(NamedTuple):
    """What a call has to do at least: operations, bytes read and bytes written, each once."""

    flops: float
    read: float
    written: float


class Bandwidth(NamedTuple):
    """Bytes a second that threads together read and copy, in `size` bytes of a level."""

    level: str
    size: int
    read: float
    copied: float


class Limit(NamedTuple):
    """The least time of a call on this machine.

    Attributes
    ----------
    seconds : float
        The larger of flops / FMA peak and bytes / bandwidth.
    bound : str
        "compute" or "memory": which of the two it is.
    level : str
        Where input, weights and output fit together: "L1D", "L2", "L3" or "memory".
    """

    seconds: float
    bound: str
    level: str


def fma_rounds(seconds: float) -> tuple[int, float]:
    """Find how many rounds of multiply-adds keep a core busy so long, and their flops.

    The fastest of some attempts counts: one attempt that is interrupted looks long enough when it
    is a hundred times too short.
    """
    rounds = 1000
    while True:
        attempts = [_core.time_fma(rounds) for _ in range(5)]
        if min(took for took, _ in attempts) >= seconds:
            return rounds, attempts[0][1]
        rounds *= 2


@cache
def peak_flops(bursts: int = 20) -> float:
    """Operations a second that one core reaches with fused multiply-adds alone: the best burst."""
    rounds, flops = fma_rounds(0.005)
    return flops / min(_core.time_fma(rounds)[0] for _ in range(bursts))


@cache
def int8_peak(kernels: str, bursts: int = 20) -> float:
    """Operations a second of int8 products alone, of one core and one of `_core.int8_sets()`."""
    rounds = 1000
    while min(_core.time_dot(kernels, rounds)[0] for _ in range(3)) < 0.002:
        rounds *= 2
    attempts = [_core.time_dot(kernels, rounds) for _ in range(bursts)]
    return attempts[0][1] / min(took for took, _ in attempts)


def int8_peak_of(family: str) -> float:
    """Return the peak of the int8 kernels of a family, depthwise or pointwise, that are in use."""
    kernels = [k["isa"] for k in _core.kernels() if (k["family"], k["dtype"]) == (family, "int8")]
    return int8_peak(kernels[0])


def levels() -> dict[str, int]:
    """Bytes to measure each level of memory with, the smallest first."""
    caches = _core.cache_sizes()
    # Half a cache leaves room for what else is in it; L3 is shared; memory starts well beyond it.
    sizes = {"L1D": caches["l1d"] // 2, "L2": caches["l2"] // 2, "L3": caches["l3"] // 4}
    if sizes["L3"] <= 2 * caches["l2"]:
        del sizes["L3"]
    sizes["memory"] = min(max(4 * caches["l3"], 2**26), 2**29)
    return sizes


def _best(time: Callable[[int, int], tuple[float, float]], size: int, bursts: int) -> float:
    rounds = max(1, 2**28 // size)
    return max(moved / took for took, moved in (time(size, rounds) for _ in range(bursts)))


@cache
def bandwidth(level: str, threads: int = 1, bursts: int = 5) -> Bandwidth:
    """Measure a level of memory: the best of some bursts.

    Each thread has an L1 and an L2 of its own, so theirs is the bandwidth of one, times `threads`.
    L3 and memory are shared: there all threads are measured at once, each on its part.
    """
    size = levels()[level]
    if threads == 1 or level in ("L1D", "L2"):
        read, copied = (_best(time, size, bursts) for time in (_core.time_read, _core.time_copy))
        return Bandwidth(level, size, threads * read, threads * copied)
    from concurrent.futures import ThreadPoolExecutor

    # Not so small a part that it would fit the caches of one core.
    part = max(size // threads, 2 * _core.cache_sizes()["l2"])
    with ThreadPoolExecutor(threads) as pool:
        read, copied = (
            sum(pool.map(lambda _, time=time: _best(time, part, bursts), range(threads)))
            for time in (_core.time_read, _core.time_copy)
        )
    return Bandwidth(level, threads * part, read, copied)


def level_of(work: Work, threads: int) -> str:
    """Name the level that everything a call touches fits in, divided among `threads` cores."""
    caches = _core.cache_sizes()
    rooms = {"L1D": threads * caches["l1d"], "L2": threads * caches["l2"], "L3": caches["l3"]}
    known = levels()
    size = work.read + work.written
    return next((n for n, room in rooms.items() if n in known and size <= room), "memory")


@cache
def _peak_of_kernels(names: str) -> float:
    """Return the largest peak among kernels of int8, as a plan names them.

    Raises
    ------
    LookupError
        If none of them is in use with a peak that is measured: any other peak would be a guess.
    """
    sets: dict[str, str] = {}
    for k in _core.kernels():
        if k["dtype"] == "int8":
            sets.setdefault(k["name"], k["isa"])  # the first is the one in use
    known = {sets[name] for name in names.split(" + ") if name in sets}
    used = known.intersection(_core.int8_sets())
    if not used:
        raise LookupError(f"kernels: wanted one of int8 that is in use, got {names!r}")
    return max(int8_peak(s) for s in used)


def operations_in_floats(flops: float, kernel: str) -> float:
    """Return how many operations on floats take as long at least as those of a kernel.

    Both peaks are measured; that of fused kernels is the highest among them.
    """
    if not kernel.startswith("int8"):
        return flops
    return flops * peak_flops() / _peak_of_kernels(kernel)


def limit(work: Work, threads: int, peak: float | None = None) -> Limit:
    """Return a lower bound of the time of a call.

    Parameters
    ----------
    work : Work
    threads : int
        Threads that work; counted up to the number of cores.
    peak : float, optional
        Operations a second of one core; by default `peak_flops()`.

    Returns
    -------
    Limit
        Bytes that are written are taken to move at the speed of a copy, together with as many that
        are read; the other bytes read at the speed of reading.
    """
    cores = min(threads, _core.available_cpus())
    level = level_of(work, cores)
    speed = bandwidth(level, cores)
    paired = min(work.read, work.written)
    moving = (work.written + paired) / speed.copied + (work.read - paired) / speed.read
    computing = work.flops / (cores * (peak_flops() if peak is None else peak))
    if computing >= moving:
        return Limit(computing, "compute", level)
    return Limit(moving, "memory", level)
