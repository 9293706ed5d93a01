"""Which instruction sets there are, and a summary of what was not tested."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import small_networks

import dwsep
from dwsep import _limits
from dwsep.cli import _layer_cases, _networks, layers, pairs

ORACLES = ("torch", "onnxruntime", "ai_edge_litert")
FLAGS = Path(__file__).parent.parent / "cpp" / "isa" / "flags.txt"
ISAS_RUN = pytest.StashKey[list[str]]()


def pytest_configure(config):
    config.stash[ISAS_RUN] = []


def pytest_generate_tests(metafunc):
    """Let `other_isa` stand for each instruction set but the one chosen in this process."""
    if "other_isa" in metafunc.fixturenames:
        info = dwsep.cpu_info()
        metafunc.parametrize("other_isa", [name for name in info["isas"] if name != info["isa"]])


def isas_written() -> list[str]:
    """Return the instruction sets that have kernels, for whatever processor."""
    lines = FLAGS.read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line and line[0] != "#"]
    return list(dict.fromkeys(isa for family, isa, *_ in rows if family not in ("all", "join")))


@pytest.fixture
def isas_run(request) -> list[str]:
    """Collect the instruction sets whose kernel tests were run in another process."""
    return request.config.stash[ISAS_RUN]


def pytest_sessionfinish(session):
    """Tell the process that sums up, where pytest-xdist runs tests in several."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["isas"] = session.config.stash[ISAS_RUN]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    node.config.stash[ISAS_RUN].extend(getattr(node, "workeroutput", {}).get("isas", []))


def pytest_terminal_summary(terminalreporter, config):
    here = dwsep.cpu_info()["isa"]
    missing = [name for name in ORACLES if importlib.util.find_spec(name) is None]
    others = config.stash[ISAS_RUN]
    left_out = [name for name in isas_written() if name not in (here, *others)]
    terminalreporter.section("dwsep")
    terminalreporter.line(
        f"instruction set: {here}; in other processes: {', '.join(others) or 'none'}"
    )
    terminalreporter.line(f"instruction sets NOT run: {', '.join(left_out) or 'none'}")
    terminalreporter.line(f"oracles missing: {', '.join(missing) or 'none'}")


@pytest.fixture
def tiny_network(monkeypatch):
    """Lets the benchmark run in a moment."""
    network = (_networks.Pair(9, 5, 7, 1), _networks.Pair(9, 7, 16, 2))
    monkeypatch.setitem(_networks.NETWORKS, "mobilenet_v1", network)
    monkeypatch.setattr(pairs, "_SECONDS", 0.0)
    monkeypatch.setattr(pairs, "QUICK_PAIRS", (2,))
    monkeypatch.setattr(pairs, "_QUICK_SECONDS", 0.0)
    return network


@pytest.fixture(scope="session")
def model():
    """Make a small network of all kinds of convolution."""
    return dwsep.Model(small_networks.classifier())


@pytest.fixture(scope="session")
def rearranger():
    """Make a network that computes nothing."""
    return dwsep.Model(small_networks.rearranger())


@pytest.fixture
def little_to_measure(monkeypatch):
    """Measures the machine's limits in a moment."""
    monkeypatch.setattr(_limits, "levels", lambda: {"L1D": 2**14, "memory": 2**20})


@pytest.fixture
def tiny_layers(monkeypatch, little_to_measure):
    """Leaves one layer of each kind."""
    cases = (
        _layer_cases.LayerCase("depthwise", 9, 5, 0, 5, 5, 2, "silu"),
        _layer_cases.LayerCase("pointwise", 9, 5, 0, 7, 0, 0, "none"),
        _layer_cases.LayerCase("separable", 9, 5, 0, 7, 3, 1, "relu6"),
        _layer_cases.LayerCase("inverted residual", 9, 5, 30, 5, 3, 1, "relu6"),
    )
    monkeypatch.setitem(_layer_cases.LAYERS, "xception", cases)
    monkeypatch.setattr(layers, "_SECONDS", 0.0)
    monkeypatch.setattr(layers, "_SAVED_SECONDS", 0.0)
    return cases


@pytest.fixture
def network(tmp_path):
    """Save the classifier of images (N, 8, 8, 3)."""
    path = tmp_path / "small.dwsep"
    dwsep.Model(small_networks.classifier()).save(path)
    return str(path)


@pytest.fixture
def image():
    """Pillow's module."""
    return pytest.importorskip("PIL.Image", reason="reads pictures")
