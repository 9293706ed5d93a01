"""Separable convolutions and inverted residuals become single nodes, where nobody looks inside."""

from __future__ import annotations

import pytest
from graph_builder import Net, kinds, only, optimized

from dwsep.graph.passes import optimize


def _inverted_residual(net, x, expanded, made, act="relu6", squeeze_excite=False, stride=1):
    y = net.act(net.batch_norm(net.conv(x, expanded, 1)), act)
    y = net.act(net.batch_norm(net.depthwise(y, stride=stride)), act)
    y = net.squeeze_excite(y, 2, style=squeeze_excite) if squeeze_excite else y
    return net.batch_norm(net.conv(y, made, 1))


@pytest.mark.parametrize("squeeze_excite", [False, "conv", "dense"])
@pytest.mark.parametrize("added", [False, True])
def test_an_inverted_residual_is_one_node(squeeze_excite, added):
    net = Net()
    x = net.act(net.conv(net.input(None, 3, 6, 6), 4), "relu")
    y = _inverted_residual(net, x, 8, 4, squeeze_excite=squeeze_excite)
    y = net.binary("add", y, x) if added else y
    graph = optimized(net.finish(y), optimize)
    assert kinds(graph) == ["transpose", "standard", "inverted_residual", "transpose"]
    node = only(graph, "inverted_residual")
    assert len(node.inputs) == 1 + added
    names = {"weight", "bias"}
    stages = ["expand", "depthwise"] + (["reduce", "excite"] if squeeze_excite else [])
    names |= {f"{stage}_{name}" for stage in stages for name in names}
    assert set(node.weights) == names
    attributes = {"stride", "dilation", "padding", "activation"}
    assert set(node.attributes) == attributes | {f"{stage}_activation" for stage in stages}


def test_a_separable_convolution_is_one_node():
    net = Net()
    y = net.act(net.depthwise(net.input(None, 4, 6, 6), multiplier=2, stride=2), "relu")
    y = net.act(net.conv(y, 5, 1), "hard_swish")
    graph = optimized(net.finish(y), optimize)
    assert kinds(graph) == ["transpose", "separable", "transpose"]
    node = only(graph, "separable")
    assert set(node.weights) == {"depthwise_weight", "depthwise_bias", "weight", "bias"}
    assert node.weights["depthwise_weight"].shape == (3, 3, 4, 2)
    assert node.attributes["depthwise_activation"] == "relu"
    assert node.attributes["activation"] == "hard_swish"


def test_separable_convolutions_in_a_row_stay_separable():
    net = Net()
    y = net.conv(net.input(None, 3, 6, 6), 4)
    for _ in range(3):
        y = net.conv(net.depthwise(y), 4, 1)
    graph = optimized(net.finish(y), optimize)
    assert kinds(graph)[2:-1] == ["separable"] * 3


def test_a_depthwise_convolution_with_a_residual_is_not_inside_a_block():
    net = Net()
    x = net.input(None, 4, 6, 6)
    y = net.conv(net.binary("add", net.depthwise(x), x), 5, 1)
    graph = optimized(net.finish(y), optimize)
    assert kinds(graph) == ["transpose", "depthwise", "pointwise", "transpose"]


@pytest.mark.parametrize("read", ["expanded", "depthwise", "output"])
def test_what_others_read_is_not_inside_a_block(read):
    net = Net()
    expanded = net.conv(net.input(None, 3, 6, 6), 8, 1)
    inner = net.depthwise(expanded)
    y = net.conv(inner, 4, 1)
    others = {
        "expanded": [net.unary("exp", expanded)],
        "depthwise": [net.pool(inner)],
        "output": [inner],
    }
    graph = optimized(net.finish(y, *others[read]), optimize)
    assert "inverted_residual" not in kinds(graph)
    assert kinds(graph).count("separable") == (read == "expanded")


@pytest.mark.parametrize("squeeze_excite", ["conv", "dense"])
@pytest.mark.parametrize("added", [False, True])
def test_a_separable_convolution_takes_squeeze_excite(squeeze_excite, added):
    net = Net()
    x = net.act(net.conv(net.input(None, 3, 6, 6), 4), "relu")
    y = net.squeeze_excite(net.act(net.depthwise(x, multiplier=2), "silu"), 2, style=squeeze_excite)
    y = net.conv(y, 4, 1)
    y = net.binary("add", y, x) if added else y
    graph = optimized(net.finish(y), optimize)
    assert kinds(graph) == ["transpose", "standard", "separable", "transpose"]
    node = only(graph, "separable")
    assert len(node.inputs) == 1 + added
    stages = ["", "depthwise_", "reduce_", "excite_"]
    assert set(node.weights) == {f"{s}{name}" for s in stages for name in ("weight", "bias")}
    attributes = {"stride", "dilation", "padding"}
    assert set(node.attributes) == attributes | {f"{stage}activation" for stage in stages}


@pytest.mark.parametrize("read", ["depthwise", "factors", "product"])
def test_squeeze_excite_with_other_readers_stays_in_pieces(read):
    net = Net()
    inner = net.depthwise(net.input(None, 4, 6, 6))
    product = net.squeeze_excite(inner, 2)
    factors = net.graph.nodes[-1].inputs[1]
    y = net.conv(product, 5, 1)
    other = net.unary("exp", {"depthwise": inner, "factors": factors, "product": product}[read])
    graph = optimized(net.finish(y, other), optimize)
    assert "separable" not in kinds(graph)
    assert kinds(graph).count("pointwise") == 3


def test_without_fusing_every_step_is_a_node():
    net = Net()
    x = net.input(None, 4, 6, 6)
    y = net.binary("add", _inverted_residual(net, x, 8, 4), x)
    graph = optimize(net.finish(y), fuse=False)
    assert kinds(graph) == [
        "transpose",
        "pointwise",
        "activation",
        "depthwise",
        "activation",
        "pointwise",
        "binary",
        "transpose",
    ]


def test_the_widest_value_is_inside_a_block():
    """MobileNetV4: depthwise, expand, depthwise, project."""
    net = Net()
    x = net.conv(net.input(None, 3, 6, 6), 4)
    y = net.conv(net.depthwise(net.conv(net.depthwise(x), 8, 1)), 5, 1)
    graph = optimized(net.finish(y), optimize)
    assert kinds(graph)[2:-1] == ["depthwise", "inverted_residual"]
