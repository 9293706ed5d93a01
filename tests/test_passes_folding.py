"""Scales and shifts fold into convolutions, padding into what pads for itself."""

from __future__ import annotations

import numpy as np
import pytest
from graph_builder import Net, kinds, rewritten

from dwsep.graph.passes import batch_norm, depthwise, fusing, padding

# --- batch norm -----------------------------------------------------------------------------------


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("kind", ["conv", "grouped", "depthwise", "conv_transpose"])
def test_a_normalisation_folds_into_the_convolution_before(kind, channels_last):
    net = Net(channels_last)
    x = net.input(*((None, 5, 6, 4) if channels_last else (None, 4, 5, 6)))
    if kind == "conv_transpose":
        weights = {"weight": net.random(2, 3, 4, 3), "bias": net.random(6)}
        y = net.add(
            "conv_transpose",
            x,
            weights=weights,
            stride=(2, 1),
            dilation=(1, 1),
            padding=(0, 1, 1, 0),
            output_padding=(1, 0),
            groups=2,
            activation=None,
        )
    else:
        y = net.conv(x, 8, groups={"conv": 1, "grouped": 2, "depthwise": 4}[kind])
    graph = rewritten(net.finish(net.batch_norm(y)), batch_norm.run)
    assert kinds(graph) == [kind if kind == "conv_transpose" else "conv"]


def _branches(channels_last, case=""):
    """Make a convolution of each kind, whose channels are put together."""
    net = Net(channels_last)
    x = net.input(*((None, 5, 6, 4) if channels_last else (None, 4, 5, 6)))
    parts = [net.conv(x, 8), net.conv(x, 4, groups=4), net.conv(x, 2, groups=2)]
    if case == "read":
        parts.append(net.act(parts[0], "relu"))
    elif case == "activation":
        parts[1] = net.conv(x, 4, activation="relu")
    elif case == "twice":
        parts.append(parts[0])
    elif case == "input":
        parts.append(x)
    along = (1 if channels_last else 2) if case == "rows" else 3 if channels_last else 1
    if case == "rows":
        parts = [net.conv(x, 8), net.conv(x, 8)]
    return net, net.add("concat", *parts, axis=along)


@pytest.mark.parametrize("channels_last", [False, True])
def test_a_normalisation_folds_into_branches_before(channels_last):
    net, y = _branches(channels_last)
    y = net.act(net.batch_norm(y), "relu")
    graph = rewritten(net.finish(y), batch_norm.run, fusing.activations)
    assert kinds(graph) == ["conv", "conv", "conv", "concat"]
    assert all(node.attributes["activation"] == "relu" for node in graph.nodes[:3])


@pytest.mark.parametrize("case", ["read", "activation", "twice", "input", "rows"])
def test_a_normalisation_stays_where_a_branch_cannot_take_it(case):
    net, y = _branches(False, case)
    graph = rewritten(net.finish(net.batch_norm(y)), batch_norm.run)
    assert kinds(graph)[-2:] == ["binary", "binary"]


@pytest.mark.parametrize("case", ["read", "activation", "twice", "input"])
def test_an_activation_stays_where_a_branch_cannot_take_it(case):
    net, y = _branches(False, case)
    graph = rewritten(net.finish(net.act(y, "relu")), fusing.activations, changes=False)
    assert kinds(graph)[-2:] == ["concat", "activation"]


def test_a_normalisation_without_bias_before_it_gives_a_bias():
    net = Net()
    y = net.conv(net.input(None, 3, 4, 4), 5)
    graph = net.finish(net.batch_norm(y))
    del graph.nodes[0].weights["bias"]
    assert set(rewritten(graph, batch_norm.run).nodes[0].weights) == {"weight", "bias"}


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_a_normalisation_folds_into_the_convolution_after_it_without_padding(groups):
    net = Net()
    x = net.batch_norm(net.input(None, 4, 5, 5))
    graph = rewritten(
        net.finish(net.conv(x, 8, padding=(0, 0, 0, 0), groups=groups)), batch_norm.run
    )
    assert kinds(graph) == ["conv"]


