"""Channels of zeros behind others are a concatenation, which the core computes in place."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from graph_builder import Net, ill_typed, kinds

from dwsep.graph.lowering import lower
from dwsep.graph.passes import wider


def residual(batch, before=(0, 0, 0, 0), after=(0, 0, 0, 5), value=0.0):
    """Return a pool, and what adds it, with more channels, to a convolution of it."""
    net = Net(channels_last=True, seed=2)
    pool = {"function": "max", "kernel": (2, 2), "stride": (2, 2), "dilation": (1, 1)}
    x = net.add("pool", net.input(batch, 8, 6, 7), **pool, padding=(0, 0, 0, 0))
    more = net.add("pad", x, mode="constant", value=value, before=before, after=after)
    weights = {"weight": net.random(7, 12), "bias": net.random(12)}
    y = net.add("pointwise", x, more, weights=weights, activation="relu")
    return net.finish(y)


def test_values_are_computed_where_zeros_follow_them():
    graph = residual(2)
    before = copy.deepcopy(graph)
    assert wider.run(graph)
    assert kinds(graph) == ["pool", "expand", "concat", "pointwise"]
    assert not ill_typed(graph)
    assert not wider.run(graph)
    x = np.random.default_rng(0).standard_normal((2, 8, 6, 7)).astype(np.float32)
    results = [lower(g, {}).run([x])[0] for g in (before, graph)]
    assert results[0].tobytes() == results[1].tobytes()


@pytest.mark.parametrize(
    "change",
    [
        {"batch": None},
        {"value": 1.0},
        {"value": -0.0},
        {"before": (0, 0, 0, 2), "after": (0, 0, 0, 3)},
    ],
)
def test_other_padding_stays(change):
    graph = residual(**{"batch": 2, **change})
    assert not wider.run(graph)
    assert "pad" in kinds(graph)


@pytest.mark.parametrize("after", [(0, 0, 1, 5), (0, 1, 0, 5), (1, 0, 0, 5)])
def test_pixels_and_images_of_zeros_stay(after):
    net = Net(channels_last=True, seed=2)
    weights = {"weight": net.random(7, 7)}
    x = net.add("pointwise", net.input(2, 4, 3, 7), weights=weights, activation=None)
    y = net.add("pad", x, mode="constant", value=0.0, before=(0, 0, 0, 0), after=after)
    assert not wider.run(net.finish(y))
