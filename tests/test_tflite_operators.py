"""Each operator of TFLite against LiteRT."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from tflite_cases import CASES, SMALL, Case, f, i32

litert = pytest.importorskip("ai_edge_litert.interpreter", reason="compares with LiteRT")

import dwsep
from dwsep.graph.tflite.call import IMPORTERS


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_operator(case):
    content = case.file()
    interpreter = litert.Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    inputs = {}
    for number, detail in enumerate(interpreter.get_input_details()):
        x = f(*detail["shape"], seed=number)
        inputs[detail["name"]] = np.abs(x) + 0.1 if case.positive else x
        interpreter.set_tensor(detail["index"], inputs[detail["name"]])
    interpreter.invoke()
    network = dwsep.load(content)
    for got, detail in zip(
        network.run(None, inputs), interpreter.get_output_details(), strict=True
    ):
        wanted = interpreter.get_tensor(detail["index"])
        assert got.shape == wanted.shape
        extent = max(float(np.abs(wanted).max()), 1e-3)
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5 * extent)


ELSEWHERE = {  # in other files
    *("DENSIFY", "DEQUANTIZE", "QUANTIZE", "Convolution2DTransposeBias"),
    *("RFFT2D", "COMPLEX_ABS", "REAL", "IMAG"),
    *("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL"),
    *("LOGICAL_AND", "LOGICAL_NOT", "LOGICAL_OR", "SELECT", "SELECT_V2"),
    *("UNIDIRECTIONAL_SEQUENCE_LSTM", "REDUCE_ANY", "REDUCE_ALL", "ARG_MAX", "ARG_MIN"),
    *("TOPK_V2", "ONE_HOT", "ZEROS_LIKE"),
}


def test_every_operator_has_a_case():
    assert set(IMPORTERS) - {case.op for case in CASES} == ELSEWHERE


def test_the_transposed_convolution_of_mediapipe():
    """LiteRT alone does not know it: a TRANSPOSE_CONV of the same meaning does."""
    weight, bias = f(6, 2, 2, 8), f(6)
    size = i32(1, 8, 12, 6)
    known = Case("TRANSPOSE_CONV", [size, weight, SMALL, bias], {"stride_w": 2, "stride_h": 2})
    custom = struct.pack("<3i", 1, 2, 2)
    other = Case("Convolution2DTransposeBias", [SMALL, weight, bias], {"custom": custom})
    x = f(*SMALL)
    assert np.array_equal(dwsep.load(known.file())(x), dwsep.load(other.file())(x))
