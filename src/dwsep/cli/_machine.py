"""What the sub-commands say about the machine they ran on, and what one of its cores reaches."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["bandwidths", "describe", "fma_rounds", "peak_flops", "seconds_without_cpu"]


def describe() -> dict[str, Any]:
    """Processor, instruction set, versions and date, ready for JSON."""
    import numpy as np

    import dwsep
    from dwsep import _core

    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "dwsep": dwsep.__version__,
        "cpu": dwsep.cpu_info(),
        "kernels": _core.kernels(),
        "threads": dwsep.get_num_threads(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def seconds_without_cpu() -> float:
    """Seconds that this thread was ready to run while other programs had the CPU; 0 if unknown."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def fma_rounds(seconds: float) -> tuple[int, float]:
    """Find how many rounds of multiply-adds keep a core busy so long, and their flops."""
    from dwsep import _core

    rounds = 1000
    while True:
        took, flops = _core.time_fma(rounds)
        if took >= seconds:
            return rounds, flops
        rounds = int(rounds * min(10.0, 1.2 * seconds / max(took, 1e-9))) + 1


def peak_flops(bursts: int = 20) -> float:
    """Operations a second that one core reaches with fused multiply-adds alone: the best burst."""
    from dwsep import _core

    rounds, flops = fma_rounds(0.005)
    return flops / min(_core.time_fma(rounds)[0] for _ in range(bursts))


def bandwidths(caches: Mapping[str, int], bursts: int = 5) -> list[dict[str, Any]]:
    """Bytes a second that one core reads and copies in each cache and in memory: the best burst."""
    from dwsep import _core

    # Half a cache leaves room for what else is in it; L3 is shared; memory starts well beyond it.
    sizes = {"L1D": caches["l1d"] // 2, "L2": caches["l2"] // 2, "L3": caches["l3"] // 4}
    if sizes["L3"] <= 2 * caches["l2"]:
        del sizes["L3"]
    sizes["memory"] = min(max(4 * caches["l3"], 2**26), 2**29)

    def best(time: Callable[[int, int], tuple[float, float]], size: int) -> float:
        rounds = max(1, 2**28 // size)
        return max(moved / took for took, moved in (time(size, rounds) for _ in range(bursts)))

    return [
        {
            "level": level,
            "bytes": size,
            "read_gb_per_s": best(_core.time_read, size) / 1e9,
            "copy_gb_per_s": best(_core.time_copy, size) / 1e9,
        }
        for level, size in sizes.items()
    ]
