"""Residuals and squeeze-excite go into the nodes they belong to, convolutions get their kinds."""

from __future__ import annotations

import pytest
from graph_builder import Net, kinds, only, optimized, rewritten

from dwsep.graph.passes import depthwise, fusing, optimize, squeeze_excite

# --- residual -------------------------------------------------------------------------------------


def test_a_convolution_adds_the_other_branch():
    net = Net()
    x = net.input(None, 4, 5, 5)
    y = net.binary("add", x, net.conv(net.conv(x, 6, activation="relu"), 4))
    graph = rewritten(net.finish(net.act(y, "relu")), fusing.residuals, fusing.activations)
    assert kinds(graph) == ["conv", "conv"]
    assert graph.nodes[1].inputs[1] == x
    assert graph.nodes[1].attributes["activation"] == "relu"


def test_of_two_convolutions_the_later_adds():
    net = Net()
    x = net.input(None, 4, 5, 5)
    first, second = net.conv(x, 4), net.conv(x, 4)
    graph = rewritten(net.finish(net.binary("add", second, first)), fusing.residuals)
    assert [len(n.inputs) for n in graph.nodes] == [1, 2]
    assert graph.nodes[1].inputs[1] == first


@pytest.mark.parametrize("function", [None, "relu", "silu"])
def test_a_depthwise_convolution_adds_the_other_branch(function):
    net = Net()
    x = net.input(None, 4, 5, 5)
    y = net.binary("add", net.depthwise(x), x)
    graph = optimized(net.finish(y if function is None else net.act(y, function)), optimize)
    assert kinds(graph) == ["transpose", "depthwise", "transpose"]
    assert graph.nodes[1].inputs[0] == graph.nodes[1].inputs[1]
    assert graph.nodes[1].attributes["activation"] == function


def _no_residual(case):
    net = Net()
    x = net.input(None, 4, 5, 5)
    if case == "activation":
        return net.finish(net.binary("add", x, net.conv(x, 4, activation="relu")))
    if case == "broadcast":
        return net.finish(net.binary("add", net.reduce(x, (2, 3)), net.conv(x, 4)))
    y = net.conv(x, 4)
    if case == "twice":
        return net.finish(net.binary("add", y, y))
    if case == "read":
        return net.finish(net.binary("add", y, net.act(y, "tanh")))
    return net.finish(y, net.binary("add", x, y))  # an output


@pytest.mark.parametrize("case", ["activation", "broadcast", "twice", "read", "output"])
def test_an_addition_stays_where_it_must(case):
    rewritten(_no_residual(case), fusing.residuals, changes=False)


# --- squeeze-excite -------------------------------------------------------------------------------


@pytest.mark.parametrize("function", ["average", "max"])
@pytest.mark.parametrize("channels_last", [False, True])
def test_pooling_of_the_whole_image_is_a_reduction(function, channels_last):
    net = Net(channels_last)
    x = net.input(*((None, 5, 5, 3) if channels_last else (None, 3, 5, 5)))
    graph = rewritten(net.finish(net.pool(x, 5, 1, function)), squeeze_excite.run)
    node = only(graph, "reduce")
    assert node.attributes["axes"] == ((1, 2) if channels_last else (2, 3))
    assert node.attributes["keepdims"] is True


def test_pooling_of_one_pixel_is_a_reduction_whatever_its_dilation():
    net = Net()
    y = net.pool(net.input(None, 3, 1, 4), (1, 4), 1)
    graph = net.finish(y)
    graph.nodes[0].attributes["dilation"] = (3, 1)
    assert kinds(rewritten(graph, squeeze_excite.run)) == ["reduce"]


def test_smaller_pools_stay():
    net = Net()
    y = net.pool(net.input(None, 3, 5, 5), 4, 1)
    y = net.pool(y, 2, 1, padding=(1, 0, 0, 1))
    rewritten(net.finish(y), squeeze_excite.run, changes=False)


def test_pools_that_round_ties_away_from_zero_stay():
    net = Net()
    graph = net.finish(net.pool(net.input(None, 3, 5, 5), 5, 1))
    graph.nodes[0].attributes["ties"] = "away"
    rewritten(graph, squeeze_excite.run, changes=False)


@pytest.mark.parametrize("read", ["means", "hidden", "factors"])
def test_a_gate_whose_inside_others_read_keeps_its_shapes(read):
    net = Net()
    x = net.conv(net.input(None, 3, 5, 5), 6)
    values = {"means": net.reduce(x, (2, 3), keepdims=False)}
    values["hidden"] = net.act(net.dense(values["means"], 2), "relu")
    values["factors"] = net.dense(values["hidden"], 6)
    y = net.binary("mul", x, net.reshape(values["factors"], 0, 6, 1, 1))
    optimized(net.finish(y, net.unary("exp", values[read])), optimize)


