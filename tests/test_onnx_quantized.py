"""Quantized ONNX operators and networks; the oracle is onnxruntime."""

from __future__ import annotations

import sys

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="imports ONNX models")
onnxruntime = pytest.importorskip("onnxruntime", reason="the oracle")

from onnx import TensorProto
from onnx_quantized_cases import CASES, IMAGE, integers, model_of, one, scales
from onnx_unsigned import SATURATES, with_unsigned_weights

import dwsep
from dwsep.graph.onnx import import_onnx

rng = np.random.default_rng(4)


def oracle(model, feeds, optimized=False):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    if not optimized:  # then conversions remain conversions
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.x64quantprecision", "1")
    if SATURATES and not optimized:
        model = with_unsigned_weights(model)
    return onnxruntime.InferenceSession(model.SerializeToString(), options).run(None, feeds)


def random(info, batch=2):
    shape = [batch if n is None else n for n in info.shape]
    if info.dtype == "float32":
        return 2 * rng.standard_normal(shape, np.float32)
    return integers(info.dtype, *shape)


def differences(model, most=1):
    """Return the share of outputs that differ from the oracle's, which none does by more."""
    network = dwsep.load(model)
    feeds = {info.name: random(info) for info in network.inputs}
    shares = []
    for got, wanted in zip(network.run(None, feeds), oracle(model, feeds), strict=True):
        assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype)
        steps = np.abs(got.astype(np.float64) - wanted.astype(np.float64))
        assert steps.max() <= most
        assert len(np.unique(got)) > min(4, got.size // 2)
        shares.append(np.mean(steps > 0))
    return max(shares)


@pytest.mark.parametrize("name", CASES)
def test_operators_on_quantized_values(name):
    assert differences(CASES[name]) <= 0.01


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
@pytest.mark.parametrize("op", ["QLinearAdd", "QLinearMul"])
def test_results_without_a_zero_point_are_of_the_inputs_type(op, dtype):
    constants = scales("a", "b", dtype=dtype) | {"b": integers(dtype, 4, 1, 1)}
    constants["y_scale"] = np.float32(0.0317)
    read = "a,a_scale,a_zero,b,b_scale,b_zero,y_scale"
    assert differences(one(op, read, {"a": IMAGE}, constants, dtype)) <= 0.01


def linear(dtype, axis=None, opset=17, **attributes):
    """Return a model that quantizes x and dequantizes what it was made."""
    constants = scales("x", dtype=dtype)
    if axis is not None:
        constants["x_scale"] = np.float32([0.01, 0.02, 0.5, 0.03])
        constants["x_zero"] = np.array([0, 1, 2, 3], dtype)
        attributes["axis"] = axis
    nodes = [
        ("QuantizeLinear", "x,x_scale,x_zero", "q", attributes),
        ("DequantizeLinear", "q,x_scale,x_zero", "y", attributes),
    ]
    type_ = {"uint8": TensorProto.UINT8, "int8": TensorProto.INT8}.get(dtype, TensorProto.INT32)
    outputs = {"q": type_, "y": TensorProto.FLOAT}
    outputs = {"y": TensorProto.FLOAT} if type_ == TensorProto.INT32 else outputs
    return model_of(nodes, {"x": (IMAGE, "float32")}, constants, outputs, opset)


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
@pytest.mark.parametrize("opset", [10, 13, 19, 21])
def test_conversions(dtype, opset):
    assert differences(linear(dtype, opset=opset), 0) == 0
    if opset > 10:
        assert differences(linear(dtype, 1, opset), 0) == 0
        assert differences(linear(dtype, -3, opset), 0) == 0


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
def test_conversions_to_sixteen_bits(dtype):
    assert differences(linear(dtype, opset=21), 0) == 0


def test_a_zero_point_that_is_not_there():
    nodes = [("QuantizeLinear", "x,s", "q", {}), ("DequantizeLinear", "q,s", "y", {})]
    outputs = {"q": TensorProto.UINT8, "y": TensorProto.FLOAT}
    model = model_of(nodes, {"x": (IMAGE, "float32")}, {"s": np.float32(0.03)}, outputs)
    assert differences(model, 0) == 0


def test_types_say_what_integers_stand_for():
    nodes = [
        ("DequantizeLinear", "x,x_scale,x_zero", "r", {}),
        ("Relu", "r", "p", {}),
        ("QuantizeLinear", "p,y_scale,y_zero", "y", {}),
    ]
    constants = scales("x", "y", dtype="int8")
    model = model_of(nodes, {"x": (IMAGE, "int8")}, constants, {"y": TensorProto.INT8})
    network = dwsep.load(model)
    (x,), (y,) = network.inputs, network.outputs
    assert (x.dtype, y.dtype) == ("int8", "int8")
    assert x.quantization == dwsep.Quantization(constants["x_scale"], -8)
    assert y.quantization == dwsep.Quantization(constants["y_scale"], -7)
    assert differences(model, 0) == 0


def qdq(x, name, axis=None, dtype="int8"):
    """Return the nodes between a value and itself quantized."""
    attributes = {} if axis is None else {"axis": axis}
    return [
        ("QuantizeLinear", f"{x},{name}_scale,{name}_zero", f"{name}_q", attributes),
        ("DequantizeLinear", f"{name}_q,{name}_scale,{name}_zero", name, attributes),
    ]


def test_weights_behind_a_conversion_are_folded():
    constants = scales("x", "y", dtype="int8") | {
        "w": integers("int8", 6, 4, 3, 3),
        "w_scale": np.float32(rng.uniform(0.005, 0.01, 6)),
        "w_zero": np.zeros(6, np.int8),
        "b": rng.integers(-9999, 9999, 6).astype(np.int32),
        "b_scale": np.float32(rng.uniform(1e-4, 2e-4, 6)),
        "b_zero": np.zeros(6, np.int32),
    }
    nodes = [
        *qdq("image", "x"),
        ("DequantizeLinear", "w,w_scale,w_zero", "wr", {"axis": 0}),
        ("DequantizeLinear", "b,b_scale,b_zero", "br", {"axis": 0}),
        ("Conv", "x,wr,br", "c", {"pads": [1, 1, 1, 1]}),
        ("Relu", "c", "r", {}),
        *qdq("r", "y"),
    ]
    model = model_of(nodes, {"image": (IMAGE, "float32")}, constants, {"y_q": TensorProto.INT8})
    kinds = [node.kind for node in import_onnx(model).nodes]
    assert kinds == ["quantize", "dequantize", "conv", "activation", "quantize"]
    assert differences(model) <= 0.01


def calls_of_python(function):
    """Return how many functions of Python a call of one calls."""
    count = 0

    def profile(_frame, event, _argument):
        nonlocal count
        count += event == "call"

    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


def test_thousands_of_scales_are_not_looked_at_one_by_one():
    """One by one, 60 nodes that share 10,000 take 7 s, at once 1.7."""

    def network(channels):
        constants = {
            "x_scale": np.float32(rng.uniform(0.01, 0.02, channels)),
            "x_zero": np.zeros(channels, np.int8),
        }
        nodes = [*qdq("image", "x", 1), ("Neg", "x", "n", {})]
        nodes += [
            ("QuantizeLinear", "n,x_scale,x_zero", "m", {"axis": 1}),
            ("DequantizeLinear", "m,x_scale,x_zero", "y", {"axis": 1}),
        ]
        inputs = {"image": ((2, channels), "float32")}
        return model_of(nodes, inputs, constants, {"y": TensorProto.FLOAT})

    few, many = (network(n) for n in (10, 3000))
    dwsep.load(few)
    assert calls_of_python(lambda: dwsep.load(many)) < 1.1 * calls_of_python(
        lambda: dwsep.load(few)
    )


def test_integer_products_are_exact():
    nodes = [
        ("MatMulInteger", "a,b,az,bz", "y", {}),
        ("MatMulInteger", "a,k", "z", {}),
    ]
    constants = {"az": np.uint8(7), "bz": np.int8(-3), "k": integers("int8", 5, 6)}
    inputs = {"a": ((3, 5), "uint8"), "b": ((5, 4), "int8")}
    outputs = {"y": TensorProto.INT32, "z": TensorProto.INT32}
    assert differences(model_of(nodes, inputs, constants, outputs), 0) == 0
    nodes = [("ConvInteger", "a,w,az", "y", {"pads": [1, 1, 1, 1]})]
    constants = {"az": np.uint8(9), "w": integers("uint8", 6, 4, 3, 3)}
    outputs = {"y": TensorProto.INT32}
    assert differences(model_of(nodes, {"a": (IMAGE, "uint8")}, constants, outputs), 0) == 0


def test_scales_that_are_computed():
    nodes = [
        ("DynamicQuantizeLinear", "x", "q,s,z", {}),
        ("MatMulInteger", "q,w,z", "i", {}),
        ("Cast", "i", "f", {"to": 1}),
        ("Mul", "s,ws", "m", {}),
        ("Mul", "f,m", "y", {}),
        ("DequantizeLinear", "q,s,z", "back", {}),
        ("QuantizeLinear", "x,s,z", "again", {}),
    ]
    constants = {"w": integers("int8", 8, 6), "ws": np.float32(0.01)}
    outputs = {"q": TensorProto.UINT8, "z": TensorProto.UINT8, "again": TensorProto.UINT8}
    model = model_of(nodes, {"x": ((3, 8), "float32")}, constants, outputs)
    network = dwsep.load(model)
    x = random(network.inputs[0])
    for got, wanted in zip(network(x), oracle(model, {"x": x}), strict=True):
        assert got.dtype == wanted.dtype
        assert np.abs(got.astype(int) - wanted.astype(int)).max() <= 1
    model.graph.output[0].CopyFrom(onnx.helper.make_tensor_value_info("y", 1, None))
    model.graph.output[1].CopyFrom(onnx.helper.make_tensor_value_info("back", 1, None))
    network = dwsep.load(model)
    for got, wanted in zip(network(x), oracle(model, {"x": x}), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-2 * np.abs(wanted).max())
    assert network(np.zeros((3, 8), np.float32))[0].max() == 0


def test_products_of_scales_that_are_computed_need_no_casts():
    nodes = [
        ("DynamicQuantizeLinear", "x", "q,s,z", {}),
        ("MatMulInteger", "q,w,z", "i", {}),
        ("Cast", "i", "f", {"to": 1}),
        ("Mul", "s,f", "y", {}),
        ("Cast", "q", "floats", {"to": 1}),
        ("Cast", "z", "zero", {"to": 1}),
    ]
    constants = {"w": integers("int8", 8, 6)}
    outputs = {"y": 1, "floats": 1, "zero": 1}
    model = model_of(nodes, {"x": ((3, 8), "float32")}, constants, outputs)
    network = dwsep.load(model)
    assert "cast" not in {row.kind for row in network.summary().rows}
    positive = np.abs(random(network.inputs[0]))
    positive[0, :2] = -0.0
    for x in (random(network.inputs[0]), positive, -positive):
        for got, wanted in zip(network(x), oracle(model, {"x": x}), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-6)
            assert not np.signbit(got[got == 0]).any()


def test_blocks_of_a_constant():
    constants = {
        "w": integers("int8", 8, 6),
        "s": np.float32(rng.uniform(0.005, 0.01, (4, 6))),
        "z": integers("int8", 4, 6),
    }
    nodes = [
        ("DequantizeLinear", "w,s,z", "wr", {"axis": 0, "block_size": 2}),
        ("MatMul", "x,wr", "y", {}),
    ]
    model = model_of(
        nodes, {"x": ((3, 8), "float32")}, constants, {"y": TensorProto.FLOAT}, opset=21
    )
    x = random(dwsep.load(model).inputs[0])
    np.testing.assert_allclose(dwsep.load(model)(x), oracle(model, {"x": x})[0], rtol=1e-5)
