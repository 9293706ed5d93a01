"""Activations and layer normalisation are recognised by what they are composed of."""

from __future__ import annotations

import numpy as np
import pytest
from graph_builder import Net, kinds, only, rewritten

from dwsep.graph.passes import activations, constants, fusing, layer_norm

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


# --- layer norm -----------------------------------------------------------------------------------


def _layer_norm(net, x, axis, style):
    axes = axis if isinstance(axis, tuple) else (axis,)
    centred = net.binary("sub", x, net.reduce(x, axes))
    other = net.binary("sub", x, net.reduce(x, axes)) if style == "twice" else centred
    square = net.binary("mul", other, other) if style == "mul" else net.binary("pow", other, 2.0)
    variance = net.binary("add", net.reduce(square, axes), 1e-5)
    if style == "to the power of -1/2":
        return net.binary("mul", centred, net.binary("pow", variance, -0.5))
    if style == "to the power of 1/2":
        return net.binary("div", centred, net.binary("pow", variance, 0.5))
    root = net.unary("sqrt", variance)
    if style == "reciprocal":
        return net.binary("mul", net.unary("reciprocal", root), centred)
    if style == "one over":
        return net.binary("mul", centred, net.binary("div", 1.0, root))
    return net.binary("div", centred, root)


LAYER_NORMS = [
    "pow",
    "mul",
    "twice",
    "reciprocal",
    "one over",
    "to the power of 1/2",
    "to the power of -1/2",
]


@pytest.mark.parametrize("style", LAYER_NORMS)
def test_layer_normalisation_is_recognised(style):
    net = Net()
    x = net.input(None, 5, 8)
    y = _layer_norm(net, x, 2, style)
    y = net.binary("add", net.binary("mul", y, net.random(8)), net.random(8))
    graph = rewritten(net.finish(y), constants.run, layer_norm.run)
    assert kinds(graph) == ["layer_norm"]
    assert only(graph, "layer_norm").attributes["epsilon"] == pytest.approx(1e-5)


def _multiplied_out(net, x, axes, style, numbers):
    """Write x m + (shift - mean m) as Keras does, or in another way."""
    mean = net.reduce(x, axes)
    centred = net.binary("sub", x, mean)
    variance = net.binary("add", net.reduce(net.binary("mul", centred, centred), axes), 1e-3)
    m = net.unary("reciprocal", net.unary("sqrt", variance))
    if numbers:
        m = net.binary("mul", m, net.random(*numbers))
    first = net.binary("mul", x, m)
    if style == "keras":
        rest = net.binary("mul", net.unary("neg", mean), m)
    else:
        rest = net.binary("mul", m, mean)
    if not numbers:
        return net.binary("add" if style == "keras" else "sub", first, rest)
    shift = net.random(*numbers)
    if style == "keras":
        return net.binary("add", first, net.binary("add", rest, shift))
    if style == "shift first":
        return net.binary("add", net.binary("sub", shift, rest), first)
    return net.binary("sub", net.binary("add", first, shift), rest)


@pytest.mark.parametrize("style", ["keras", "shift first", "shift last"])
@pytest.mark.parametrize("numbers", [None, (8,), (1, 1, 8), (1,)])
def test_layer_normalisation_that_is_multiplied_out(style, numbers):
    net = Net()
    y = _multiplied_out(net, net.input(None, 5, 8), (2,), style, numbers)
    graph = rewritten(net.finish(y), constants.run, layer_norm.run)
    assert kinds(graph) == ["layer_norm"]
    assert only(graph, "layer_norm").attributes["epsilon"] == pytest.approx(1e-3)


@pytest.mark.parametrize(("numbers", "recognised"), [(None, True), ((4, 6), True), ((6,), False)])
def test_merged_axes_that_are_multiplied_out(numbers, recognised):
    net = Net()
    y = _multiplied_out(net, net.input(None, 5, 4, 6), (2, 3), "keras", numbers)
    graph = rewritten(net.finish(y), layer_norm.run, changes=recognised)
    assert (kinds(graph) == ["reshape", "layer_norm", "reshape"]) == recognised


@pytest.mark.parametrize("wrong", ["sign", "mean", "factor", "shift"])
def test_other_sums_of_products_are_no_layer_norm(wrong):
    net = Net()
    x = net.input(None, 5, 8)
    mean = net.reduce(x, (2,))
    centred = net.binary("sub", x, mean)
    variance = net.binary("add", net.reduce(net.binary("mul", centred, centred), (2,)), 1e-3)
    m = net.unary("reciprocal", net.unary("sqrt", variance))
    again = net.binary("mul", m, net.random(8)) if wrong == "factor" else m
    middle = net.reduce(x, (1, 2)) if wrong == "mean" else mean
    rest = net.binary("mul", middle, again)
    shift = net.input(None, 5, 8) if wrong == "shift" else net.random(8)
    rest = net.binary("add" if wrong == "sign" else "sub", shift, rest)
    y = net.binary("add", net.binary("mul", x, m), rest)
    rewritten(net.finish(y), layer_norm.run, changes=False)


