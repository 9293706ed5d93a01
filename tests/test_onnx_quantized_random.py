"""Quantized ONNX operators of random types, zero points, scales, shapes; onnxruntime judges.

Its exact mode rounds as the definition says, in another order now and then: next to a tie a result
is another by one.
"""

from __future__ import annotations

import platform

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="imports ONNX models")
onnxruntime = pytest.importorskip("onnxruntime", reason="the oracle")

from onnx import TensorProto
from onnx_quantized_cases import TYPES, model_of
from onnx_quantized_random import OPERATORS, Maker
from test_onnx_quantized import oracle

import dwsep

EXACT = ("QLinearConcat", "ConvInteger", "MatMulInteger", "DynamicQuantizeLinear")
SLOW = pytest.param(range(1000, 4000), marks=pytest.mark.slow, id="many")


def compare(got, wanted, what):
    """Return how many elements differ, none of them by more than a step, and of how many."""
    different = count = 0
    for y, other in zip(got, wanted, strict=True):
        assert (y.dtype, y.shape) == (other.dtype, other.shape), what
        if y.dtype == np.float32:
            np.testing.assert_allclose(
                y, other, rtol=0, atol=2e-6 * np.abs(other).max(initial=0), err_msg=what
            )
            continue
        steps = np.abs(y.astype(np.int64) - other.astype(np.int64))
        assert steps.max(initial=0) <= 1, what
        different, count = different + np.count_nonzero(steps), count + steps.size
    return different, count


@pytest.mark.parametrize("seeds", [pytest.param(range(25), id="few"), SLOW])
@pytest.mark.parametrize("op", OPERATORS)
def test_random_configurations(op, seeds):
    different, count, values = 0, 0, set()
    for seed in seeds:
        model, feeds = getattr(Maker(seed), op)()
        got = dwsep.load(model).run(None, feeds)
        some, all_ = compare(got, oracle(model, feeds), f"seed {seed}")
        different, count = different + some, count + all_
        values.update(np.unique(got[0]).tolist())
    assert len(values) > 100  # not one number, saturated
    assert different <= (0 if op in EXACT else 1e-5 * count), f"{different} of {count}"


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="others round otherwise")
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
@pytest.mark.parametrize("op", ["QLinearAdd", "QLinearMul"])
def test_all_pairs(op, dtype):
    """Sums and products of all pairs of bytes are those of onnxruntime, next to ties as well."""
    rng, info = np.random.default_rng(5), np.iinfo(dtype)
    a, b = np.mgrid[info.min : info.max + 1, info.min : info.max + 1].astype(dtype)
    for _ in range(30):
        values = scales_near_ties(rng, op, info)
        same_as_oracle(op, {"a": a, "b": b}, values)
        same_as_oracle(op, {"a": a[:, 0]}, {"b": b[0, rng.integers(256)], **values})


def scales_near_ties(rng, op, info):
    unit = np.float32(rng.uniform(0.01, 0.1))
    scales = [unit, unit * rng.integers(1, 9) / 8, unit * rng.choice([0.5, 1, 1.5, 2])]
    if op == "QLinearMul":
        scales[2] = scales[0] * scales[1] * rng.choice([16, 20, 24, 32, 40, 64])
    zeros = rng.integers(info.min, info.max + 1, 3).astype(info.dtype)
    named = {f"{x}_scale": np.float32(scale) for x, scale in zip("aby", scales, strict=True)}
    return named | {f"{x}_zero": zero for x, zero in zip("aby", zeros, strict=True)}


def same_as_oracle(op, feeds, values):
    read, dtype = "a,a_scale,a_zero,b,b_scale,b_zero,y_scale,y_zero", feeds["a"].dtype.name
    shapes = {name: (x.shape, dtype) for name, x in feeds.items()}
    model = model_of([(f"com.microsoft.{op}", read, "y", {})], shapes, values, {"y": TYPES[dtype]})
    (wanted,), (y,) = oracle(model, feeds), dwsep.load(model).run(None, feeds)
    assert np.array_equal(y, wanted), f"{(y != wanted).sum()}: {values}"


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_means_of_windows(dtype):
    """They are summed in float32, and rounded with the zero point: 2x2 at equal scales are ties."""
    rng, info = np.random.default_rng(6), np.iinfo(dtype)
    for kernel in (2, 2, 2, 3, 3):
        x = rng.integers(info.min, info.max + 1, (1, 40, 9, 11)).astype(dtype)
        values = scales_near_ties(rng, "QLinearAdd", info)
        window = {"kernel_shape": [kernel] * 2, "strides": [kernel, 1], "pads": [0, 1, 1, 0]}
        op = "com.microsoft.QLinearAveragePool"
        nodes = [(op, "x,a_scale,a_zero,y_scale,y_zero", "y", window)]
        model = model_of(nodes, {"x": (x.shape, dtype)}, values, {"y": TYPES[dtype]})
        (wanted,), (y,) = oracle(model, {"x": x}), dwsep.load(model).run(None, {"x": x})
        assert np.array_equal(y, wanted), f"{(y != wanted).sum()}: {values}"


def test_means_of_images():
    rng, info = np.random.default_rng(7), np.iinfo(np.uint8)
    unit = {"w": np.eye(64, dtype=np.int8)[..., None, None], "one": np.float32(1)}
    for height, width in ((4, 4), (3, 7), (7, 7), (1, 8), (12, 5)):
        x = rng.integers(0, 256, (1, 64, height, width)).astype(np.uint8)
        values = scales_near_ties(rng, "QLinearAdd", info) | unit | {"none": np.int8(0)}
        nodes = [
            ("QLinearConv", "x,a_scale,a_zero,w,one,none,a_scale,a_zero", "same", {}),
            (
                "com.microsoft.QLinearGlobalAveragePool",
                "same,a_scale,a_zero,y_scale,y_zero",
                "y",
                {"channels_last": 0},
            ),
        ]
        model = model_of(nodes, {"x": (x.shape, "uint8")}, values, {"y": TYPES["uint8"]})
        (wanted,), (y,) = oracle(model, {"x": x}), dwsep.load(model).run(None, {"x": x})
        assert np.array_equal(y, wanted), f"{(y != wanted).sum()}: {values}"