def test_a_normalisation_folds_into_a_depthwise_convolution_after_it():
    """What a shuffle has kept apart folds once the kinds of convolutions are told apart."""
    net = Net(channels_last=True)
    x = net.batch_norm(net.input(None, 5, 5, 4))
    graph = net.finish(net.depthwise(x, multiplier=2, padding=(0, 0, 0, 0)))
    assert kinds(rewritten(graph, depthwise.run, batch_norm.run)) == ["depthwise"]


def test_a_shift_does_not_fold_over_padding_but_a_scale_does():
    net = Net()
    x = net.batch_norm(net.input(None, 3, 5, 5))
    graph = rewritten(net.finish(net.conv(x, 4)), batch_norm.run)
    assert kinds(graph) == ["binary", "binary", "conv"]
    net = Net()
    x = net.binary("div", net.input(None, 3, 5, 5), 127.5)
    assert kinds(rewritten(net.finish(net.conv(x, 4)), batch_norm.run)) == ["conv"]


def test_scales_and_shifts_of_any_spelling_fold():
    net = Net()
    y = net.conv(net.input(None, 3, 5, 5), 4)
    by_channel = net.random(4, 1, 1) + 3
    y = net.binary("mul", y, by_channel)
    y = net.binary("add", net.random(1, 4, 1, 1), y)
    y = net.binary("div", net.binary("sub", y, 2.0), by_channel[None])
    y = net.binary("sub", net.random(1), y)
    assert kinds(rewritten(net.finish(y), batch_norm.run)) == ["conv"]


def test_what_is_not_by_channel_does_not_fold():
    net = Net()
    y = net.conv(net.input(None, 4, 4, 4), 4)
    y = net.binary("mul", y, net.random(4))  # by column
    y = net.binary("add", y, net.random(4, 4, 4))
    y = net.binary("div", 1.0, y)
    rewritten(net.finish(y), batch_norm.run, changes=False)


def test_a_convolution_with_another_reader_or_an_activation_stays():
    net = Net()
    y = net.conv(net.input(None, 3, 4, 4), 4)
    a, b = net.batch_norm(y), net.act(y, "relu")
    clipped = net.conv(net.input(None, 3, 4, 4), 4, activation="relu6")
    graph = net.finish(a, b, net.batch_norm(clipped))
    assert kinds(rewritten(graph, batch_norm.run)).count("binary") == 4


def test_a_chain_of_scales_and_shifts_is_one_of_each():
    net = Net()
    x = net.input(None, 3, 4, 4)
    y = net.binary("div", net.binary("sub", net.binary("div", x, 255.0), net.random(3, 1, 1)), 0.2)
    graph = rewritten(net.finish(net.act(y, "tanh")), batch_norm.run)
    assert [n.attributes.get("function") for n in graph.nodes] == ["mul", "add", None]


@pytest.mark.parametrize("factor", [1e30, np.inf, np.nan])
def test_what_float32_cannot_hold_is_not_folded(factor):
    net = Net()
    x = net.input(None, 3, 4, 4)
    by_channel = np.array([1.0, factor, 0.0])[:, None, None]
    y = net.binary("mul", net.conv(x, 3), by_channel)
    z = net.binary("mul", net.binary("mul", x, by_channel), by_channel)
    graph = net.finish(net.binary("mul", y, by_channel), z)
    graph.nodes[0].weights["bias"][:] = 0
    batch_norm.run(graph)
    assert all(np.isfinite(w).all() for n in graph.nodes for w in n.weights.values())
    assert kinds(graph) == ["conv"] + ["binary"] * (3 if factor == 1e30 else 4)


@pytest.mark.parametrize("shape", [(7, 4), (4,)])
def test_fully_connected_layers_take_scales_of_their_last_axis(shape):
    net = Net()
    x = net.input(None, *shape)
    y = net.dense(net.binary("mul", x, net.random(4)), 5)
    graph = rewritten(net.finish(net.binary("add", y, net.random(5))), batch_norm.run)
    assert kinds(graph) == ["dense"]


