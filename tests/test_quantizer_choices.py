"""The quantiser chooses the same whatever happens around it, and scales that leave no work."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import dwsep
from dwsep.graph.passes import simplify
from dwsep.models._builder import Network
from dwsep.quantizer.places import find_places

pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).standard_normal((16, 3, 32, 32), dtype=np.float32)


@pytest.fixture(scope="module")
def affine():
    """Return a network whose depthwise steps read hard_swish(x) * a + b, as PP-LCNet's do."""
    net = Network("affine", resolution=32, classes=20, seed=0)
    x = net.conv(net.input, 16, 3, 2, activation="hard_swish")
    for a, b in [(0.5, -0.3), (2.0, 0.1), (1.5, 1e-4), (-0.7, 0.2)]:
        for op, value in (("Mul", a), ("Add", b)):
            (name,) = net.node(op, x.name, net.scalar(value))
            x = replace(x, name=name)
        x = net.conv(x, 16, 3, groups=16)
        x = net.conv(x, 16, activation="hard_swish")
    return net.model(net.dense(net.flatten(net.average(x)), net.classes))


def test_channels_have_scales_through_numbers_that_are_added_and_multiplied_by(affine, images):
    from dwsep.graph.onnx import import_onnx

    graph = simplify(import_onnx(affine))
    assert len(find_places(graph).by_channel) == 4
    model = dwsep.quantize(affine, [images], method="minmax")
    assert model.quantization_report.decibels > 20
    steps = [step["kind"] for step in model._network.steps([(1, 3, 32, 32)])]
    assert steps.count("reinterpret") == 3
    assert "dequantize" not in steps


def test_the_same_inputs_give_the_same_file(affine, images):
    files = [
        dwsep.quantize(affine, calibration, method="percentile")._network.to_bytes()
        for calibration in ([images], (image[None] for image in images))
    ]
    assert files[0] == files[1]


def test_what_is_chosen_is_the_same_whatever_the_threads(affine, images):
    before, files = dwsep.get_num_threads(), []
    try:
        for threads in (1, 2):
            dwsep.set_num_threads(threads)
            files.append(dwsep.quantize(affine, [images])._network.to_bytes())
    finally:
        dwsep.set_num_threads(before)
    assert files[0] == files[1]
