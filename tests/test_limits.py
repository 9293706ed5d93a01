"""The least time of a call: what it is made of, and when the machine is measured for it."""

import itertools
import re
import subprocess
import sys

import int8_calls
import numpy as np
import pytest

import dwsep
from dwsep import _core, _limits

KB, MB = 2**10, 2**20


@pytest.fixture
def machine(monkeypatch):
    """Stands in for one of four cores, a peak of 1e9 and simple speeds."""
    monkeypatch.setattr(_core, "cache_sizes", lambda: {"l1d": 32 * KB, "l2": MB, "l3": 32 * MB})
    monkeypatch.setattr(_core, "available_cpus", lambda: 4)
    monkeypatch.setattr(_limits, "peak_flops", lambda: 1e9)
    speeds = {"L1D": 400.0, "L2": 200.0, "L3": 100.0, "memory": 50.0}
    monkeypatch.setattr(
        _limits,
        "bandwidth",
        lambda level, threads: _limits.Bandwidth(
            level, 0, 2 * speeds[level] * threads, speeds[level] * threads
        ),
    )


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(
    ("size", "threads", "level"),
    [
        (32 * KB, 1, "L1D"),
        (32 * KB + 1, 1, "L2"),
        (64 * KB, 2, "L1D"),
        (MB + 1, 1, "L3"),
        (2 * MB, 2, "L2"),
        (32 * MB, 1, "L3"),
        (32 * MB + 1, 4, "memory"),
    ],
)
def test_level(size, threads, level):
    assert _limits.level_of(_limits.Work(0, size - 8, 8), threads) == level


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(
    ("work", "threads", "seconds", "bound"),
    [
        ((2e9, 800, 800), 1, 4.0, "memory"),  # all of it a copy, at 400 bytes a second
        ((5e9, 800, 800), 1, 5.0, "compute"),
        ((5e9, 800, 800), 4, 1.25, "compute"),
        ((5e9, 800, 800), 64, 1.25, "compute"),  # there are no more than four cores
        ((0, 1600, 0), 1, 2.0, "memory"),  # all of it read, at 800 bytes a second
        ((0, 1600, 400), 1, 2.0 + 1.5, "memory"),  # 800 bytes copied, 1200 read
        ((0, 400, 1600), 1, 5.0, "memory"),
        ((0, 0, 0), 1, 0.0, "compute"),
    ],
)
def test_limit(work, threads, seconds, bound):
    limit = _limits.limit(_limits.Work(*work), threads)
    assert (limit.seconds, limit.bound) == (pytest.approx(seconds), bound)


@pytest.mark.usefixtures("machine")
def test_plan_prints_its_limit():
    plan = dwsep.DepthwiseConv2D(np.ones((3, 3, 8), np.float32)).explain((9, 9, 8), 1)
    assert plan.work.written == 4 * 9 * 9 * 8
    assert plan.work.read == 4 * (9 * 9 * 8 + 10 * 8)
    assert plan.limit.level == "L1D"
    assert "limit" not in repr(plan)
    assert str(plan).startswith(repr(plan))
    assert "by bandwidth of L1D" in str(plan)


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("quantization", [None, dwsep.Quantization(0.1, dtype="uint8")])
def test_plans_count_bytes_of_int8(quantization):
    w, scales = dwsep.quantize_weight(np.ones((8, 16), np.float32))
    x = dwsep.Quantization(0.5)
    layer = dwsep.PointwiseConv2D(
        w, x_quantization=x, weight_quantization=scales, quantization=quantization
    )
    plan = layer.explain((9, 9, 8), 1)
    assert plan.dtype == ("float32" if quantization is None else "uint8")
    assert plan.work.written == (4 if quantization is None else 1) * 9 * 9 * 16
    assert plan.work.read == 9 * 9 * 8 + (8 + 8) * 16
    assert plan.limit.seconds > 0


@pytest.mark.usefixtures("machine")
def test_operations_of_int8_are_limited_by_its_own_peak(monkeypatch):
    peaks = {name: 7e9 * (i + 1) for i, name in enumerate(_core.int8_sets())}
    monkeypatch.setattr(_limits, "int8_peak", peaks.__getitem__)
    _limits._peak_of_kernels.cache_clear()
    of = {(k["family"], k["name"]): k["isa"] for k in reversed(_core.kernels())}
    kernels = [name for family, name in of if family == "depthwise" and name.startswith("int8")]
    for kernel in kernels:
        peak = peaks[of["depthwise", kernel]]
        floats = _limits.operations_in_floats(320, kernel)
        assert floats == pytest.approx(320 * _limits.peak_flops() / peak)
    gemm = next(name for family, name in of if family == "pointwise" and name.startswith("int8"))
    peak = max(peaks[of["pointwise", gemm]], peaks[of["depthwise", kernels[0]]])
    floats = _limits.operations_in_floats(320, f"{kernels[0]} + {gemm}")
    assert floats == pytest.approx(320 * _limits.peak_flops() / peak)
    assert _limits.operations_in_floats(320, "gemm") == 320
    _limits._peak_of_kernels.cache_clear()


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("names", ["int8_of_nobody", "int8", "gemm_7x32 + depthwise_3x3_s1", ""])
def test_no_other_peak_stands_in_for_kernels_that_are_not_known(names):
    with pytest.raises(LookupError, match=f"kernels: wanted .*, got '{re.escape(names)}'"):
        _limits._peak_of_kernels(names)


def test_kernels_of_every_layer_of_int8_have_a_peak(monkeypatch):
    monkeypatch.setattr(_limits, "int8_peak", lambda kernels: 7e9)
    monkeypatch.setattr(_limits, "peak_flops", lambda: 7e9)
    _limits._peak_of_kernels.cache_clear()
    for function, seed in itertools.product(int8_calls.LAYERS, range(20)):
        call = int8_calls.random_call(function, seed)
        plan = call.layer().explain(call.arguments["x"].shape[-3:], 1)
        assert _limits.operations_in_floats(320, plan.kernel) == 320, call
    _limits._peak_of_kernels.cache_clear()


def test_nothing_is_measured_before_it_is_asked_for():
    program = """
import numpy as np, dwsep
from dwsep import _core
measured = []
for name in ("time_fma", "time_read", "time_copy"):
    run = getattr(_core, name)
    setattr(_core, name, lambda *a, run=run, name=name: measured.append(name) or run(*a))
layer = dwsep.PointwiseConv2D(np.ones((16, 32), np.float32))
layer(np.ones((7, 7, 16), np.float32))
plan = layer.explain((7, 7, 16))
repr(layer), repr(plan)
assert not measured
assert plan.limit.seconds > 0
assert set(measured) == {"time_fma", "time_read", "time_copy"}
before = len(measured)
str(plan)
assert len(measured) == before
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_threads_share_what_is_shared(monkeypatch):
    monkeypatch.setattr(_limits, "levels", lambda: {"L1D": 2**14, "memory": 2**22})
    fast = _limits.bandwidth("L1D", 2, bursts=1)
    assert (fast.level, fast.size) == ("L1D", 2**14)
    shared = _limits.bandwidth("memory", 2, bursts=1)
    assert shared.size == 2 * max(2**21, 2 * _core.cache_sizes()["l2"])
    assert shared.read > 0
    assert shared.copied > 0
