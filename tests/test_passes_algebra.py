"""What changes nothing goes, what only looks like it stays: neutral elements, scales, residuals."""

from __future__ import annotations

import copy

import graph_oracle
import numpy as np
import pytest
from graph_builder import Net, kinds, optimized, rewritten

from dwsep.graph.passes import activations, batch_norm, constants, fusing, optimize

# --- neutral elements -----------------------------------------------------------------------------

FUNCTIONS = sorted(graph_oracle.BINARY)
NEUTRAL = {("add", 0), ("sub", 0), ("mul", 1), ("div", 1), ("pow", 1)}  # as the second operand
EITHER_SIDE = ("add", "mul")


def _positive(graph):
    rng = np.random.default_rng(3)
    return {name: rng.uniform(0.5, 2, [2, *graph.shape(name)[1:]]) for name in graph.inputs}


def _unchanged(graph, run):
    """Run a pass on a copy; the values are to be the same, infinite ones too."""
    feeds, result = _positive(graph), copy.deepcopy(graph)
    run(result)
    with np.errstate(divide="ignore"):
        before, after = (graph_oracle.evaluate(g, feeds) for g in (graph, result))
    for name, y in before.items():
        np.testing.assert_array_equal(after[name], y)
    return result


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("number", [0, 1, -1, 2])
@pytest.mark.parametrize("second", [True, False])
@pytest.mark.parametrize("shape", [(), (4,), (1, 3, 4)])
def test_only_neutral_elements_go(function, number, second, shape):
    if function == "prelu" and not second:
        shape = (2, 3, 4)  # a slope has at most the axes of what it multiplies
    if function == "pow" and number < 0 and not second:
        pytest.skip("has no real values")
    net = Net()
    x = net.input(2 if len(shape) == 3 and shape[0] == 2 else None, 3, 4)
    known = np.full(shape, number)
    y = net.binary(function, *((x, known) if second else (known, x)))
    graph = _unchanged(net.finish(net.unary("exp", y)), constants.run)
    goes = (function, number) in NEUTRAL and (second or function in EITHER_SIDE)
    assert kinds(graph) == (["unary"] if goes else ["binary", "unary"])


@pytest.mark.parametrize("function", ["add", "sub", "mul", "div", "pow"])
def test_what_is_broadcast_or_not_neutral_throughout_stays(function):
    neutral = 0 if function in ("add", "sub") else 1
    almost = np.full((3, 4), float(neutral))
    almost[1, 2] = 2
    for known in (almost, np.full((2, 1, 3, 4), neutral)):
        net = Net()
        y = net.binary(function, net.input(2, 3, 4), known)
        graph = _unchanged(net.finish(net.unary("exp", y)), constants.run)
        assert kinds(graph) == ["binary", "unary"]


@pytest.mark.parametrize("function", ["add", "mul"])
def test_a_neutral_element_with_an_activation_stays(function):
    net = Net()
    y = net.add(
        "binary",
        net.input(None, 3),
        net.constant(function == "mul"),
        function=function,
        activation="tanh",
    )
    assert kinds(_unchanged(net.finish(y), constants.run)) == ["binary"]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("number", [1.0, 2.5])
@pytest.mark.parametrize("second", [True, False])
@pytest.mark.parametrize("behind", [True, False])
def test_no_pass_mistakes_the_order_of_operands(function, number, second, behind):
    """With a convolution before or behind, into which it may fold."""
    net = Net()
    x = net.input(2, 3, 4, 4)
    x = x if behind else net.conv(x, 3)
    x = net.act(x, "sigmoid") if function in ("pow", "div") else x
    known = np.full((2, 3, 4, 4) if function == "prelu" else (3, 1, 1), number)
    y = net.binary(function, *((x, known) if second else (known, x)))
    y = net.conv(y, 2, padding=(0, 0, 0, 0)) if behind else y
    optimized(net.finish(y), optimize)


def test_a_division_by_zero_is_no_scale():
    net = Net()
    y = net.act(net.binary("div", net.input(None, 3), 0.0), ("clip", 0.0, 1.0))
    _unchanged(net.finish(y), activations.run)


# --- scaled gates ---------------------------------------------------------------------------------

GATES = {
    "silu": lambda net, x: net.act(x, "sigmoid"),
    "hard_swish": lambda net, x: net.act(x, "hard_sigmoid"),
    "hard_swish, composed": lambda net, x: net.binary(
        "div", net.act(net.binary("add", x, 3.0), "relu6"), 6.0
    ),
    "gelu": lambda net, x: net.binary(
        "add", net.binary("mul", net.unary("erf", net.binary("mul", x, np.sqrt(0.5))), 0.5), 0.5
    ),
}


def _scale(net, x, factor, place):
    return net.binary("div", x, 1 / factor) if place == "divided" else net.binary("mul", factor, x)


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("place", ["x", "gate", "divided"])
@pytest.mark.parametrize("factor", [-1.0, 0.5, 2.0, 6.0])
def test_a_gate_that_is_scaled_is_none(gate, place, factor):
    net = Net()
    x = net.input(None, 3, 4)
    g = GATES[gate](net, x)
    if place == "gate":
        g = _scale(net, g, factor, place)
    else:
        x = _scale(net, x, factor, place)
    graph = net.finish(net.binary("mul", x, g), net.binary("mul", g, x))
    result = copy.deepcopy(graph)
    activations.run(result)
    fused = {n.attributes.get("activation") for n in result.nodes} & {"silu", "hard_swish", "gelu"}
    assert not fused
    optimized(graph, optimize)


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("factor", [-1.0, 0.5, 2.0])
def test_scales_that_cancel_leave_a_gate(gate, factor):
    net = Net()
    x = net.input(None, 3, 4)
    g = _scale(net, GATES[gate](net, x), 1 / factor, "x")
    y = net.binary("mul", _scale(net, x, factor, "x"), g)
    graph = rewritten(net.finish(y), activations.run)
    assert graph.nodes[-1].attributes["activation"] == gate.split(",")[0]


@pytest.mark.parametrize("gate", GATES)
def test_the_gate_of_another_value_is_none(gate):
    net = Net()
    x, y = net.input(None, 3, 4), net.input(None, 3, 4)
    graph = optimized(net.finish(net.binary("mul", y, GATES[gate](net, x))), optimize)
    assert graph.nodes[-1].kind == "binary"
    assert graph.nodes[-1].inputs[0] == y


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if f not in ("mul", "pow")])
@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("first", [True, False])
def test_only_a_product_is_gated(function, gate, first):
    net = Net()
    x = net.input(2, 3, 4)
    g = GATES[gate](net, x)
    graph = net.finish(net.binary(function, *((x, g) if first else (g, x))))
    result = rewritten(graph, constants.run, activations.run, changes="composed" in gate)
    assert result.nodes[-1].kind == "binary"


# --- scaled residuals -----------------------------------------------------------------------------


@pytest.mark.parametrize("function", ["mul", "add"])
@pytest.mark.parametrize("kind", ["conv", "dense"])
def test_only_shifts_fold_into_what_adds_a_residual(function, kind):
    net = Net(channels_last=True)
    x = net.input(None, 5, 4, 3)
    y = net.conv(x, 3) if kind == "conv" else net.dense(x, 3)
    y = net.binary(function, net.binary("add", y, x), net.random(3))
    graph = rewritten(net.finish(y), fusing.residuals, batch_norm.run)
    assert kinds(graph) == [kind, *(["binary"] if function == "mul" else [])]