@pytest.mark.parametrize("axes", [(2, 3), (1, 2, 3), (3, 2)])
def test_a_norm_over_the_last_axes_merges_them(axes):
    net = Net()
    y = _layer_norm(net, net.input(None, 5, 4, 6), axes, "mul")
    graph = rewritten(net.finish(y), constants.run, layer_norm.run)
    assert kinds(graph) == ["reshape", "layer_norm", "reshape"]
    assert only(graph, "layer_norm").weights["scale"].size == (24 if len(axes) == 2 else 120)


def test_merged_axes_keep_few_numbers():
    net = Net()
    y = _layer_norm(net, net.input(None, 5, 2730, 6), (2, 3), "mul")
    graph = rewritten(net.finish(y), constants.run, layer_norm.run)
    weights = only(graph, "layer_norm").weights.values()
    assert sum(w.nbytes for w in weights) <= 128 << 10


@pytest.mark.parametrize(("axes", "height"), [((1, 2), 4), ((1, 3), 4), ((2, 3), 2731)])
def test_a_norm_over_other_axes_or_large_planes_stays(axes, height):
    net = Net()
    y = _layer_norm(net, net.input(None, 5, height, 6), axes, "mul")
    rewritten(net.finish(y), layer_norm.run, changes=False)


@pytest.mark.parametrize(
    ("function", "exponent"), [("mul", 0.5), ("div", -0.5), ("mul", -1.0), ("div", 1.0)]
)
def test_another_power_of_the_variance_is_no_layer_norm(function, exponent):
    net = Net()
    x = net.input(None, 5, 8)
    centred = net.binary("sub", x, net.reduce(x, (2,)))
    variance = net.binary("add", net.reduce(net.binary("mul", centred, centred), (2,)), 1e-5)
    y = net.binary(function, centred, net.binary("pow", variance, exponent))
    rewritten(net.finish(y), layer_norm.run, changes=False)


@pytest.mark.parametrize(
    ("function", "number"), [("div", 2.0), ("sub", 1.0), ("max", 1.0), ("pow", 1.5)]
)
def test_only_one_over_the_deviation_makes_a_layer_norm(function, number):
    net = Net()
    x = net.input(None, 5, 8)
    centred = net.binary("sub", x, net.reduce(x, (2,)))
    variance = net.binary("add", net.reduce(net.binary("mul", centred, centred), (2,)), 1e-5)
    y = net.binary("mul", centred, net.binary(function, number, net.unary("sqrt", variance)))
    rewritten(net.finish(y), layer_norm.run, changes=False)


def test_the_mean_of_another_product_is_no_variance():
    net = Net()
    x, z = net.input(None, 5, 8), net.input(None, 5, 8)
    centred = net.binary("sub", x, net.reduce(x, (2,)))
    product = net.reduce(net.binary("mul", centred, net.binary("add", centred, z)), (2,))
    y = net.binary("div", centred, net.unary("sqrt", net.binary("add", product, 50.0)))
    rewritten(net.finish(y), layer_norm.run, changes=False)


@pytest.mark.parametrize("place", ["centre", "variance"])
@pytest.mark.parametrize("function", ["max", "sum"])
def test_only_means_make_a_layer_norm(function, place):
    net = Net()
    x = net.input(None, 5, 8)
    middle, spread = (function if place == p else "mean" for p in ("centre", "variance"))
    centred = net.binary("sub", x, net.reduce(x, (2,), function=middle))
    variance = net.reduce(net.binary("mul", centred, centred), (2,), function=spread)
    y = net.binary("div", centred, net.unary("sqrt", net.binary("add", variance, 1e-5)))
    rewritten(net.finish(y), layer_norm.run, changes=False)


def test_the_mean_of_fourth_powers_is_no_variance():
    net = Net()
    x = net.input(None, 5, 8)
    centred = net.binary("sub", x, net.reduce(x, (2,)))
    power = net.reduce(net.binary("pow", centred, 4.0), (2,))
    y = net.binary("div", centred, net.unary("sqrt", net.binary("add", power, 1e-5)))
    rewritten(net.finish(y), layer_norm.run, changes=False)


def test_normalisation_over_another_axis_is_no_layer_norm():
    net = Net()
    y = _layer_norm(net, net.input(None, 5, 8), 1, "pow")
    rewritten(net.finish(y), layer_norm.run, changes=False)
