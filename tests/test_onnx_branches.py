"""`If` with a condition that is known when the file is loaded, or computed."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="imports ONNX models")

from onnx import TensorProto, helper
from onnx_models import f, ints, model

import dwsep
from dwsep.errors import InvalidModelError, UnsupportedOperatorError


def branch(nodes, outputs, constants=()):
    """Return a graph; a node is (operator, inputs, outputs)."""
    made = [helper.make_node(op, i.split(","), o.split(",")) for op, i, o in nodes]
    infos = [helper.make_empty_tensor_value_info(name) for name in outputs]
    tensors = [onnx.numpy_helper.from_array(a, name) for name, a in dict(constants).items()]
    return helper.make_graph(made, "branch", [], infos, tensors)


X = f(2, 4, 6, 6)
ADD = branch([("Add", "x,c", "inner")], ["inner"], {"c": np.float32(3)})
TWICE = branch([("Neg", "x", "inner"), ("Mul", "inner,w", "out")], ["out"])
CONSTANTS = {"yes": np.array(True), "no": np.array(False), "w": np.float32(2)}


def choice(condition, then=ADD, otherwise=TWICE, output="y"):
    return ("If", condition, output, {"then_branch": then, "else_branch": otherwise})


def test_branches():
    net = model(
        [choice("yes", output="a"), choice("no", output="b"), ("Sub", "a,b", "y", {})], CONSTANTS
    )
    np.testing.assert_allclose(dwsep.load(net)(X), X + 3 + 2 * X, rtol=1e-6)


def test_conditions_on_shapes():
    """As exporters write what depends on the number of axes."""
    shapes = [("Shape", "x", "s", {}), ("Shape", "s", "rank", {}), ("Equal", "rank,four", "c", {})]
    net = model([*shapes, choice("c")], {**CONSTANTS, "four": ints(4)})
    np.testing.assert_allclose(dwsep.load(net)(X), X + 3, rtol=1e-6)


def test_branches_in_branches_see_what_is_around_them():
    inside = helper.make_node("If", ["no"], ["v"], then_branch=ADD, else_branch=TWICE)
    outer = helper.make_graph(
        [
            helper.make_node("Abs", ["x"], ["inner"]),
            inside,
            helper.make_node("Add", ["v", "inner"], ["z"]),
        ],
        "outer",
        [],
        [helper.make_empty_tensor_value_info("z")],
    )
    net = model([choice("yes", outer)], CONSTANTS)
    np.testing.assert_allclose(dwsep.load(net)(X), -2 * X + np.abs(X), rtol=1e-6)


def test_the_other_branch_may_hold_anything():
    bad = branch([("Unique", "x", "inner")], ["inner"])
    net = model([choice("yes", ADD, bad)], CONSTANTS)
    np.testing.assert_allclose(dwsep.load(net)(X), X + 3, rtol=1e-6)
    with pytest.raises(UnsupportedOperatorError, match=r"Unique.*not supported"):
        dwsep.load(model([choice("no", ADD, bad)], CONSTANTS))


def test_a_branch_may_give_what_lies_around_it():
    net = model([("Neg", "x", "n", {}), choice("yes", branch([], ["n"]))], CONSTANTS)
    np.testing.assert_allclose(dwsep.load(net)(X), -X)


@pytest.mark.parametrize(
    ("nodes", "error", "message"),
    [
        ([("Greater", "x,w", "c", {}), choice("c")], InvalidModelError, "need one condition"),
        ([choice("many")], InvalidModelError, "need one condition"),
        (
            [choice("yes", branch([("Neg", "x", "a")], ["a", "x"]))],
            InvalidModelError,
            "2 outputs of a",
        ),
        (
            [choice("yes", branch([("Neg", "nothing", "a")], ["a"]))],
            InvalidModelError,
            "nothing makes",
        ),
        ([("If", "yes", "y", {"then_branch": ADD})], InvalidModelError, "else_branch' is missing"),
        (
            [("If", "yes", "y", {"then_branch": 1, "else_branch": ADD})],
            InvalidModelError,
            "branches",
        ),
    ],
)
def test_refusals(nodes, error, message):
    net = model(nodes, {**CONSTANTS, "many": np.array([True, False])})
    with pytest.raises((error, UnsupportedOperatorError), match=message):
        dwsep.load(net)


@pytest.mark.parametrize("shape", [[], [1], [1, 1]])
def test_the_network_decides_between_two_branches(shape):
    net = model([choice("c")], CONSTANTS)
    net.graph.input.append(helper.make_tensor_value_info("c", TensorProto.BOOL, shape))
    loaded = dwsep.load(net)
    for c in (True, False):
        got = loaded(X, np.full(shape, c))
        np.testing.assert_allclose(got, X + 3 if c else -2 * X, rtol=1e-6)


@pytest.mark.parametrize(
    ("then", "message"),
    [
        (branch([("ReduceSum", "x", "a")], ["a"]), r"the network decides between"),
        (branch([("Greater", "x,w", "a")], ["a"]), r"the network decides between"),
        (branch([("Unique", "x", "a")], ["a"]), r"Unique.*not supported"),
    ],
)
def test_branches_that_cannot_be_computed_both(then, message):
    net = model([choice("c", then)], CONSTANTS)
    net.graph.input.append(helper.make_tensor_value_info("c", TensorProto.BOOL, []))
    with pytest.raises(UnsupportedOperatorError, match=message):
        dwsep.load(net)
