"""Activations are recognised by what they are composed of."""

from __future__ import annotations

import numpy as np
import pytest
from graph_builder import Net, kinds, rewritten

from dwsep.graph.passes import activations, fusing

# --- activations ----------------------------------------------------------------------------------


def _hard(net, x):
    return net.act(net.binary("add", x, 3.0), "relu6")


def _bounded(net, x):
    return net.add("binary", x, net.constant(3.0), function="add", activation="tanh")


def _bent_by_steps(net, x):
    """As JAX writes it: x (x (0.044715 x))."""
    cubic = net.binary("mul", x, net.binary("mul", x, net.binary("mul", 0.044715, x)))
    return net.binary("mul", np.sqrt(2 / np.pi), net.binary("add", x, cubic))


def _bent(net, x, factor, curve=0.044715):
    cube = net.binary("mul", net.binary("mul", x, x), x)
    return net.binary("mul", net.binary("add", x, net.binary("mul", cube, curve)), factor)


COMPOSED = {
    "silu": lambda net, x: net.binary("mul", x, net.act(x, "sigmoid")),
    "silu, swapped": lambda net, x: net.binary("mul", net.act(x, "sigmoid"), x),
    "hard_sigmoid": lambda net, x: net.binary("div", _hard(net, x), 6.0),
    "hard_sigmoid, of a sixth": lambda net, x: net.act(
        net.binary("add", net.binary("mul", x, 1 / 6), 0.5), ("clip", 0.0, 1.0)
    ),
    "hard_sigmoid, min and max": lambda net, x: net.binary(
        "mul",
        net.binary("min", net.binary("max", net.binary("add", x, 3.0), 0.0), 6.0),
        np.float32(1 / 6),
    ),
    "hard_sigmoid, of a negation": lambda net, x: net.act(
        net.unary("neg", net.binary("sub", net.binary("div", x, -6.0), 0.5)), ("clip", 0.0, 1.0)
    ),
    "hard_swish": lambda net, x: net.binary("mul", x, net.act(x, "hard_sigmoid")),
    "hard_swish, divided last": lambda net, x: net.binary(
        "div", net.binary("mul", x, _hard(net, x)), 6.0
    ),
    "hard_swish, divided first": lambda net, x: net.binary(
        "mul", net.binary("div", _hard(net, x), 6.0), x
    ),
    "hard_swish, of x / 6": lambda net, x: net.binary(
        "mul", net.binary("mul", x, 1 / 6), _hard(net, x)
    ),
    "relu6": lambda net, x: net.binary("max", net.binary("min", x, 6.0), 0.0),
    "relu": lambda net, x: net.act(x, ("clip", 0.0, np.inf)),
    "gelu": lambda net, x: net.binary(
        "mul",
        net.binary("mul", x, 0.5),
        net.binary("add", net.unary("erf", net.binary("div", x, np.sqrt(2.0))), 1.0),
    ),
    "gelu, halved last": lambda net, x: net.binary(
        "mul",
        net.binary(
            "mul",
            x,
            net.binary("add", 1.0, net.unary("erf", net.binary("mul", x, np.sqrt(0.5)))),
        ),
        0.5,
    ),
    "mish": lambda net, x: net.binary("mul", x, net.act(net.unary("softplus", x), "tanh")),
    "gelu_tanh": lambda net, x: net.binary(
        "mul",
        net.binary("mul", x, 0.5),
        net.binary("add", net.act(_bent(net, x, np.sqrt(2 / np.pi)), "tanh"), 1.0),
    ),
    "gelu_tanh, multiplied one by one": lambda net, x: net.binary(
        "mul",
        x,
        net.binary(
            "mul",
            net.binary("add", net.act(_bent_by_steps(net, x), "tanh"), 1.0),
            0.5,
        ),
    ),
    "gelu_tanh, halved last": lambda net, x: net.binary(
        "mul",
        net.binary(
            "mul", net.binary("add", 1.0, net.act(_bent(net, x, np.sqrt(2 / np.pi)), "tanh")), x
        ),
        0.5,
    ),
}


