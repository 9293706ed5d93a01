"""outputs= cuts a file: what only other values need is never looked at."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="imports ONNX models")

from onnx_models import f, ints, model

import dwsep
from dwsep.errors import InvalidModelError, UnsupportedOperatorError

HEAD = [
    ("Conv", "x,w", "features", {}),
    ("Relu", "features", "r", {}),
    ("NonZero", "r", "n", {}),
    ("Frobnicate", "n,scales", "y", {}),
]


def test_a_backbone_without_its_head():
    net = model(HEAD, {"w": f(3, 4, 1, 1), "scales": np.float64([1.0])})
    with pytest.raises(UnsupportedOperatorError, match=r"outputs=\['r'\]"):
        dwsep.load(net)
    network = dwsep.load(net, outputs=["r"])
    assert [value.name for value in network.outputs] == ["r"]
    x = f(2, 4, 6, 6)
    wanted = np.maximum(np.einsum("nchw,oc->nohw", x, f(3, 4, 1, 1)[:, :, 0, 0]), 0)
    np.testing.assert_allclose(network(x), wanted, atol=1e-5)


def test_a_value_that_no_output_of_the_file_needs():
    nodes = [("Relu", "x", "y", {}), ("Neg", "x", "aside", {})]
    x = f(1, 4, 6, 6)
    assert np.array_equal(dwsep.load(model(nodes), outputs=["aside"])(x), -x)


def test_inputs_and_weights_that_are_not_needed_are_gone():
    nodes = [("Relu", "x", "r", {}), ("Gather", "r,which", "y", {})]
    net = model(nodes, {"k": ints(1)}, inputs={"x": (1, 4), "which": ("any",)})
    net.graph.input[1].type.tensor_type.elem_type = 8
    net.graph.initializer[0].data_type = 8  # strings
    with pytest.raises(UnsupportedOperatorError, match="'which' is string"):
        dwsep.load(net)
    network = dwsep.load(net, outputs=["r"])
    assert [value.name for value in network.inputs] == ["x"]


def test_all_inputs_stay_without_a_cut():
    net = model([("Relu", "x", "y", {})], inputs={"x": (1, 4), "unused": (1, 2)})
    assert [value.name for value in dwsep.load(net).inputs] == ["x", "unused"]


def test_a_name_that_is_not_there():
    with pytest.raises(InvalidModelError, match=r"'featurs'; there are 'features'"):
        dwsep.load(model(HEAD), outputs=["featurs"])


def test_a_damaged_head_does_not_matter():
    nodes = [("Relu", "x", "r", {}), ("Add", "r,nowhere", "y", {})]
    with pytest.raises(InvalidModelError, match="nothing makes"):
        dwsep.load(model(nodes))
    assert dwsep.load(model(nodes), outputs=["r"])(np.float32(-f(1, 4, 6, 6))).min() >= 0
