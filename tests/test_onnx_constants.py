"""Inputs that are fixed when a file is loaded."""

import numpy as np
import onnx_models
import pytest
import tflite_writer
from onnx import TensorProto, helper
from onnx_models import f, ints

import dwsep


def rated():
    """Divide by a rate, an int64 scalar, as detectors of voices take one."""
    nodes = [
        ("Cast", "sr", "rate", {"to": 1}),
        ("Div", "x,rate", "d", {}),
        ("Equal", "sr,k16", "is", {}),
        ("Where", "is,d,x", "y", {}),
    ]
    net = onnx_models.model(nodes, {"k16": np.array(16000)}, inputs={"x": ("N", 4), "sr": ()})
    net.graph.input[1].CopyFrom(helper.make_tensor_value_info("sr", TensorProto.INT64, []))
    return net


@pytest.mark.parametrize("rate", [16000, 16000.0, np.int32(16000), np.array(16000)])
def test_a_constant_is_no_input(rate):
    network = dwsep.load(rated(), constants={"sr": rate})
    assert [i.name for i in network.inputs] == ["x"]
    x = f(2, 4)
    np.testing.assert_array_equal(network(x), x / np.float32(16000))
    np.testing.assert_array_equal(dwsep.load(rated(), constants={"sr": 8000})(x), x)
    np.testing.assert_array_equal(dwsep.load(rated())(x, np.array(8000)), x)


@pytest.mark.parametrize(
    ("constants", "error", "message"),
    [
        ({"rate": 1}, ValueError, r"constants: .*has no input \['rate'\]"),
        ({"sr": 0.5}, ValueError, "is int64, which does not hold 0.5"),
        ({"sr": float("nan")}, ValueError, "does not hold nan"),
        ({"sr": "16k"}, ValueError, "does not hold '16k'"),
        ({"sr": 2**70}, ValueError, "does not hold"),
        ({"sr": 1j}, ValueError, "does not hold"),
        ({"sr": [[1], [1, 2]]}, ValueError, "does not hold"),
        ({"sr": [1, 2]}, ValueError, r"has shape \(\), got \(2,\)"),
        ({"x": np.zeros((3, 5), np.float32)}, ValueError, r"got \(3, 5\)"),
        ([("sr", 1)], TypeError, "constants: need None or a mapping"),
    ],
)
def test_misuse(constants, error, message):
    with pytest.raises(error, match=message):
        dwsep.load(rated(), constants=constants)


def test_shapes_that_constants_give():
    """A shape that is an input may be fixed: what is computed with it is known then."""
    net = onnx_models.model([("Reshape", "x,s", "y", {})], inputs={"x": ("N", 4, 6), "s": (2,)})
    net.graph.input[1].CopyFrom(helper.make_tensor_value_info("s", TensorProto.INT64, [2]))
    with pytest.raises(ValueError, match="computed by the network"):
        dwsep.load(net)
    network = dwsep.load(net, constants={"s": ints(0, 24)})
    assert network(f(3, 4, 6)).shape == (3, 24)


def test_saved_networks_have_none(tmp_path):
    network = dwsep.load(rated(), constants={"sr": 8000})
    network.save(tmp_path / "net.dwsep")
    x = f(1, 4)
    np.testing.assert_array_equal(dwsep.load(tmp_path / "net.dwsep")(x), network(x))
    with pytest.raises(ValueError, match=r"constants: need None for a \.dwsep file"):
        dwsep.load(tmp_path / "net.dwsep", constants={"sr": 1})


def test_tflite():
    tensors = [tflite_writer.tensor(name, (1, 3)) for name in "xcy"]
    file = tflite_writer.model(tensors, [("ADD", ["x", "c"], ["y"], {})], ["x", "c"], ["y"])
    network = dwsep.load(file, constants={"c": [[1, 2, 3]]})
    x = f(1, 3)
    np.testing.assert_array_equal(network(x), x + np.float32([[1, 2, 3]]))
