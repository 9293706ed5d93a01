"""What the sub-commands say about the machine they ran on, and its measured arithmetic peak."""

from __future__ import annotations

import platform
import time
from typing import Any

__all__ = ["describe", "fma_rounds", "peak_flops"]


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