@pytest.mark.parametrize("style", ["conv", "dense"])
def test_a_gate_works_on_one_pixel(style):
    net = Net()
    x = net.conv(net.input(None, 3, 5, 5), 6)
    graph = optimized(net.finish(net.squeeze_excite(x, 2, "hard_sigmoid", style)), optimize)
    assert kinds(graph) == [
        "transpose",
        "standard",
        "reduce",
        "pointwise",
        "pointwise",
        "binary",
        "transpose",
    ]
    assert graph.shape(graph.nodes[3].output) == (None, 1, 1, 2)


@pytest.mark.parametrize("first", ["x", "factors"])
def test_a_gate_on_an_image_of_one_pixel(first):
    net = Net(channels_last=True)
    x = net.conv(net.input(None, 1, 1, 3), 6)
    factors = net.dense(net.dense(net.reduce(x, (1, 2), keepdims=False), 2), 6)
    factors = net.reshape(factors, 0, 1, 1, 6)
    y = net.binary("mul", *((x, factors) if first == "x" else (factors, x)))
    graph = optimized(net.finish(y), optimize)
    assert kinds(graph) == ["standard", "reduce", "pointwise", "pointwise", "binary"]


@pytest.mark.parametrize("source", ["input", "maximum", "other mean", "rows"])
def test_what_is_not_the_mean_of_all_pixels_makes_no_gate(source):
    net = Net(channels_last=True)
    x, other = net.depthwise(net.input(None, 5, 5, 6)), net.input(None, 5, 5, 4)
    pooled = {
        "input": lambda: net.input(None, 1, 1, 6),
        "maximum": lambda: net.reduce(x, (1, 2), function="max"),
        "other mean": lambda: net.reduce(other, (1, 2)),
        "rows": lambda: net.reduce(net.reduce(x, (1,)), (2,)),
    }[source]()
    factors = net.conv(net.conv(pooled, 2, 1, activation="relu"), 6, 1, activation="sigmoid")
    graph = optimized(net.finish(net.conv(net.binary("mul", x, factors), 4, 1)), optimize)
    assert not {"separable", "inverted_residual"} & set(kinds(graph))
    assert "binary" in kinds(graph)


@pytest.mark.parametrize("reader", ["another node", "the caller"])
def test_a_gate_whose_mean_others_read_stays(reader):
    net = Net()
    x = net.conv(net.input(None, 3, 5, 5), 6)
    mean = net.reduce(x, (2, 3), keepdims=False)
    factors = net.reshape(net.dense(net.dense(mean, 2), 6), 0, 6, 1, 1)
    other = net.unary("exp", mean) if reader == "another node" else mean
    graph = optimized(net.finish(net.binary("mul", x, factors), other), optimize)
    assert "reshape" in kinds(graph)


# --- depthwise ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "options"),
    [
        ("depthwise", {"made": 4, "groups": 4}),
        ("depthwise", {"made": 12, "groups": 4, "kernel": (3, 5), "stride": 2}),
        ("depthwise", {"made": 8, "groups": 4, "kernel": 1}),
        ("pointwise", {"made": 6, "kernel": 1}),
        ("pointwise", {"made": 6, "kernel": 1, "dilation": 2}),
        ("standard", {"made": 6, "kernel": 1, "stride": 2}),
        ("standard", {"made": 6, "kernel": 1, "padding": (1, 0, 0, 0)}),
        ("standard", {"made": 6, "kernel": 1, "groups": 2}),
        ("standard", {"made": 6, "dilation": 2}),
    ],
)
def test_convolutions_are_told_apart(wanted, options):
    net = Net(channels_last=True)
    y = net.conv(net.input(None, 7, 6, 4), **options)
    graph = rewritten(net.finish(y), depthwise.run)
    assert kinds(graph) == [wanted]


def test_one_channel_is_no_depthwise_convolution():
    net = Net(channels_last=True)
    graph = rewritten(net.finish(net.conv(net.input(None, 5, 5, 1), 4)), depthwise.run)
    assert kinds(graph) == ["standard"]


def test_a_file_s_layout_is_refused():
    net = Net()
    with pytest.raises(ValueError, match="need images in NHWC"):
        depthwise.run(net.finish(net.conv(net.input(None, 3, 5, 5), 4)))
