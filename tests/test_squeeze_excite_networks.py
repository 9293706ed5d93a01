"""Separable steps with squeeze-excite: the bits of the single steps, and their float64 values."""

import copy

import graph_oracle
import numpy as np
import pytest
from graph_builder import Net, feeds_of, kinds

from dwsep import _core
from dwsep.graph.lowering import lower
from dwsep.graph.passes import blocks, optimize

CASES = {
    "EfficientNet": {"size": (56, 40), "channels": 32, "reduced": 8, "made": 16},
    "MobileNetV3": {"size": (33, 56), "channels": 16, "reduced": 8, "made": 16, "stride": 2},
    "few pixels": {"size": (4, 4), "channels": 200, "reduced": 9, "made": 300},
    "one pixel": {"size": (1, 1), "channels": 24, "reduced": 3, "made": 5},
    "odd": {"size": (19, 13), "channels": 17, "reduced": 5, "made": 17, "added": True},
    "kernel 7": {"size": (20, 31), "channels": 65, "reduced": 9, "made": 3, "kernel": 7},
    "dilated": {"size": (17, 17), "channels": 40, "reduced": 4, "made": 8, "dilation": 2},
    "multiplier": {"size": (13, 12), "channels": 6, "reduced": 4, "made": 7, "multiplier": 2},
}


def graph_of(
    size, channels, reduced, made, kernel=3, stride=1, dilation=1, multiplier=1, added=False
):
    net = Net()
    x = net.input(None, channels, *size)
    pad = (kernel // 2 * dilation,) * 4
    y = net.depthwise(x, kernel, multiplier, stride=stride, dilation=dilation, padding=pad)
    y = net.squeeze_excite(net.act(y, "silu"), reduced)
    y = net.conv(y, made, 1)
    return net.finish(net.act(net.binary("add", y, x) if added else y, "hard_swish"))


@pytest.mark.kernels
@pytest.mark.parametrize("name", CASES)
def test_bits_and_values(name, monkeypatch):
    graph = graph_of(**CASES[name])
    fused = optimize(copy.deepcopy(graph))
    assert kinds(fused)[1:-1] == ["separable"]
    network = lower(fused, {})
    with monkeypatch.context() as patch:
        patch.setattr(blocks, "run", lambda _: False)
        steps = optimize(copy.deepcopy(graph))
    assert {"depthwise", "reduce", "pointwise", "binary"} <= set(kinds(steps))
    separate = lower(steps, {})

    for batch in (1, 2, 3):
        (x,) = (v.astype(np.float32) for v in feeds_of(graph, batch=batch).values())
        (wanted,) = separate.run([x], 1)
        for threads in (1, 2, 3):
            (got,) = network.run([x], threads)
            assert np.array_equal(got.view(np.int32), wanted.view(np.int32)), (batch, threads)
        first = network.run([np.ascontiguousarray(x[:1])], 1)[0]
        assert np.array_equal(first.view(np.int32), wanted[:1].view(np.int32))
    (exact,) = graph_oracle.evaluate(graph, {"x0": x.astype(np.float64)}).values()
    assert np.abs(exact).max() > 1
    np.testing.assert_allclose(got, exact, rtol=1e-5, atol=1e-5 * np.abs(exact).max())


def test_a_saved_one_is_the_same():
    network = lower(optimize(graph_of(**CASES["multiplier"])), {})
    loaded = _core.Network.from_bytes(network.to_bytes())
    x = np.random.default_rng(0).standard_normal((2, 6, 13, 12), dtype=np.float32)
    assert np.array_equal(loaded.run([x], 2)[0], network.run([x], 1)[0])
