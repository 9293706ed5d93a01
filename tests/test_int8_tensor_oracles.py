"""Networks of one operator on int8 against LiteRT, every bit; they compute with integers."""

from __future__ import annotations

import numpy as np
import pytest
from tflite_writer import constant, model, tensor

litert = pytest.importorskip("ai_edge_litert.interpreter", reason="compares with LiteRT")

import dwsep

IMAGE = (1, 13, 11, 40)
POOL = {"filter_width": 3, "filter_height": 2, "stride_w": 2, "stride_h": 1}
HALF = {"half_pixel_centers": True}


CHANNELS = np.arange(-120, 120, 6, dtype=np.int8)


def i32(*values):
    return np.array(values, np.int32)


# (operator, shapes of inputs and constants, options, whether x and y stand for the same); LiteRT
# computes by XNNPACK where the file has the output's shape, if that is another than the input's.
CASES = [
    ("ADD", [IMAGE, IMAGE], {}, False),
    ("ADD", [IMAGE, IMAGE], {"activation": 1}, False),
    ("ADD", [IMAGE, (1, 1, 1, 40)], {"activation": 3}, False),
    ("SUB", [IMAGE, IMAGE], {}, False),
    ("MUL", [IMAGE, IMAGE], {}, False),
    ("SQUARED_DIFFERENCE", [IMAGE, IMAGE], {}, False),
    ("SQUARED_DIFFERENCE", [IMAGE, (1, 13, 11, 1)], {}, False),
    ("MUL", [IMAGE, (1, 1, 1, 40)], {"activation": 1}, False),
    ("ADD", [IMAGE, CHANNELS], {"activation": 1}, False),
    ("SUB", [IMAGE, CHANNELS.reshape(1, 1, 1, 40)], {}, False),
    ("MUL", [IMAGE, CHANNELS.reshape(1, 1, 1, 40)], {"activation": 3}, False),
    ("MUL", [IMAGE, np.array(113, np.int8)], {}, False),
    ("AVERAGE_POOL_2D", [IMAGE], POOL, True, (1, 13, 6, 40)),
    ("AVERAGE_POOL_2D", [IMAGE], {**POOL, "padding": 1}, True, (1, 12, 5, 40)),
    (
        "AVERAGE_POOL_2D",
        [IMAGE],
        {**POOL, "filter_width": 11, "filter_height": 13},
        True,
        (1, 1, 1, 40),
    ),
    ("MAX_POOL_2D", [IMAGE], POOL, True, (1, 13, 6, 40)),
    ("MEAN", [IMAGE, i32(1, 2)], {"keep_dims": True}, False, (1, 1, 1, 40)),
    ("MEAN", [IMAGE, i32(1, 2)], {"keep_dims": False}, False, (1, 40)),
    ("RESIZE_BILINEAR", [IMAGE, i32(26, 33)], {}, True, (1, 26, 33, 40)),
    ("RESIZE_BILINEAR", [IMAGE, i32(29, 17)], HALF, True, (1, 29, 17, 40)),
    ("RESIZE_NEAREST_NEIGHBOR", [IMAGE, i32(26, 33)], HALF, True, (1, 26, 33, 40)),
    ("SOFTMAX", [(7, 200)], {"beta": 1.0}, False),
    ("LOGISTIC", [IMAGE], {}, False),
    ("HARD_SWISH", [IMAGE], {}, False),
    (
        "PAD",
        [IMAGE, np.array([[0, 0], [1, 2], [0, 1], [0, 0]], np.int32)],
        {},
        True,
        (1, 16, 12, 40),
    ),
]


@pytest.fixture
def rng():
    return np.random.default_rng(8)


