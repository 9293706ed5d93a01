"""What the sub-commands say about the machine they ran on."""

from __future__ import annotations

import platform
import time
from pathlib import Path
from typing import Any

from ._terminal import steps

__all__ = ["bandwidths", "describe", "seconds_without_cpu"]


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


def bandwidths() -> list[dict[str, Any]]:
    """Bytes a second that one core reads and copies in each cache and in memory: the best burst."""
    from dwsep import _limits

    sizes = _limits.levels()
    return [
        {
            "level": level,
            "bytes": size,
            "read_gb_per_s": (measured := _limits.bandwidth(level)).read / 1e9,
            "copy_gb_per_s": measured.copied / 1e9,
        }
        for level, size in steps(sizes.items(), len(sizes), "bandwidths")
    ]
