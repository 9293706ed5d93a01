"""Scales and shifts by channel of what no convolution makes are steps of integers."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="quantizes ONNX models")

import onnx_models
from graph_builder import Net

import dwsep
from dwsep.quantizer.scales import as_convolutions


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def test_a_normalised_sum_is_one_step():
    """RepViT normalizes a sum of parallel convolutions."""
    nodes = [
        ("Conv", "x,w", "a", {"pads": [1, 1, 1, 1], "group": 8}),
        ("Add", "a,x", "b", {}),
        ("BatchNormalization", "b,gain,shift,mean,variance", "c", {}),
        ("Relu", "c", "d", {}),
        ("Conv", "d,v", "y", {}),
    ]
    known = {"w": random(8, 1, 3, 3), "v": random(8, 8, 1, 1, seed=1), "gain": 1 + random(8) ** 2}
    known |= {"shift": random(8, seed=2), "mean": random(8, seed=3), "variance": 1 + random(8) ** 2}
    source = onnx_models.model(nodes, known, inputs={"x": (1, 8, 12, 12)})
    images = [random(1, 8, 12, 12, seed=seed) for seed in range(10, 18)]
    network = dwsep.quantize(source, images, method="minmax")
    rows = network.summary().rows
    assert [row.kind for row in rows if row.kind == "depthwise"] == ["depthwise", "depthwise"]
    assert not [row.name for row in rows if row.kind == "binary" and row.dtype == "float32"]
    wanted, got = dwsep.load(source)(images[0]), network(images[0])
    assert 10 * np.log10(np.sum(wanted**2) / np.sum((wanted - got) ** 2)) > 30


def _image(*steps, read_twice=False):
    """Return a graph of an image that steps, (function, values, activation), go over."""
    net = Net(channels_last=True)
    values = [net.input(2, 5, 6, 4)]
    for function, known, activation in steps:
        inputs = values[-1], net.constant(known)
        values.append(net.add("binary", *inputs, function=function, activation=activation))
    return net.finish(*values[-2 if read_twice else -1 :])


SCALE, SHIFT = random(4), random(4, seed=1)


@pytest.mark.parametrize(
    ("graph", "kinds"),
    [
        (_image(("mul", SCALE, None), ("add", SHIFT, "relu")), ["depthwise"]),
        (_image(("mul", SCALE, "relu"), ("add", SHIFT, None)), ["depthwise"] * 2),
        (_image(("mul", SCALE, None), ("add", SHIFT, None), read_twice=True), ["depthwise"] * 2),
        (_image(("sub", SHIFT, "silu")), ["depthwise"]),
        (_image(("mul", np.float32(3.0), None), ("add", np.float32(1.0), None)), ["binary"] * 2),
        (_image(("add", random(5, 6, 4), None)), ["binary"]),
        (_image(("div", np.float32([1e-39, 1, 2, 3]), None)), ["binary"]),
    ],
)
def test_what_becomes_a_convolution(graph, kinds):
    from graph_builder import feeds_of
    from graph_runner import run

    feeds = feeds_of(graph)
    wanted = run(graph, feeds)
    as_convolutions(graph)
    assert [node.kind for node in graph.nodes] == kinds
    for got, before in zip(run(graph, feeds), wanted, strict=True):
        np.testing.assert_allclose(got, before, rtol=0, atol=1e-6)
