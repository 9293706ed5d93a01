"""No byte outside an argument is read or written: see guard_pages.py, which runs as a child."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from calls import LAYERS

pytestmark = [
    pytest.mark.kernels,
    pytest.mark.skipif(sys.platform == "win32", reason="needs mprotect"),
]


def run(what: str, name: str = "guard_pages.py") -> subprocess.CompletedProcess[str]:
    script = Path(__file__).with_name(name)
    return subprocess.run(
        [sys.executable, str(script), what], capture_output=True, text=True, timeout=300
    )


def test_the_guards_are_armed():
    assert run("trip").returncode in (-signal.SIGSEGV, -signal.SIGBUS)


@pytest.mark.parametrize("function", LAYERS)
def test_stays_inside(function):
    result = run(function)
    last = result.stdout.splitlines()[-1:]
    assert result.returncode == 0, f"{result.returncode} at {last}\n{result.stderr[-2000:]}"
    assert int(last[0].split()[0]) > 500


def test_reduced_rows_stay_inside():
    result = run("reduce")
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.split()[0] == "594"


@pytest.mark.parametrize("function", LAYERS)
def test_int8_stays_inside(function):
    result = run(function, "int8_guard_pages.py")
    last = result.stdout.splitlines()[-1:]
    assert result.returncode == 0, f"{result.returncode} at {last}\n{result.stderr[-2000:]}"
    assert int(last[0].split()[0]) == 120
