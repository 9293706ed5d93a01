"""Convolutions with filters that the file makes of others: for each image, or standardized."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="reads ONNX files")

from onnx_models import f, ints, model

import dwsep


def test_a_mixture_of_experts():
    """CondConv: an image's filters are a mixture by what a small network makes of the image."""
    experts, routing = f(3, 6 * 4 * 3 * 3), f(4, 3)
    nodes = [
        ("GlobalAveragePool", "x", "mean", {}),
        ("Reshape", "mean,flat", "row", {}),
        ("MatMul", "row,routing", "logits", {}),
        ("Sigmoid", "logits", "gates", {}),
        ("MatMul", "gates,experts", "mixed", {}),
        ("Reshape", "mixed,size", "w", {}),
        ("Conv", "x,w,bias", "y", {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
    ]
    known = {"flat": ints(1, 4), "routing": routing, "experts": experts, "size": ints(6, 4, 3, 3)}
    x, bias = f(1, 4, 9, 10), f(6)
    network = dwsep.load(model(nodes, {**known, "bias": bias}, inputs={"x": (1, 4, 9, 10)}))
    gates = 1 / (1 + np.exp(-(x.mean((2, 3)) @ routing)))
    filters = (gates @ experts).reshape(6, 4, 3, 3).transpose(2, 3, 1, 0)
    image = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    wanted = dwsep.conv2d(image, np.ascontiguousarray(filters), bias, stride=2, padding=1)
    np.testing.assert_allclose(network(x), wanted.transpose(0, 3, 1, 2), rtol=0, atol=3e-5)


@pytest.mark.parametrize(
    ("filters", "attributes", "message"),
    [
        ((4, 3, 3, 3), {}, "weights are for 3 channels, its input has 4"),
        ((4, 4, 3), {}, "weights: need 4 axes"),
        ((4, 4, 9, 9), {}, "sizes need to be from 1"),
        ((4, 4, 33, 33), {"pads": [32] * 4}, "too much for 33x33 taps in 1 groups"),
        ((4, 4, 3, 3), {"group": 3}, "group: 3 does not divide"),
    ],
)
def test_refusals(filters, attributes, message):
    net = model([("Conv", "x,w", "y", attributes)], inputs={"x": (1, 4, 6, 6), "w": filters})
    with pytest.raises(ValueError, match=message):
        dwsep.load(net)


@pytest.mark.parametrize("opset", [12, 15])
def test_standardized_weights(opset):
    """PyTorch exports a batch norm in training mode, of constants."""
    stored, gain = f(1, 6, 36), np.abs(f(6)) + 0.5
    mean, variance = stored.mean((0, 2)), stored.var((0, 2))
    training = {"training_mode": 1} if opset > 12 else {}
    nodes = [
        ("BatchNormalization", "stored,gain,zero,mean,variance", "w", {"epsilon": 1e-3} | training),
        ("Reshape", "w,size", "filters", {}),
        ("Conv", "x,filters", "y", {}),
    ]
    if opset > 12:  # what is given of statistics is not used
        mean, variance = mean + 1, 3 * variance
    known = {"stored": stored, "gain": gain, "zero": np.zeros(6, np.float32), "mean": mean}
    known |= {"variance": variance, "size": ints(6, 4, 3, 3)}
    network = dwsep.load(model(nodes, known, inputs={"x": (1, 4, 9, 10)}, opset=opset))
    assert [row.kind for row in network.summary().rows if row.flops] == ["standard"]
    exact = stored.astype(np.float64)
    w = (exact - exact.mean(2, keepdims=True)) / np.sqrt(exact.var(2, keepdims=True) + 1e-3)
    w = (w * gain[:, None]).reshape(6, 4, 3, 3).transpose(2, 3, 1, 0).astype(np.float32)
    x = f(1, 4, 9, 10)
    image = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    wanted = dwsep.conv2d(image, np.ascontiguousarray(w), padding="valid")
    np.testing.assert_allclose(network(x), wanted.transpose(0, 3, 1, 2), rtol=0, atol=1e-5)
