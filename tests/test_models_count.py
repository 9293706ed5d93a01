"""Parameters and multiply-adds of ONNX models, against hand-counted ones."""

from __future__ import annotations

import numpy as np
import pytest

import dwsep


@pytest.fixture(scope="module")
def onnx():
    return pytest.importorskip("onnx")


def test_count_of_hand_counted_nodes(onnx):
    h, float32 = onnx.helper, onnx.TensorProto.FLOAT

    def tensor(name, *shape):
        return onnx.numpy_helper.from_array(np.zeros(shape, np.float32), name)

    graph = h.make_graph(
        [
            h.make_node("Conv", ["x", "a", "b"], ["c"], group=2, strides=[2, 2]),
            h.make_node("ConvTranspose", ["c", "t"], ["d"], strides=[2, 2]),
            h.make_node("BatchNormalization", ["d", "g", "h", "m", "v"], ["e"]),
            h.make_node("Mul", ["e", "two"], ["f"]),
            h.make_node("Flatten", ["f"], ["i"]),
            h.make_node("Gemm", ["i", "w"], ["j"]),
            h.make_node("Gemm", ["r", "s"], ["k"], transA=1),
            h.make_node("MatMul", ["j", "k"], ["y"]),
        ],
        "hand",
        [h.make_tensor_value_info("x", float32, ["batch", 4, 5, 5])],
        [h.make_tensor_value_info("y", float32, ["batch", 9])],
        [
            *[tensor("a", 6, 2, 3, 3), tensor("b", 6), tensor("t", 6, 3, 2, 2)],
            *[tensor(name, 3) for name in "ghmv"],
            *[tensor("two"), tensor("w", 48, 7), tensor("r", 5, 7), tensor("s", 5, 9)],
        ],
    )
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8)
    convolution, transposed = (2 * 2) * 6 * 2 * 9, (2 * 2) * 6 * 3 * 4
    products = 48 * 7 + 7 * 5 * 9 + 7 * 9
    parameters = 108 + 6 + 72 + 3 + 3 + 48 * 7 + 35 + 45
    assert dwsep.models.count(model) == dwsep.models.Count(
        parameters, convolution + transposed + products
    )


def test_count_refuses_what_it_cannot_count(onnx):
    with pytest.raises(TypeError, match=r"model: need an onnx.ModelProto, got 'net.onnx' \(str\)"):
        dwsep.models.count("net.onnx")
    model = dwsep.models.mobilenet_v3_small()
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"
    with pytest.raises(ValueError, match="model: need the shape of every value, got none for"):
        dwsep.models.count(model)
