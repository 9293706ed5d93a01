"""LSTM layers as onnxruntime's dynamic quantization writes them."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="imports ONNX models")

from onnx import helper, numpy_helper
from onnx_models import f

import dwsep
from dwsep.errors import InvalidModelError

FEATURES, UNITS = 3, 4


def net(node, constants, domain=""):
    infos = [helper.make_tensor_value_info("x", 1, (5, 2, FEATURES))]
    outputs = [helper.make_empty_tensor_value_info(name) for name in "yhc"]
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph([node], "net", infos, outputs, tensors)
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


@pytest.mark.parametrize("type_", ["int8", "uint8"])
@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("direction", ["forward", "bidirectional"])
def test_it_is_the_layer_of_what_the_weights_stand_for(direction, columns, type_):
    """It has the bits of the layer in float32, to which its inputs are not rounded."""
    directions, rng = 1 + (direction == "bidirectional"), np.random.default_rng(1)
    scales_of = (directions, 4 * UNITS) if columns else (directions,)
    constants, plain = {"B": f(directions, 8 * UNITS)}, {"B": f(directions, 8 * UNITS)}
    for name, rows in (("W", FEATURES), ("R", UNITS)):
        bounds = np.iinfo(type_)
        shape = (directions, rows, 4 * UNITS)
        stored = rng.integers(bounds.min, bounds.max, shape, endpoint=True).astype(type_)
        scale = rng.uniform(0.001, 0.01, scales_of).astype(np.float32)
        zero = rng.integers(0, 100, scales_of).astype(type_)
        constants |= {name: stored, f"{name}_scale": scale, f"{name}_zero": zero}
        along = (directions, 1, -1)
        real = (stored.astype(np.int64) - zero.reshape(along)).astype(np.float32)
        plain[name] = (real * scale.reshape(along)).transpose(0, 2, 1).copy()
    more = {"hidden_size": UNITS, "direction": direction}
    more["activations"] = ["Sigmoid", "Tanh", "Relu"] * directions
    layer = helper.make_node("LSTM", ["x", "W", "R", "B"], ["y", "h", "c"], **more)
    scales = ["W_scale", "W_zero", "R_scale", "R_zero"]
    inputs = ["x", "W", "R", "B", "", "", "", "", *scales]
    node = helper.make_node(
        "DynamicQuantizeLSTM", inputs, ["y", "h", "c"], domain="com.microsoft", **more
    )
    x = f(5, 2, FEATURES)
    got, wanted = dwsep.load(net(node, constants))(x), dwsep.load(net(layer, plain))(x)
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(a, b)
    constants["W_scale"] = np.ones(3, np.float32)
    with pytest.raises(InvalidModelError, match="3 scales do not fit weights"):
        dwsep.load(net(node, constants))
    constants |= {"W_scale": constants["R_scale"], "W": constants["W"].astype(np.float32)}
    with pytest.raises(InvalidModelError, match="its weights are float32"):
        dwsep.load(net(node, constants))
    node.output.append("more")
    with pytest.raises(InvalidModelError, match="need 1 to 3 outputs, got 4"):
        dwsep.load(net(node, constants))
