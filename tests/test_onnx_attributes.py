"""Attributes that are out of range, and constants that are odd: refused, or what they mean."""

import numpy as np
import pytest

pytest.importorskip("onnx", reason="imports ONNX models")

from test_onnx_import import f, ints, model

import dwsep
from dwsep.errors import InvalidModelError


@pytest.mark.parametrize("value", [2, -1, 2**40])
@pytest.mark.parametrize(
    ("op", "inputs", "name"),
    [
        ("ReduceMax", "x", "keepdims"),
        ("ReduceSum", "x", "noop_with_empty_axes"),
        ("MaxPool", "x", "ceil_mode"),
        ("Gemm", "x,w", "transB"),
    ],
)
def test_flags(op, inputs, name, value):
    """Others take 2 for no; who writes it means neither."""
    attributes = {name: value, **({"kernel_shape": [2, 2]} if op == "MaxPool" else {})}
    shape = {"x": ("N", 4)} if op == "Gemm" else None
    net = model([(op, inputs, "y", attributes)], {"w": f(4, 4)}, inputs=shape)
    with pytest.raises(InvalidModelError, match=f"{name}: need 0 or 1, got {value}"):
        dwsep.load(net)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("op", ["Elu", "Celu", "Selu", "HardSigmoid", "LeakyRelu"])
def test_numbers(op, value):
    """Where x > 0, an infinite slope below 0 would be multiplied by 0."""
    with pytest.raises(InvalidModelError, match=f"alpha: need a finite number, got {value}"):
        dwsep.load(model([(op, "x", "y", {"alpha": float(value)})]))


def test_an_output_that_is_one_number():
    net = model([("Clip", "c", "y", {})], {"c": np.float32(1.5)})
    result = dwsep.load(net)(np.zeros((1, 4, 6, 6), np.float32))
    assert result.shape == ()
    assert result == 1.5


def test_one_number_for_very_many_channels():
    """What is folded into other nodes is not written out for as many channels as a file says."""
    nodes = [("Expand", "x,s", "a", {}), ("Mul", "a,c", "b", {}), ("Add", "b,c", "y", {})]
    constants = {"s": ints(1, 2**31 - 1, 1, 1), "c": np.float32(0.5)}
    loaded = dwsep.load(model(nodes, constants, inputs={"x": ("N", 1, 2, 2)}))
    assert loaded.outputs[0].shape == (None, 2**31 - 1, 2, 2)
