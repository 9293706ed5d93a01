"""Every example runs, and the checks that the examples make of themselves can fail."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parent.parent / "examples"


def test_photo_filters_agree_with_scipy(tmp_path):
    sheet = tmp_path / "sheet.png"
    done = subprocess.run(
        [sys.executable, FOLDER / "photo_filters.py", "--photo", "flower.jpg", "--out", sheet],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("e-0") >= 10  # an error and a bound for each of five filters
    assert sheet.read_bytes().startswith(b"\x89PNG")
    assert sheet.stat().st_size < 400_000


@pytest.mark.parametrize(("slip", "within"), [(0.5, True), (2.0, False)])
def test_photo_filters_notice_an_error(slip, within):
    check = runpy.run_path(str(FOLDER / "photo_filters.py"))["check"]
    exact = np.ones((4, 4, 3))
    bound = np.full_like(exact, 1e-3)
    y = exact.copy()
    y[2, 1, 0] += slip * 1e-3
    assert check("slip", y, exact, bound).within == within


def test_every_example_is_run_here():
    tested = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in FOLDER.glob("*.py") if path.name not in tested] == []
