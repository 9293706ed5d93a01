"""Which instruction sets there are, and a last word on what was not tested."""

from __future__ import annotations

import importlib.util

import pytest

import dwsep

ORACLES = ("torch", "onnxruntime")
ISAS_RUN = pytest.StashKey[list[str]]()


def pytest_configure(config):
    config.stash[ISAS_RUN] = []


def pytest_generate_tests(metafunc):
    """Let `other_isa` stand for each instruction set but the one chosen in this process."""
    if "other_isa" in metafunc.fixturenames:
        info = dwsep.cpu_info()
        metafunc.parametrize("other_isa", [name for name in info["isas"] if name != info["isa"]])


@pytest.fixture
def isas_run(request) -> list[str]:
    """Collect the instruction sets whose kernel tests were run in another process."""
    return request.config.stash[ISAS_RUN]


def pytest_terminal_summary(terminalreporter, config):
    here = dwsep.cpu_info()["isa"]
    missing = [name for name in ORACLES if importlib.util.find_spec(name) is None]
    others = ", ".join(config.stash[ISAS_RUN]) or "none"
    terminalreporter.section("dwsep")
    terminalreporter.line(f"instruction set: {here}; in other processes: {others}")
    terminalreporter.line(f"oracles missing: {', '.join(missing) or 'none'}")
