"""int8 against what onnxruntime computes (QLinearConv), every bit, where it is installed."""

import numpy as np
import pytest

import dwsep
from dwsep import Quantization

pytestmark = pytest.mark.kernels

# (kernel, Cin, Cout, groups, stride, zero points of x and y)
CASES = [
    ((1, 1), 24, 40, 1, 1, (3, -5)),
    ((1, 1), 65, 17, 1, 1, (-128, 127)),
    ((3, 3), 32, 32, 32, 1, (0, 0)),
    ((3, 3), 40, 40, 40, 2, (-7, 100)),
    ((5, 5), 9, 9, 9, 1, (127, -128)),
    ((3, 3), 3, 16, 1, 2, (-1, 4)),
    ((3, 3), 8, 12, 4, 1, (10, 20)),
]


def problem(case, dtype):
    kernel, cin, cout, groups, stride, (x_zero, y_zero) = case
    rng = np.random.default_rng(cin)
    offset = 128 * (dtype == "uint8")
    x = rng.integers(-128, 128, (2, 11, 12, cin)) + offset
    w = rng.integers(-127, 128, (*kernel, cin // groups, cout)).astype(np.int8)
    bias = rng.integers(-3000, 3000, cout).astype(np.int32)
    qx = Quantization(0.037, x_zero + offset, dtype)
    qw = Quantization(rng.uniform(0.001, 0.02, cout))
    qy = Quantization(0.021 * np.sqrt(w[..., 0].size), y_zero + offset, dtype)
    return x.astype(dtype), w, bias, qx, qw, qy, groups, stride


def ours(x, w, bias, qx, qw, qy, groups, stride, activation=None):
    sides = tuple(((k - 1) // 2, (k - 1) // 2) for k in w.shape[:2])
    layer = dwsep.Conv2D(
        w,
        bias,
        stride=stride,
        padding=sides,
        groups=groups,
        activation=activation,
        x_quantization=qx,
        weight_quantization=qw,
        quantization=qy,
    )
    return layer(x)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_qlinear_conv(case):
    dtype = "uint8"  # onnxruntime refuses int8 for this graph
    ort = pytest.importorskip("onnxruntime", reason="compares with onnxruntime")
    onnx = pytest.importorskip("onnx", reason="writes networks for onnxruntime")
    h, numbers = onnx.helper, onnx.numpy_helper.from_array
    x, w, bias, qx, qw, qy, groups, stride = problem(case, dtype)
    kind = onnx.TensorProto.INT8 if dtype == "int8" else onnx.TensorProto.UINT8
    constants = {
        "xs": np.float32(qx.scale),
        "xz": np.array(qx.zero_point, dtype),
        "w": np.ascontiguousarray(w.transpose(3, 2, 0, 1)),
        "ws": qw.scale,
        "wz": np.zeros(len(qw.scale), np.int8),
        "ys": np.float32(qy.scale),
        "yz": np.array(qy.zero_point, dtype),
        "b": bias,
    }
    sides = [(k - 1) // 2 for k in w.shape[:2]]
    node = h.make_node(
        "QLinearConv",
        ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"],
        ["y"],
        pads=[*sides, *sides],
        strides=[stride, stride],
        group=groups,
        kernel_shape=w.shape[:2],
    )
    graph = h.make_graph(
        [node],
        "g",
        [h.make_tensor_value_info("x", kind, None)],
        [h.make_tensor_value_info("y", kind, None)],
        [numbers(np.asarray(v), n) for n, v in constants.items()],
    )
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 13)], ir_version=8)
    options = ort.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    (theirs,) = session.run(None, {"x": np.ascontiguousarray(x.transpose(0, 3, 1, 2))})
    got = ours(x, w, bias, qx, qw, qy, groups, stride)
    assert np.array_equal(got.transpose(0, 3, 1, 2), theirs)
