"""What NumPy finds for a node: against definitions written down apart, and in both layouts."""

from __future__ import annotations

import numpy as np
import pytest
from graph_oracle import evaluate_node

from dwsep.graph.evaluate import EVALUATED, evaluate
from dwsep.graph.ir import Node

rng = np.random.default_rng(11)
WINDOW = {"kernel": (3, 2), "stride": (2, 1), "dilation": (1, 2), "padding": (1, 0, 1, 1)}
SLICES = {"starts": (0, 6, 1, 0), "stops": (None, None, 4, 5), "steps": (1, -2, 1, 2)}
PADS = {"before": (0, 1, 0, 2), "after": (0, 0, 2, 1), "value": 0.5}
RESIZE = {
    "function": "nearest",
    "size": (14, 3),
    "scale": (2.0, 0.5),
    "coordinates": "asymmetric",
    "rounding": "floor",
}
ROW = np.float32([1, -2, 0.5, 3, 0.25, -1])


def affine(size):
    return {"scale": ROW[:size], "shift": ROW[::-1][:size].copy()}


def nodes():
    """Yield (kind, attributes, weights, shapes of inputs), NHWC."""
    image = (2, 7, 6, 5)
    for activation in ("relu6", "hard_swish", "silu", "gelu", ("clip", -0.5, 0.5), "hard_sigmoid"):
        yield "activation", {"activation": activation}, {}, [image]
    for activation in ("relu", ("leaky_relu", 0.3), "sigmoid", "tanh", None):
        yield "activation", {"activation": activation}, {}, [image]
    for function in ("exp", "neg", "abs", "erf", "floor", "ceil", "round", "softplus", "sign"):
        yield "unary", {"function": function}, {}, [image]
    for function in ("sqrt", "log", "reciprocal", "sin", "cos"):
        yield "unary", {"function": function}, {}, [image]
    for function in ("add", "sub", "mul", "div", "min", "max", "prelu"):
        yield "binary", {"function": function, "activation": "relu"}, {}, [image, (6, 1)]
    weights = {"weight": np.outer(ROW[:5], ROW[:3]), "bias": ROW[:3]}
    yield "dense", {"activation": "relu"}, weights, [(2, 3, 5), (2, 3, 3)]
    yield "batch_norm", {}, affine(5), [image]
    for include in (False, True):
        average = {"function": "average", "include_padding": include}
        yield "pool", WINDOW | average, {}, [image]
    yield "pool", WINDOW | {"function": "max"}, {}, [image]
    for function in ("mean", "sum", "max", "min"):
        yield "reduce", {"function": function, "axes": (1, 2), "keepdims": True}, {}, [image]
        yield "reduce", {"function": function, "axes": (3,), "keepdims": False}, {}, [image]
    for log in (False, True):
        yield "softmax", {"axis": 1, "log": log}, {}, [image]
    yield "layer_norm", {"epsilon": 1e-3}, affine(5), [image]
    yield "concat", {"axis": 2}, {}, [image, (2, 7, 1, 5)]
    yield "slice", SLICES, {}, [image]
    for mode in ("constant", "reflect", "edge"):
        yield "pad", PADS | {"mode": mode}, {}, [image]
    yield "transpose", {"perm": (0, 3, 1, 2)}, {}, [image]
    yield "reshape", {"shape": (0, -1, 3)}, {}, [image]
    yield "resize", RESIZE, {}, [image]
    yield "matmul", {}, {}, [(2, 3, 4), (4, 5)]
    yield "zero_insert", {"stride": (2, 3)}, {}, [image]
    yield "gather", {"axis": 1, "indices": np.array([[3, 0], [1, 1]])}, {}, [image]
    yield "expand", {"shape": (0, 4, 0)}, {}, [(2, 1, 3)]
    yield "identity", {}, {}, [image]


CASES = list(nodes())


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]}-{c[1].get('function', '')}")
def test_definitions(case):
    kind, attributes, weights, shapes = case
    node = Node(kind, [], "y", attributes, weights)
    positive = attributes.get("function") in ("sqrt", "log", "reciprocal", "div")
    arrays = [rng.standard_normal(shape) for shape in shapes]
    arrays = [np.abs(a) + 0.1 for a in arrays] if positive else arrays
    got = evaluate(node, arrays, channels_last=True)
    assert got.dtype == np.float64
    wanted = evaluate_node(node, arrays, True)
    np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-12)
    assert evaluate(node, [a.astype(np.float32) for a in arrays], channels_last=True).dtype == "f4"
    if kind in ("pool", "resize", "zero_insert", "batch_norm"):
        (x,) = arrays
        got = evaluate(node, [x.transpose(0, 3, 1, 2)])
        np.testing.assert_allclose(got.transpose(0, 2, 3, 1), wanted, rtol=1e-6, atol=1e-12)


def test_every_kind_has_a_case():
    assert {case[0] for case in CASES} == set(EVALUATED)
