"""Every pair of types that onnxruntime's quantiser writes gives its exact mode's integers."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="imports ONNX models")
quantization = pytest.importorskip("onnxruntime.quantization", reason="quantizes the network")

from onnx import helper, numpy_helper
from test_onnx_quantized import oracle

import dwsep

X = np.random.default_rng(11).standard_normal((4, 3, 24, 24)).astype(np.float32)
TYPES = {"u8": "QUInt8", "s8": "QInt8"}


def network():
    """Return a residual block with SiLU behind it, an image of it and scores of classes."""
    nodes, constants, rng = [], [], np.random.default_rng(12)

    def weights(name, *shape):
        size = np.sqrt(np.prod(shape[1:]))
        array = (rng.standard_normal(shape) / size).astype(np.float32)
        constants.append(numpy_helper.from_array(array, name))
        return name

    def add(op, inputs, y, **attributes):
        nodes.append(helper.make_node(op, inputs.split(), [y], name=f"{op}_{y}", **attributes))

    def conv(x, y, *shape, **attributes):
        inputs = f"{x} {weights(y + 'w', *shape)} {weights(y + 'b', shape[0])}"
        add("Conv", inputs, y, kernel_shape=shape[2:], **attributes)

    conv("x", "a", 16, 3, 3, 3, strides=[2, 2], pads=[1] * 4)
    add("Relu", "a", "b")
    conv("b", "c", 16, 1, 3, 3, group=16, pads=[1] * 4)
    add("Relu", "c", "d")
    conv("d", "e", 16, 16, 1, 1)
    add("Add", "b e", "f")
    conv("f", "g", 24, 16, 1, 1)
    add("Sigmoid", "g", "h")
    add("Mul", "g h", "image")
    add("GlobalAveragePool", "image", "mean")
    add("Flatten", "mean", "row")
    add("Gemm", f"row {weights('w', 10, 24)} {weights('v', 10)}", "scores", transB=1)
    float32 = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "types",
        [helper.make_tensor_value_info("x", float32, [None, 3, 24, 24])],
        [
            helper.make_tensor_value_info("image", float32, [None, 24, 12, 12]),
            helper.make_tensor_value_info("scores", float32, [None, 10]),
        ],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


class Reader(quantization.CalibrationDataReader):
    def __init__(self):
        self.inputs = iter(X)

    def get_next(self):
        x = next(self.inputs, None)
        return None if x is None else {"x": x[None]}


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("types", [("u8", "s8"), ("u8", "u8"), ("s8", "s8")])
@pytest.mark.parametrize("form", ["QDQ", "QOperator"])
def test_types_and_forms(form, types, per_channel, tmp_path):
    path = str(tmp_path / "quantized.onnx")
    activations, weights = (getattr(quantization.QuantType, TYPES[name]) for name in types)
    quantization.quantize_static(
        network(),
        path,
        Reader(),
        quant_format=getattr(quantization.QuantFormat, form),
        per_channel=per_channel,
        activation_type=activations,
        weight_type=weights,
    )
    wanted = oracle(onnx.load(path), {"x": X})
    got = dwsep.load(path).run(None, {"x": X})
    for a, b in zip(got, wanted, strict=True):
        assert len(np.unique(b)) > 20
        step = np.diff(np.unique(b)).min()
        off = np.abs(a - b)
        assert off.max() < 1.5 * step
        assert np.mean(off > 0.5 * step) <= 0.001


@pytest.mark.skipif(onnx.defs.onnx_opset_version() < 21, reason="onnx 1.15 has no 4-bit types")
@pytest.mark.parametrize(("name", "low"), [("INT4", -8), ("UINT4", 0)])
@pytest.mark.parametrize("block", [0, 16])
def test_weights_of_four_bits(name, low, block):
    rng = np.random.default_rng(4)
    type_ = getattr(onnx.TensorProto, name)
    scales, axis = ((4, 24), 0) if block else ((24,), 1)
    zeros = helper.make_tensor("z", type_, scales, rng.integers(low, low + 16, scales).ravel())
    known = [
        helper.make_tensor("w", type_, (64, 24), rng.integers(low, low + 16, (64, 24)).ravel()),
        numpy_helper.from_array(rng.uniform(0.01, 0.02, scales).astype(np.float32), "s"),
        zeros,
    ]
    attributes = {"block_size": block} if block else {}
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "s", "z"], ["real"], axis=axis, **attributes),
        helper.make_node("MatMul", ["x", "real"], ["y"]),
    ]
    float32 = onnx.TensorProto.FLOAT
    x, y = (helper.make_tensor_value_info(v, float32, [None, n]) for v, n in (("x", 64), ("y", 24)))

    def made():
        graph = helper.make_graph(nodes, "bits", [x], [y], known)
        opsets = [helper.make_opsetid("", 21)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)

    feeds = {"x": rng.standard_normal((5, 64)).astype(np.float32)}
    (wanted,) = oracle(made(), feeds)
    np.testing.assert_allclose(dwsep.load(made())(feeds["x"]), wanted, rtol=0, atol=1e-5)
    zeros.ClearField("dims")
    del zeros.int32_data[1:]
    nodes[1:] = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["y"])]
    nodes[:1] = []
    known[1] = numpy_helper.from_array(np.float32(0.1), "s")
    with pytest.raises(dwsep.errors.UnsupportedOperatorError, match="quantized to 4 bits"):
        dwsep.load(made())