def test_batch_normalization_of_quantized_values():
    """It stays by itself; onnxruntime computes its factors in float32, which decides at ties."""
    rng = np.random.default_rng(3)
    x = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None], (1, 200, 256, 1))
    values = {name: rng.standard_normal(200).astype(np.float32) for name in ("g", "b", "m")}
    values |= {"v": np.exp(rng.standard_normal(200)).astype(np.float32)}
    values |= {"s": np.float32(0.037), "z": np.uint8(101)}
    nodes = [
        ("DequantizeLinear", "x,s,z", "real", {}),
        ("BatchNormalization", "real,g,b,m,v", "y", {}),
    ]
    model = model_of(nodes, {"x": (x.shape, "uint8")}, values, {"y": TensorProto.FLOAT})
    (wanted,), (y,) = oracle(model, {"x": x}), dwsep.load(model).run(None, {"x": x})
    assert np.array_equal(y, wanted)


def test_draws_differ():
    """Both types, scales by channel, all ways to broadcast, zero points at the ends come up."""
    seen = set()
    for op in OPERATORS:
        for seed in range(60):
            maker = Maker(seed)
            model, _ = getattr(maker, op)()
            names = ",".join(name for node in model.graph.node for name in node.input).split(",")
            seen |= {(op, "inputs", len(names)), (op, "type", maker.dtype)}
            seen |= {(op, "constant", name) for name in maker.constants}
            for name, value in maker.constants.items():
                if name.endswith("zero"):
                    seen |= {(name[0], int(n) - np.iinfo(value.dtype).min) for n in value.flat}
                if name == "w_scale":
                    seen.add((op, "scales", value.size > 1))
            if op in ("QLinearAdd", "QLinearMul"):
                a, b = (maker.feeds.get(n, maker.constants.get(n)).shape for n in "ab")
                seen.add((op, "equal", a == b))
                seen.add((op, "both widen", a != b and np.broadcast_shapes(a, b) not in (a, b)))
    for op in OPERATORS:
        types = {"uint8", "int8"} if op not in ("ConvInteger",) else {"uint8"}
        assert {(op, "type", t) for t in types} <= seen
    for op in ("QLinearAdd", "QLinearMul"):
        assert {(op, "equal", False), (op, "equal", True), (op, "both widen", True)} <= seen
        assert {(op, "constant", "a"), (op, "constant", "b"), (op, "inputs", 7)} <= seen
    for op in ("QLinearConv", "QLinearMatMul", "QGemm"):
        assert {(op, "scales", False), (op, "scales", True)} <= seen
    assert {(name, end) for name in "awy" for end in (0, 255)} <= seen


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_average_pools_count_no_more_than_the_padding(dtype):
    """As a float AveragePool does; the oracle's QLinearAveragePool counts what lies behind it."""
    rng, info = np.random.default_rng(3), np.iinfo(dtype)
    x = rng.integers(info.min, info.max + 1, (2, 5, 10, 10)).astype(dtype)
    constants = {
        "x_scale": np.float32(0.031),
        "x_zero": np.array(info.min + 9, dtype),
        "y_scale": np.float32(0.027),
        "y_zero": np.array(info.min + 21, dtype),
    }
    attributes = {"kernel_shape": [2, 4], "strides": [2, 3], "pads": [1, 2, 1, 0]}
    attributes |= {"ceil_mode": 1, "count_include_pad": 1}
    inputs, outputs = {"x": (x.shape, dtype)}, {"y": TYPES[dtype]}
    read = "x,x_scale,x_zero,y_scale,y_zero"
    nodes = [("com.microsoft.QLinearAveragePool", read, "y", attributes)]
    ours = dwsep.load(model_of(nodes, inputs, constants, outputs)).run(None, {"x": x})
    nodes = [
        ("DequantizeLinear", "x,x_scale,x_zero", "r", {}),
        ("AveragePool", "r", "p", attributes),
        ("QuantizeLinear", "p,y_scale,y_zero", "y", {}),
    ]
    wanted = oracle(model_of(nodes, inputs, constants, outputs, 19), {"x": x})
    assert ours[0].shape == (2, 5, 6, 4)
    different, count = compare(ours, wanted, dtype)
    assert different <= 0.01 * count


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_integer_products_beyond_what_float32_holds(dtype):
    """Sums above 2**24 are rounded as those of float32: K times at most, each by 2**-24 of it."""
    rng, low, inner = np.random.default_rng(5), np.iinfo(dtype).min, 5000
    a = rng.integers(low + 200, low + 256, (3, inner)).astype(dtype)
    constants = {"b": rng.integers(90, 128, (inner, 9)).astype(np.int8), "z": np.array(low, dtype)}
    nodes = [("MatMulInteger", "a,b,z", "y", {})]
    model = model_of(nodes, {"a": (a.shape, dtype)}, constants, {"y": TensorProto.INT32})
    (y,), (wanted,) = dwsep.load(model).run(None, {"a": a}), oracle(model, {"a": a})
    assert wanted.min() > 2**24
    assert np.all(np.abs(y - wanted) <= inner * 2.0**-24 * wanted)