@pytest.mark.parametrize("spelling", COMPOSED)
@pytest.mark.parametrize("scaled", [False, True])
def test_an_activation_is_recognised(spelling, scaled):
    net = Net()
    x = net.input(None, 3, 4, 4)
    x = net.binary("mul", x, net.binary("add", x, 1.5)) if scaled else x
    x = net.binary("add", net.binary("mul", x, 2.0), 0.25) if scaled else x
    graph = rewritten(net.finish(COMPOSED[spelling](net, x)), activations.run)
    attributes = graph.nodes[-1].attributes
    assert list(attributes.values()) == [spelling.split(",")[0]]
    assert graph.nodes[-1].inputs == [x]
    assert kinds(graph)[:-1] == ["binary"] * (4 if scaled else 0)


@pytest.mark.parametrize(
    "make",
    [
        lambda net, x: net.binary("mul", x, net.act(net.binary("mul", x, 1.702), "sigmoid")),
        lambda net, x: net.act(
            net.binary("add", net.binary("mul", x, 0.2), 0.5), ("clip", 0.0, 1.0)
        ),
        lambda net, x: net.binary("div", _hard(net, x), 5.0),
        lambda net, x: net.binary("mul", net.act(x, "tanh"), x),
        lambda net, x: net.binary("mul", x, net.act(net.unary("exp", x), "tanh")),
        lambda net, x: net.binary("mul", x, net.act(net.act(x, "sigmoid"), "tanh")),
        *(
            lambda net, x, numbers=numbers: net.binary(
                "mul", net.binary("add", net.act(_bent(net, x, *numbers), "tanh"), 1.0), x
            )
            for numbers in ((0.8, 0.044715), (0.7978845608, 0.044))
        ),
        lambda net, x: net.binary("div", net.act(_bounded(net, x), "relu6"), 6.0),
        lambda net, x: net.binary("max", x, net.constant(net.random(4))),
    ],
)
def test_what_only_looks_like_an_activation_is_left(make):
    net = Net()
    y = make(net, net.input(None, 3, 4, 4))
    rewritten(net.finish(y), activations.run, changes=False)


def test_clips_of_clips_are_one_clip():
    net = Net()
    x = net.input(None, 5)
    y = net.act(net.act(net.act(x, "relu"), ("clip", -1.0, 2.0)), "relu6")
    graph = rewritten(net.finish(y), activations.run)
    assert [n.attributes["activation"] for n in graph.nodes] == [("clip", 0.0, 2.0)]


@pytest.mark.parametrize("inner", [(0.0, 6.0), (-1.0, 0.5), (0.5, -1.0)])
@pytest.mark.parametrize("outer", [(0.25, 0.75), (0.75, 0.25)])
def test_of_clips_whose_bounds_are_crossed_the_upper_one_counts(inner, outer):
    net = Net()
    y = net.input(None, 5)
    for low, high in (inner, outer):
        y = net.binary("min", net.binary("max", y, low), high)
    assert kinds(rewritten(net.finish(y), activations.run)) == ["activation"]


def test_an_activation_is_fused_into_its_only_source():
    net = Net()
    a = net.act(net.conv(net.input(None, 3, 4, 4), 4), "relu6")
    b = net.act(net.binary("add", a, a), ("leaky_relu", 0.2))
    graph = rewritten(net.finish(net.act(b, "tanh")), fusing.activations)
    assert kinds(graph) == ["conv", "binary", "activation"]
    activation = [n.attributes["activation"] for n in graph.nodes]
    assert activation == ["relu6", ("leaky_relu", 0.2), "tanh"]


def test_an_activation_of_a_value_that_others_read_is_not_fused():
    net = Net()
    y = net.conv(net.input(None, 3, 4, 4), 4)
    z = net.conv(net.input(None, 3, 4, 4), 4)
    graph = net.finish(y, net.act(y, "relu"), net.binary("mul", z, net.act(z, "tanh")))
    rewritten(graph, fusing.activations, changes=False)
