"""Programs in interpreters of their own: for what may end, starve or confuse the process."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).parent

START = """
import os, signal, sys, threading, time
import numpy as np
import dwsep, small_networks
from dwsep import _core
layer = dwsep.PointwiseConv2D(np.eye(16, dtype=np.float32) + np.float32(0.1))
model = dwsep.Model(small_networks.classifier())
x = np.random.default_rng(0).standard_normal((2, 32, 32, 16), np.float32)
images = np.random.default_rng(1).standard_normal((3, 8, 8, 3), np.float32)
def same(a, b):
    return len(a) == len(b) and all(np.array_equal(p, q) for p, q in zip(a, b))
"""


def run(code: str, *arguments: str, start: str = START, seconds: float = 120) -> str:
    """Run `code` after `start`, which makes a layer and a model; return what it printed."""
    path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", start + textwrap.dedent(code), *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{done.returncode}: {done.stdout[-500:]}{done.stderr[-3000:]}"
    return done.stdout.strip()
