"""Whole networks through the importer: onnxruntime gives the same outputs."""

from __future__ import annotations

import numpy as np
import pytest
from graph_runner import run

onnx = pytest.importorskip("onnx", reason="imports ONNX models")
onnxruntime = pytest.importorskip("onnxruntime", reason="the oracle")

from dwsep import models
from dwsep.graph.onnx import import_onnx

CLASSES = 10


@pytest.mark.parametrize(
    "name",
    ["mobilenet_v1", "mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2", "convnext_tiny"],
)
def test_networks(name):
    resolution = 32 if name == "convnext_tiny" else 64
    model = getattr(models, name)(resolution=resolution, classes=CLASSES)
    graph = import_onnx(model)
    (feed,) = graph.inputs
    assert graph.shape(feed) == (None, 3, resolution, resolution)
    assert [graph.shape(o) for o in graph.outputs] == [(None, CLASSES)]
    x = np.random.default_rng(0).standard_normal((2, 3, resolution, resolution), np.float32)
    (got,) = run(graph, {feed: x})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    (wanted,) = session.run(None, {feed: x})
    assert np.ptp(wanted) > 0.01
    # float32 against float64: what differs is the oracle's rounding
    np.testing.assert_allclose(got, wanted, rtol=0, atol=2e-5 * np.abs(wanted).max())
