"""Quantized ONNX operators that are refused, and what the error says."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="imports ONNX models")

from onnx import TensorProto
from onnx_quantized_cases import IMAGE, model_of

from dwsep.errors import InvalidModelError, UnsupportedOperatorError
from dwsep.graph.onnx import import_onnx

S, Z = np.float32(0.1), np.uint8(3)


@pytest.mark.parametrize(
    ("node", "constants", "complaint"),
    [
        (("QuantizeLinear", "x,s,z", "y", {}), {"s": np.float32(0), "z": Z}, "finite and positive"),
        (("QuantizeLinear", "x,s", "y", {}), {"s": np.float32(np.nan)}, "finite and positive"),
        (
            ("QuantizeLinear", "x,s,z", "y", {}),
            {"s": S, "z": np.float32(1)},
            "quantized to float32",
        ),
        (("QuantizeLinear", "x,s,z", "y", {}), {"s": np.float32([1, 2]), "z": Z}, "need 4 scales"),
        (
            ("QuantizeLinear", "x,s,z", "y", {}),
            {"s": np.ones(4, np.float32), "z": np.zeros(3, np.uint8)},
            "3 zero points do not fit 4 scales",
        ),
        (("QuantizeLinear", "x,s,z", "y", {"axis": 9}), {"s": np.ones(4, "f"), "z": Z}, "several"),
        (("DequantizeLinear", "x,s", "y", {}), {"s": S}, "quantized to float32"),
        (
            ("DequantizeLinear", "x,s,z", "y", {}),
            {"x": np.zeros(4, np.int8), "s": S, "z": np.uint8(248)},
            "zero point is uint8, its input int8",
        ),
        (("com.microsoft.QLinearAdd", "x,s,z", "y", {}), {"s": S, "z": Z}, "need 7 to 8 inputs"),
        (("com.microsoft.QLinearMagic", "x,s,z", "y", {}), {"s": S, "z": Z}, "is not supported"),
        (
            ("com.microsoft.QLinearSigmoid", "x,s,z,s", "y", {"alpha": 1.0}),
            {"s": S, "z": Z},
            "no attribute 'alpha'",
        ),
    ],
)
def test_what_is_refused(node, constants, complaint):
    inputs = {} if "x" in constants else {"x": (IMAGE, "float32")}
    model = model_of([node], inputs, constants, {"y": TensorProto.UINT8})
    with pytest.raises((InvalidModelError, UnsupportedOperatorError), match=complaint):
        import_onnx(model)
