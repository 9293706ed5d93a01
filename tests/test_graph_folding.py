"""Constants that the core folds, kind by kind, against the oracle's definitions."""

from __future__ import annotations

import numpy as np
import pytest
from graph_oracle import evaluate_node
from node_checks import problems

from dwsep.errors import ShapeError
from dwsep.graph.folding import cost, foldable, value_of
from dwsep.graph.ir import Node, TensorType
from dwsep.graph.ops import OPS, infer

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


def lstm():
    """Return attributes and weights."""
    functions = {"gate_activation": "sigmoid", "activation": "tanh", "cell_activation": "tanh"}
    weights = {name: rng.standard_normal((2, 2, 8)) for name in ("input_weight", "weight")}
    weights = {name: w.astype(np.float32) for name, w in weights.items()}
    return {"cell": "lstm", "direction": "both", **functions}, weights


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
    for function in ("selu", "mish", "softsign", "gelu_tanh"):
        yield "unary", {"function": function}, {}, [image]
    for function in ("add", "sub", "mul", "div", "min", "max", "prelu", "elu"):
        yield "binary", {"function": function, "activation": "relu"}, {}, [image, (6, 1)]
    weights = {"weight": np.outer(ROW[:5], ROW[:3]), "bias": ROW[:3]}
    yield "dense", {"activation": "relu"}, weights, [(2, 3, 5), (2, 3, 3)]
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
    yield "recurrent", *lstm(), [(3, 2, 2)]
    yield from typed_nodes()


def typed_nodes():
    """Yield those of nodes of several data types that take float32."""
    image = (2, 7, 6, 5)
    scales = {"scale": (0.25, 0.5), "zero_point": (1, 2), "axis": 1}
    yield "cast", {"to": "int32"}, {}, [image]
    yield "quantize", {"to": "int8", **scales}, {}, [(3, 2, 4)]
    yield "compare", {"function": "less"}, {}, [image, (6, 1)]
    for function in ("max", "min"):
        yield "arg", {"function": function, "axis": 2}, {}, [image]
    yield "accumulate", {"function": "prod", "axis": 2}, {}, [image]
    yield "top_k", {"function": "max", "axis": 2, "k": 3}, {}, [image]
    yield "cumulative_sum", {"axis": 2, "exclusive": True, "reverse": False}, {}, [image]


CASES = list(nodes())


def float32(rng, shape, positive):
    x = rng.standard_normal(shape).astype(np.float32)
    return np.abs(x) + np.float32(0.1) if positive else x


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]}-{c[1].get('function', '')}")
def test_values_are_those_of_the_definition(case):
    kind, attributes, weights, shapes = case
    node = Node(kind, ["x"] * len(shapes), "y", attributes, weights)
    assert not problems(node)
    positive = attributes.get("function") in ("sqrt", "log", "reciprocal", "div")
    arrays = [float32(rng, shape, positive) for shape in shapes]
    assert foldable(node, arrays, channels_last=True)
    got = value_of(node, arrays)
    type_ = infer(node, [TensorType.of(array) for array in arrays], channels_last=True)
    assert TensorType.of(got) == TensorType(type_.shape, type_.dtype)
    wanted = evaluate_node(node, [array.astype(np.float64) for array in arrays], True)
    np.testing.assert_allclose(got, wanted, rtol=4e-6, atol=2e-6)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]}-{c[1].get('function', '')}")
def test_costs_are_those_of_all_elements_at_least(case):
    kind, attributes, weights, shapes = case
    node = Node(kind, ["x"] * len(shapes), "y", attributes, weights)
    wanted = [np.ones(shape) for shape in shapes]
    assert cost(node, shapes) >= evaluate_node(node, wanted, True).size


def test_costs_of_products_are_their_multiplications():
    """Up to a factor of 2, as an estimate may be off."""
    assert 2 * 3 * 40 * 50 <= cost(Node("matmul", ["a", "b"], "y"), [(2, 3, 40), (40, 50)]) <= 2e4
    dense = Node("dense", ["x"], "y", {}, {"weight": np.ones((40, 50), np.float32)})
    assert 2 * 3 * 40 * 50 <= cost(dense, [(2, 3, 40)]) <= 2e4


def test_every_kind_that_folds_has_a_case():
    # those of test_network_types
    others = {"dequantize", "where", "integers", "gather_elements", "take", "scatter"}
    folding = {kind for kind, spec in OPS.whole().items() if spec.folds}
    assert {case[0] for case in CASES} == folding - others


def test_images_fold_in_nhwc_only():
    node = Node("zero_insert", ["x"], "y", {"stride": (2, 2)})
    x = np.ones((1, 2, 2, 3), np.float32)
    assert foldable(node, [x], channels_last=True)
    assert not foldable(node, [x], channels_last=False)


def test_what_the_core_does_not_take_is_not_folded():
    weights = {"weight": np.ones((2, 3), np.float32)}
    node = Node("dense", ["x"], "y", {"activation": None}, weights)
    for rank in (1, 4):
        assert foldable(node, [np.ones((2,) * rank, np.float32)], channels_last=False)
    assert not foldable(node, [np.ones((2,) * 5, np.float32)], channels_last=False)
    assert not foldable(Node("batch_norm", ["x"], "y"), [np.ones((2, 2))], channels_last=True)


def test_empty_inputs():
    empty, row = np.ones((0, 3), np.float32), np.ones((1, 3), np.float32)
    joined = value_of(Node("concat", ["a", "b"], "y", {"axis": 0}), [empty, row])
    assert np.array_equal(joined, row)
    node = Node("reduce", ["x"], "y", {"function": "sum", "axes": (0,), "keepdims": True})
    with pytest.raises(ShapeError, match="empty"):
        value_of(node, [empty])


def test_views_and_scalars():
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    neg = Node("unary", ["x"], "y", {"function": "neg"})
    assert np.array_equal(value_of(neg, [x.T[::-1]]), -x.T[::-1])
    assert value_of(neg, [np.float32(2)[...]]).shape == ()