@pytest.mark.parametrize("order", ["before", "after"])
def test_scales_of_another_axis_do_not_fold_into_fully_connected_layers(order):
    """Of three axes, images' channels are the second and a layer's the last."""
    net = Net()
    x = net.input(None, 4, 4)
    y = net.dense(net.batch_norm(x), 4) if order == "before" else net.batch_norm(net.dense(x, 4))
    graph = rewritten(net.finish(y), batch_norm.run)
    assert sorted(kinds(graph)) == ["binary", "binary", "dense"]


# --- padding --------------------------------------------------------------------------------------


def _padded(net, x, value=0.0, mode="constant", channels=0):
    before, after = (0, channels, 0, 1), (0, 0, 2, 1)
    return net.add("pad", x, mode=mode, before=before, after=after, value=value)


@pytest.mark.parametrize("channels_last", [False, True])
def test_convolutions_pad_for_themselves(channels_last):
    net = Net(channels_last)
    x = net.input(None, 4, 5, 6)
    y = net.add("pad", x, mode="constant", before=(0, 0, 1, 0), after=(0, 2, 1, 0), value=0.0)
    if not channels_last:
        y = _padded(net, x)
    graph = net.finish(net.conv(y, 3, stride=2), net.depthwise(y, padding=(0, 0, 0, 0)))
    assert kinds(rewritten(graph, padding.run)) == ["conv", "conv"]


@pytest.mark.parametrize("channels_last", [False, True])
def test_a_convolution_that_pads_for_itself_keeps_its_residual(channels_last):
    net = Net(channels_last)
    x = net.input(None, 4, 5, 4)
    sides = {"before": (0, 1, 1, 0), "after": (0, 1, 1, 0)} if channels_last else {}
    sides = sides or {"before": (0, 0, 1, 1), "after": (0, 0, 1, 1)}
    y = net.conv(net.add("pad", x, mode="constant", value=0.0, **sides), 4, padding=(0,) * 4)
    graph = net.finish(y)
    graph.nodes[1].inputs.append(net.input(*net.graph.shape(y)))
    graph = rewritten(graph, padding.run)
    assert [n.inputs for n in graph.nodes] == [["x0", "x1"]]


def test_average_pools_count_the_zeros_of_a_pad():
    net = Net()
    x = net.input(None, 3, 5, 6)
    y = net.pool(_padded(net, x), 2, 1)
    graph = rewritten(net.finish(y), padding.run)
    assert kinds(graph) == ["pool"]
    assert graph.nodes[0].attributes["include_padding"] is True


def test_average_pools_that_count_their_own_zeros_count_those_of_a_pad():
    net = Net()
    y = net.pool(_padded(net, net.input(None, 3, 5, 6)), 2, 1, padding=(1, 0, 0, 1))
    graph = net.finish(y)
    graph.nodes[-1].attributes["include_padding"] = True
    graph = rewritten(graph, padding.run)
    assert [n.attributes["padding"] for n in graph.nodes] == [(1, 2, 1, 2)]


@pytest.mark.parametrize("rank", [3, 5])
@pytest.mark.parametrize("channels_last", [False, True])
def test_only_pads_of_images_move(rank, channels_last):
    net = Net(channels_last)
    before = (0, 0, 1, 2, 0)[:rank]
    x = net.input(None, *range(3, 2 + rank))
    y = net.add("pad", x, mode="constant", before=before, after=(0,) * rank, value=0.0)
    rewritten(net.finish(net.act(y, "tanh")), padding.run, changes=False)


def test_padding_stays_where_it_means_something_else():
    net = Net()
    x = net.input(None, 3, 5, 6)
    graph = net.finish(
        net.conv(_padded(net, x, value=1.0), 4),
        net.conv(_padded(net, x, mode="edge"), 4),
        net.conv(_padded(net, x, channels=1), 4),
        net.pool(_padded(net, x), 2, 1, "max"),
        net.pool(_padded(net, x), 2, 1, padding=(1, 0, 0, 0)),
    )
    rewritten(graph, padding.run, changes=False)
