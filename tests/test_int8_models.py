"""Networks that onnxruntime quantized: integers from end to end, and its results step by step."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="imports ONNX models")
onnxruntime = pytest.importorskip("onnxruntime", reason="the oracle")
quantization = pytest.importorskip("onnxruntime.quantization", reason="quantizes models")

from onnxruntime.quantization import preprocess

import dwsep

BUILDERS = {
    "mobilenet_v1": {"alpha": 0.25, "resolution": 64},
    "mobilenet_v2": {"alpha": 0.25, "resolution": 64},
    "mobilenet_v3_small": {"resolution": 64},
    "efficientnet_b0": {"resolution": 64},
    "mnasnet": {"resolution": 64},
    "mobilenet_v3_large": {"resolution": 64},
}
QUICK = ("mobilenet_v1", "mobilenet_v2")


class Images(quantization.CalibrationDataReader):
    def __init__(self, value):
        rng = np.random.default_rng(0)
        shape = [d.dim_value or 1 for d in value.type.tensor_type.shape.dim]
        images = [rng.standard_normal(shape, np.float32) for _ in range(2)]
        self.images = iter([{value.name: x} for x in images])

    def get_next(self):
        return next(self.images, None)


def quantized(name, folder, format_, activations):
    model = getattr(dwsep.models, name)(classes=10, **BUILDERS[name])
    paths = [str(folder / f"{part}.onnx") for part in ("plain", "prepared", "quantized")]
    onnx.save(model, paths[0])
    preprocess.quant_pre_process(paths[0], paths[1], skip_symbolic_shape=True)
    quantization.quantize_static(
        paths[1],
        paths[2],
        Images(model.graph.input[0]),
        quant_format=getattr(quantization.QuantFormat, format_),
        per_channel=True,
        activation_type=getattr(quantization.QuantType, activations),
        weight_type=quantization.QuantType.QInt8,
    )
    return paths[2]


def stored_values(graph):
    """Return the graph's values of bytes in order, each with those that it is computed from."""
    stored, origins = {}, {}
    for node in graph.node:
        of = {value for name in node.input for value in origins.get(name, ())}
        for name in node.output:
            if node.op_type == "QuantizeLinear" or node.op_type.startswith(("QLinear", "QGemm")):
                stored[name], origins[name] = of, {name}
            else:
                origins[name] = of
    return stored


def oracle(path, names):
    """Return onnxruntime's session of a model with these outputs, and exact products."""
    model = onnx.load(path)
    del model.graph.output[:]
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def cases():
    for name in BUILDERS:
        for format_, activations in (("QDQ", "QUInt8"), ("QOperator", "QUInt8"), ("QDQ", "QInt8")):
            quick = name in QUICK and format_ == "QDQ" and activations == "QUInt8"
            marks = () if quick else pytest.mark.slow
            yield pytest.param(name, format_, activations, marks=marks)


@pytest.mark.parametrize(("name", "format_", "activations"), [*cases()])
def test_networks_are_integers_throughout(name, format_, activations, tmp_path):
    path = quantized(name, tmp_path, format_, activations)
    network = dwsep.load(path)
    summary = network.summary()
    assert not summary.float_steps
    floats = [row.kind for row in summary.rows if row.dtype == "float32" and not row.free]
    assert floats in (["dequantize"], ["transpose", "dequantize"])
    (x,), (y,) = network.inputs, network.outputs
    stored = stored_values(onnx.load(path).graph)
    names = [*stored, y.name]
    inner, session = dwsep.load(path, outputs=names), oracle(path, names)
    judged = set()
    for seed in range(1, 5):
        image = np.random.default_rng(seed).standard_normal((1, *x.shape[1:]), np.float32)
        wanted = dict(zip(names, session.run(None, {x.name: image}), strict=True))
        got = dict(zip(names, inner(image), strict=True))
        assert np.array_equal(got[y.name], network(image))
        off = {name: np.abs(got[name].astype(int) - wanted[name]) for name in stored}
        # onnxruntime computes sums, and some convolutions of int8, with floats: next to a tie a
        # value is another, which networks that were not trained make larger step by step. So
        # each step is judged where what it reads is the same.
        for name, origins in stored.items():
            if not any(off[origin].any() for origin in origins):
                assert got[name].dtype == wanted[name].dtype
                assert off[name].max() <= 1, name
                assert np.count_nonzero(off[name]) <= max(1, 0.001 * off[name].size), name
                judged.add(name)
    assert len(judged) > 0.5 * len(stored)
    network.save(tmp_path / "network.dwsep")
    saved = dwsep.load(tmp_path / "network.dwsep")
    assert np.array_equal(saved(image), network(image))
    size = (tmp_path / "network.dwsep").stat().st_size
    assert size < 1.05 * summary.parameters + 80 * len(summary.rows) * 16
