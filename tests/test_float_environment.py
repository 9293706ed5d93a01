"""Results do not depend on the floating-point environment of the thread that calls."""

from __future__ import annotations

import contextlib
import ctypes
import platform
import sys

import numpy as np
import pytest
import small_networks
from calls import bits_differ

import dwsep

# Of fenv_t: its words, which of them is the control register, and the bits of that which flush
# subnormal numbers to zero and which round upwards.
_LAYOUTS = {"x86_64": (8, 7, 0x8040, 0x4000), "aarch64": (2, 0, 1 << 24, 1 << 22)}
_LAYOUT = _LAYOUTS.get(platform.machine())
pytestmark = pytest.mark.skipif(
    _LAYOUT is None or not sys.platform.startswith("linux"), reason="knows fenv_t of Linux"
)


def registers():
    words = (ctypes.c_uint32 * _LAYOUT[0])()
    assert ctypes.CDLL(None).fegetenv(words) == 0
    return words


@contextlib.contextmanager
def environment(*names):
    _, index, flush, upwards = _LAYOUT
    before, changed = registers(), registers()
    changed[index] |= sum({"flush": flush, "upwards": upwards}[name] for name in names)
    ctypes.CDLL(None).fesetenv(changed)
    try:
        yield
        assert registers()[index] & ~0x3F == changed[index] & ~0x3F  # but flags that were raised
    finally:
        ctypes.CDLL(None).fesetenv(before)


@pytest.mark.parametrize("names", [["flush"], ["upwards"], ["flush", "upwards"]])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_layer_gives_the_same_bits(names, threads):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 64, 32), dtype=np.float32)
    w = rng.standard_normal((3, 3, 32), dtype=np.float32)
    w[..., ::2] *= np.float32(1e-19)
    x[..., ::2] *= np.float32(1e-20)
    layer = dwsep.DepthwiseConv2D(w, activation="silu")
    wanted = layer(x, num_threads=1)
    subnormal = np.abs(wanted[..., ::2])
    assert ((subnormal > 0) & (subnormal < np.finfo(np.float32).tiny)).any()
    with environment(*names):
        got = layer(x, num_threads=threads)
    assert bits_differ(got, wanted) is None


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", [small_networks.classifier, small_networks.rearranger])
def test_a_network_gives_the_same_bits(kind, threads):
    """Of a file that was loaded here: its weights of resizing are computed by the first call."""
    content = kind().to_bytes()
    model = dwsep.load(content)
    feeds = small_networks.feeds(model)
    wanted = model.run(None, feeds, num_threads=1)
    with environment("flush", "upwards"):
        got = dwsep.load(content).run(None, feeds, num_threads=threads)
    for name, ours, theirs in zip(model.outputs, got, wanted, strict=True):
        assert bits_differ(ours, theirs) is None, name


def test_weights_are_folded_alike():
    """Batch norms are folded by multiplications, which rounding decides."""
    pytest.importorskip("onnx", reason="reads ONNX files")
    model = dwsep.models.mobilenet_v1(resolution=32, alpha=0.25)
    x = np.random.default_rng(2).standard_normal((1, 3, 32, 32), dtype=np.float32)
    content = model.SerializeToString()
    wanted = dwsep.load(content)(x)
    with environment("flush", "upwards"):
        got = dwsep.load(content)(x)
    assert bits_differ(got, wanted) is None
