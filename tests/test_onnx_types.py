"""ONNX files whose inputs, weights and outputs are not float32."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="imports ONNX models")

from onnx import TensorProto, helper
from onnx_models import f, model

import dwsep
from dwsep.errors import UnsupportedOperatorError

CONV = [("Conv", "x,w,b", "c", {"pads": [1, 1, 1, 1]}), ("Relu", "c", "y", {})]


def typed(net, inputs=(), outputs=()):
    """Return a model with the types of its inputs and outputs set."""
    for values, types in ((net.graph.input, inputs), (net.graph.output, outputs)):
        for value, type_ in zip(values, types, strict=False):
            value.type.tensor_type.elem_type = type_
    return net


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_precisions_are_computed_in_float32(dtype):
    weights = {"w": f(5, 4, 3, 3).astype(dtype), "b": f(5).astype(dtype)}
    code = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    network = dwsep.load(typed(model(CONV, weights), [code], [code]))
    plain = dwsep.load(model(CONV, {k: w.astype(np.float32) for k, w in weights.items()}))
    x = f(2, 4, 6, 6)
    if dtype == np.float16:
        x = x.astype(np.float16)
        assert (network.inputs[0].dtype, network.outputs[0].dtype) == ("float16", "float16")
        y = network(x)
        assert y.dtype == np.float16
        assert np.array_equal(y, plain(x.astype(np.float32)).astype(np.float16))
    else:
        assert (network.inputs[0].dtype, network.outputs[0].dtype) == ("float32", "float32")
        assert np.array_equal(network(x), plain(x))
        with pytest.raises(TypeError, match="of native float32, got dtype float64"):
            network(x.astype(np.float64))


def test_a_file_of_halves_saves_and_keeps_its_types(tmp_path):
    weights = {"w": f(5, 4, 3, 3).astype(np.float16), "b": f(5).astype(np.float16)}
    network = dwsep.load(typed(model(CONV, weights), [TensorProto.FLOAT16], [TensorProto.FLOAT16]))
    network.save(tmp_path / "net.dwsep")
    again = dwsep.load(tmp_path / "net.dwsep")
    x = f(2, 4, 6, 6).astype(np.float16)
    assert again.inputs == network.inputs
    assert again(x).tobytes() == network(x).tobytes()


def test_an_output_that_other_nodes_read_is_cast_for_the_caller_only():
    nodes = [("Relu", "x", "y", {}), ("Mul", "y,y", "z", {})]
    net = typed(model(nodes, outputs=("y", "z")), [TensorProto.FLOAT16], [TensorProto.FLOAT16] * 2)
    x = f(2, 4, 6, 6).astype(np.float16)
    y, z = dwsep.load(net)(x)
    wide = np.maximum(x.astype(np.float32), 0)
    assert np.array_equal(y, wide.astype(np.float16))
    assert np.array_equal(z, (wide * wide).astype(np.float16))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "int64", "bool"])
def test_inputs_that_are_cast(dtype):
    nodes = [("Cast", "x", "a", {"to": 1}), ("Div", "a,scale", "y", {})]
    code = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    network = dwsep.load(typed(model(nodes, {"scale": np.float32(255)}), [code]))
    assert network.inputs[0].dtype == dtype
    x = (np.arange(288).reshape(2, 4, 6, 6) % 2 * 117).astype(dtype)
    assert np.array_equal(network(x), x.astype(np.float32) / np.float32(255))


def test_pictures_of_bytes_go_in_with_their_channels_last():
    nodes = [("Cast", "x", "a", {"to": 1}), ("Conv", "a,w", "y", {})]
    net = typed(model(nodes, {"w": f(5, 4, 3, 3)}), [TensorProto.UINT8])
    x = (np.arange(288).reshape(2, 4, 6, 6) % 251).astype(np.uint8)
    wanted = dwsep.load(net)(x)
    network = dwsep.load(net, input_layout="NHWC")
    assert network.inputs[0][1:3] == ((None, 6, 6, 4), "uint8")
    assert np.array_equal(network(np.ascontiguousarray(x.transpose(0, 2, 3, 1))), wanted)


def test_rows_of_a_table_at_computed_indices():
    nodes = [("Gather", "table,x", "g", {}), ("ReduceMean", "g", "y", {"axes": [1], "keepdims": 0})]
    table = f(11, 3)
    net = typed(model(nodes, {"table": table}, inputs={"x": ("N", 4)}), [TensorProto.INT64])
    x = np.array([[0, 3, 10, -1], [5, 5, 5, 5]])
    np.testing.assert_allclose(dwsep.load(net)(x), table[x].mean(1), rtol=1e-6)


def test_classes_of_pixels():
    nodes = [
        ("Conv", "x,w", "c", {}),
        ("ArgMax", "c", "y", {"axis": 1, "keepdims": 0}),
        ("Softmax", "c", "s", {"axis": 1}),
    ]
    net = model(nodes, {"w": f(5, 4, 3, 3)}, outputs=("y", "s"))
    y, s = dwsep.load(net)(f(2, 4, 6, 6))
    assert y.dtype == np.int64
    assert np.array_equal(y, s.argmax(1))


def test_an_output_that_is_known_keeps_its_type():
    nodes = [("Identity", "k", "y", {}), ("Relu", "x", "z", {})]
    network = dwsep.load(model(nodes, {"k": np.arange(3)}, outputs=("y", "z")))
    y, _ = network(f(2, 4, 6, 6))
    assert y.dtype == np.int64
    assert y.tolist() == [0, 1, 2]


def test_types_without_values_are_refused_by_name():
    for code, name in ((TensorProto.UINT64, "uint64"), (TensorProto.STRING, "string")):
        net = typed(model([("Identity", "x", "y", {})]), [code])
        with pytest.raises(UnsupportedOperatorError, match=f"input 'x' is {name}"):
            dwsep.load(net)
    with pytest.raises(UnsupportedOperatorError, match="the network has no values of uint64"):
        dwsep.load(model([("Cast", "x", "y", {"to": TensorProto.UINT64})]))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32"])
def test_absolute_values(dtype):
    code = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    info = [helper.make_tensor_value_info(name, code, [4]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Abs", ["x"], ["y"])], "net", info[:1], info[1:])
    net = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    x = np.array([0, 1, 3, 120], dtype) * (-1 if dtype != "uint8" else 1)
    y = dwsep.load(net)(x.astype(dtype))
    assert y.dtype == dtype
    assert y.tolist() == [0, 1, 3, 120]


@pytest.mark.parametrize(("opset", "to"), [(17, TensorProto.FLOAT16), (5, "FLOAT16")])
def test_a_cast_to_halves_says_the_type_of_an_output_that_the_file_leaves_open(opset, to):
    net = typed(model([("Cast", "x", "y", {"to": to})], opset=opset), outputs=[0])
    x = f(2, 4, 6, 6)
    y = dwsep.load(net)(x)
    assert y.dtype == np.float16
    assert np.array_equal(y, x.astype(np.float16))
