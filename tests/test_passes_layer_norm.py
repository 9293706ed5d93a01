"""Layer normalisation is recognised by what it is composed of."""

from __future__ import annotations

import pytest
from graph_builder import Net, kinds, only, rewritten

from dwsep.graph.passes import constants, layer_norm


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
    assert [w.size for w in only(graph, "layer_norm").weights.values()] == [1, 1]
    assert graph.shape(only(graph, "layer_norm").output)[-1] == (24 if len(axes) == 2 else 120)


@pytest.mark.parametrize(("axes", "height"), [((1, 2), 4), ((1, 3), 4), ((2, 3), 43_691)])
def test_a_norm_over_other_axes_or_large_planes_stays(axes, height):
    net = Net()
    y = _layer_norm(net, net.input(None, 5, height, 6), axes, "mul")
    rewritten(net.finish(y), layer_norm.run, changes=False)


def test_a_variance_over_other_axes_than_the_mean_makes_no_norm():
    net = Net()
    x = net.input(None, 5, 4, 6)
    centred = net.binary("sub", x, net.reduce(x, (2, 3)))
    variance = net.reduce(net.binary("mul", centred, centred), (3,))
    y = net.binary("div", centred, net.unary("sqrt", net.binary("add", variance, 1e-5)))
    rewritten(net.finish(y), layer_norm.run, changes=False)


@pytest.mark.parametrize(("factor", "epsilon"), [(2.0, 1e-5), (0.5, 1e-5), (-1.0, 50.0)])
def test_a_multiple_of_the_variance_makes_no_norm(factor, epsilon):
    net = Net()
    x = net.input(None, 5, 8)
    centred = net.binary("sub", x, net.reduce(x, (2,)))
    variance = net.reduce(net.binary("mul", centred, centred), (2,))
    several = net.binary("add", net.binary("mul", variance, factor), epsilon)
    y = net.binary("div", centred, net.unary("sqrt", several))
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


@pytest.mark.parametrize("place", ["centred", "squared"])
def test_activations_inside_are_no_layer_norm(place):
    net = Net()
    x = net.input(None, 5, 8)
    values = {"centred": net.binary("sub", x, net.reduce(x, (2,)))}
    values["squared"] = net.binary("mul", values["centred"], values["centred"])
    made = {node.output: node for node in net.graph.nodes}
    made[values[place]].attributes["activation"] = "tanh"
    variance = net.binary("add", net.reduce(values["squared"], (2,)), 1e-5)
    y = net.binary("div", values["centred"], net.unary("sqrt", variance))
    rewritten(net.finish(y), layer_norm.run, changes=False)