def file(case, scale, rng):
    op, inputs, options, same, *shape = case
    tensors, names, computed = [], [], []
    for number, value in enumerate(inputs):
        names.append(f"x{number}")
        q = (scale * rng.uniform(0.3, 1), int(rng.integers(-40, 40)), 0)
        if isinstance(value, tuple):
            tensors.append(tensor(names[-1], value, "int8", quantization=q))
            computed.append(names[-1])
        elif value.dtype == np.int8:
            tensors.append(constant(names[-1], value, quantization=q))
        else:
            tensors.append(constant(names[-1], value))
    out = tensors[0]["quantization"] if same else (scale, -7, 0)
    out = (1 / 256, -128, 0) if op == "SOFTMAX" else out
    tensors.append(tensor("y", shape[0] if shape else inputs[0], "int8", quantization=out))
    return model(tensors, [(op, names, ["y"], options)], computed, ["y"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[2]}")
def test_bits_are_those_of_litert(case, rng):
    scale = 0.05 if case[0] != "MUL" else 0.5
    content = file(case, scale, rng)
    interpreter = litert.Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    inputs = {}
    for detail in interpreter.get_input_details():
        inputs[detail["name"]] = rng.integers(-128, 128, detail["shape"]).astype(np.int8)
        interpreter.set_tensor(detail["index"], inputs[detail["name"]])
    interpreter.invoke()
    wanted = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    network = dwsep.load(content)
    (got,) = network.run(None, inputs)
    assert (got.dtype, got.shape) == (np.int8, wanted.shape)
    distance = np.abs(got.astype(int) - wanted)
    # The square of SQUARED_DIFFERENCE is a float32: next to a tie it may be the other number.
    ties = got.size // 1000 if case[0] == "SQUARED_DIFFERENCE" else 0
    assert np.count_nonzero(distance) <= ties
    assert distance.max() <= 1
    shapes = [array.shape for array in inputs.values()]
    assert case[0] == "SQUARED_DIFFERENCE" or not {"quantize", "dequantize"} & {
        step["kind"] for step in network._network.steps(shapes)
    }


def computed(content, x):
    interpreter = litert.Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def every_number(op, dtypes, scales, zeros, options):
    """Return a file of one operator, and every number of its input's type."""
    limits, shape = np.iinfo(dtypes[0]), (1, 1, 1, 256)
    tensors = [
        tensor(name, shape, dtype, quantization=(float(scale), int(zero), 0))
        for name, dtype, scale, zero in zip("xy", dtypes, scales, zeros, strict=True)
    ]
    x = np.arange(limits.min, limits.max + 1).astype(dtypes[0]).reshape(shape)
    return model(tensors, [(op, ["x"], ["y"], options)], ["x"], ["y"]), x


@pytest.mark.parametrize("op", ["QUANTIZE", "LEAKY_RELU"])
def test_other_scales(op, rng):
    """XNNPACK multiplies by 8 bits behind the point; what it refuses is rounded twice."""
    types = ["int8", "uint8"]
    for number in range(120):
        both = rng.choice(types, 2).tolist() if number % 3 == 0 else [rng.choice(types)] * 2
        dtypes = [str(t) for t in (both if op == "QUANTIZE" else both[:1] * 2)]
        zeros = [rng.integers(np.iinfo(t).min, np.iinfo(t).max + 1) for t in dtypes]
        ratio = rng.choice([0.5, 0.25, 128.0]) if number % 4 == 0 else 10 ** rng.uniform(-4, 2.3)
        scale = 10 ** rng.uniform(-5, 1)
        slope = float(rng.choice([0.01, 0.1, 0.3, 1.5, -0.5]))
        options = {} if op == "QUANTIZE" else {"alpha": slope}
        content, x = every_number(op, dtypes, (scale * ratio, scale), zeros, options)
        (got,) = dwsep.load(content).run(None, {"x": x})
        assert np.array_equal(got, computed(content, x)), (dtypes, zeros, scale, ratio, options)


@pytest.mark.parametrize("scales", [(1e-38, 1e38), (1e38, 1e-38), (3e-7, 1.0), (1.0, 3e-7)])
def test_scales_far_apart(scales):
    content, x = every_number("QUANTIZE", ("int8", "int8"), scales, (3, -5), {})
    (got,) = dwsep.load(content).run(None, {"x": x})
    ends = np.sign(x.astype(int) - 3) * 1000 if scales[0] > scales[1] else np.zeros(x.shape)
    assert np.array_equal(got, np.clip(ends - 5, -128, 127))


def test_reciprocal_roots(rng):
    """LiteRT computes them with 20 places; numbers below the zero point it refuses."""
    shape = (1, 1, 1, 256)
    for _ in range(40):
        scale, zero = 10 ** rng.uniform(-5, 0), int(rng.choice([-128, -100]))
        out = (scale**-0.5 * 10 ** rng.uniform(-2.6, -1), int(rng.integers(-128, 0)), 0)
        tensors = [tensor("x", shape, "int8", quantization=(scale, zero, 0))]
        tensors.append(tensor("y", shape, "int8", quantization=out))
        content = model(tensors, [("RSQRT", ["x"], ["y"], {})], ["x"], ["y"])
        x = np.maximum(np.arange(-128, 128), zero).astype(np.int8).reshape(shape)
        assert np.array_equal(dwsep.load(content).run(None, {"x": x})[0], computed(content, x))


@pytest.mark.parametrize(
    ("op", "options", "inputs", "shape", "dtype"),
    [
        ("CONCATENATION", {"axis": 1}, ["k", "x"], (6, 12), "int8"),
        ("CONCATENATION", {"axis": 1}, ["x", "k"], (6, 12), "uint8"),
        ("PACK", {"axis": 0, "values_count": 2}, ["x", "k"], (2, 6, 6), "int8"),
        ("PACK", {"axis": 0, "values_count": 2}, ["k", "x"], (2, 6, 6), "uint8"),
        ("BATCH_MATMUL", {}, ["x", "k"], (6, 6), "int8"),
        ("BATCH_MATMUL", {}, ["k", "x"], (6, 6), "int8"),
    ],
)
def test_constants_of_bytes(op, options, inputs, shape, dtype, rng):
    limits, q = np.iinfo(dtype), (0.02, 5, 0)
    x, k = rng.integers(limits.min, limits.max + 1, (2, 6, 6)).astype(dtype)
    tensors = [tensor("x", (6, 6), dtype, quantization=q), constant("k", k, quantization=q)]
    tensors.append(tensor("y", shape, dtype, quantization=q))
    content = model(tensors, [(op, inputs, ["y"], options)], ["x"], ["y"])
    (got,) = dwsep.load(content).run(None, {"x": x})
    assert np.array_equal(got, computed(content, x))


def test_constants_that_are_compared_and_multiplied(rng):
    """Selu of Keras compares with a number of int8, its unrolled LSTM multiplies a first state."""
    q = (0.02, 12, 0)
    tensors = [
        tensor("x", (5, 7), "int8", quantization=q),
        constant("limit", np.array(0, np.int8), quantization=(4e-9, 0, 0)),
        tensor("above", (5, 7), "bool"),
        constant(
            "state", rng.integers(-128, 128, (5, 6)).astype(np.int8), quantization=(0.1, 3, 0)
        ),
        constant("w", rng.integers(-127, 128, (7, 6)).astype(np.int8), quantization=(0.01, 0, 0)),
        tensor("product", (5, 7), "int8", quantization=q),
        tensor("y", (5, 7), "int8", quantization=q),
    ]
    operators = [
        ("GREATER", ["x", "limit"], ["above"], {}),
        ("FULLY_CONNECTED", ["state", "w", ""], ["product"], {}),
        ("SELECT_V2", ["above", "x", "product"], ["y"], {}),
    ]
    content = model(tensors, operators, ["x"], ["y"])
    x = rng.integers(-128, 128, (5, 7)).astype(np.int8)
    (got,) = dwsep.load(content).run(None, {"x": x})
    assert np.array_equal(got, computed(content, x))
