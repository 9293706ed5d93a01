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
        interpreter = litert.Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
        interpreter.invoke()
        wanted = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        assert np.array_equal(dwsep.load(content).run(None, {"x": x})[0], wanted)
