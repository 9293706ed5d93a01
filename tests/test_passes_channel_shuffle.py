"""Shuffled channels are read from where they were computed."""

from __future__ import annotations

import numpy as np
import pytest
from graph_builder import Net, kinds, only, optimized, rewritten

from dwsep.graph.passes import channel_shuffle, depthwise, optimize


def _shuffle(net, x, groups):
    _, c, h, w = net.graph.shape(x)
    split = net.transpose(net.reshape(x, 0, groups, c // groups, h, w), 0, 2, 1, 3, 4)
    return net.reshape(split, 0, c, h, w)


def _part(net, x, start, stop):
    full = (None, None)
    return net.add(
        "slice", x, starts=(0, start, 0, 0), stops=(None, stop, *full), steps=(1, 1, 1, 1)
    )


def _unit(net, x):
    """ShuffleNet V2: half of the channels wait."""
    c = net.channels(x)
    left, right = _part(net, x, 0, c // 2), _part(net, x, c // 2, None)
    y = net.conv(right, c // 2, 1, activation="relu")
    y = net.conv(net.depthwise(y), c // 2, 1, activation="relu")
    return _shuffle(net, net.add("concat", left, y, axis=1), 2)


@pytest.mark.parametrize("channels", [8, 12, 20])  # odd halves and quarters as well
@pytest.mark.parametrize("units", [1, 2, 5])
def test_units_read_views(channels, units):
    net = Net()
    x = net.conv(net.input(None, 3, 4, 4), channels)
    for _ in range(units):
        x = _unit(net, x)
    # A unit that shrinks reads all channels twice.
    y = net.conv(net.depthwise(x, stride=2), 6, 1)
    z = net.conv(net.depthwise(net.conv(x, 8, 1), stride=2), 6, 1)
    y = net.add("concat", y, z, axis=1)
    graph = optimized(net.finish(net.conv(_shuffle(net, y, 2), 5)), optimize)
    assert kinds(graph).count("transpose") == 2  # those at the borders
    assert kinds(graph).count("inverted_residual") == units + 1
    assert kinds(graph).count("separable") == 1
    assert "reshape" not in kinds(graph)


def test_a_depthwise_convolution_with_several_filters_takes_any_order():
    net = Net()
    a, b = (net.conv(net.input(None, 3, 4, 4), 6) for _ in range(2))
    y = _shuffle(net, net.add("concat", a, b, axis=1), 3)
    y = net.conv(net.depthwise(y, multiplier=2), 5, activation="relu")
    graph = optimized(net.finish(y), optimize)
    assert kinds(graph)[4:-1] == ["concat", "depthwise", "standard"]
    assert only(graph, "depthwise").weights["weight"].shape == (3, 3, 12, 2)


@pytest.mark.parametrize("reader", ["output", "grouped", "activation", "pool", "residual"])
def test_who_needs_the_order_gets_it(reader):
    net = Net()
    x = net.conv(net.input(None, 3, 4, 4), 6)
    y = _shuffle(net, x, 3)
    outputs = {
        "output": lambda: [y, net.conv(y, 5)],
        "grouped": lambda: [net.conv(y, 6, groups=2)],
        "activation": lambda: [net.act(y, "tanh")],
        "pool": lambda: [net.conv(net.pool(net.depthwise(y)), 5)],
        "residual": lambda: [net.binary("add", net.conv(net.unary("abs", x), 6, 1), y)],
    }
    graph = optimized(net.finish(*outputs[reader]()), optimize)
    assert (0, 1, 2, 4, 3) in [n.attributes.get("perm") for n in graph.nodes]


def test_a_convolution_that_adds_what_it_reads_gets_the_order():
    net = Net(channels_last=True)
    x = net.conv(net.input(None, 4, 4, 3), 6)
    y = net.reshape(net.transpose(net.reshape(x, 0, 4, 4, 3, 2), 0, 1, 2, 4, 3), 0, 4, 4, 6)
    graph = net.finish(net.binary("add", net.conv(y, 6, 1), y))
    graph = optimized(graph, optimize)
    assert (0, 1, 2, 4, 3) in [n.attributes.get("perm") for n in graph.nodes]


def test_a_shuffle_that_a_convolution_also_adds_stays():
    net = Net(channels_last=True)
    x = net.conv(net.input(None, 4, 4, 3), 6)
    y = net.reshape(net.transpose(net.reshape(x, 0, 4, 4, 3, 2), 0, 1, 2, 4, 3), 0, 4, 4, 6)
    graph = net.finish(net.conv(y, 6, 1))
    graph.nodes[-1].inputs.append(y)
    depthwise.run(graph)
    rewritten(graph, channel_shuffle.run, changes=False)


@pytest.mark.parametrize("step", [2, -1])
def test_a_part_with_gaps_is_no_part_of_a_shuffle(step):
    net = Net(channels_last=True)
    x = net.conv(net.input(None, 4, 4, 3), 6)
    y = net.reshape(net.transpose(net.reshape(x, 0, 4, 4, 3, 2), 0, 1, 2, 4, 3), 0, 4, 4, 6)
    first = 0 if step > 0 else -1
    y = net.add("slice", y, starts=(0, 0, 0, first), stops=(None,) * 4, steps=(1, 1, 1, step))
    optimized(net.finish(net.conv(y, 5), net.conv(_rows_mixed(net, x), 5)), optimize)


def _rows_mixed(net, x):
    """Transpose what is no split of the channels alone: (4, 6) as (8, 3)."""
    split = net.transpose(net.reshape(x, 0, 4, 8, 3), 0, 1, 3, 2)
    return net.reshape(split, 0, 4, 4, 6)


def test_a_depthwise_convolution_that_is_read_in_order_stays():
    net = Net(channels_last=True)
    x = net.conv(net.input(None, 4, 4, 3), 6)
    y = net.reshape(net.transpose(net.reshape(x, 0, 4, 4, 3, 2), 0, 1, 2, 4, 3), 0, 4, 4, 6)
    graph = net.finish(net.conv(net.pool(net.depthwise(y)), 5))
    depthwise.run(graph)
    rewritten(graph, channel_shuffle.run, changes=False)


def test_shuffled_channels_next_to_others_are_read_from_their_place():
    net = Net(channels_last=True)
    x, z = (net.conv(net.input(None, 4, 4, 3), 6) for _ in range(2))
    y = net.reshape(net.transpose(net.reshape(x, 0, 4, 4, 3, 2), 0, 1, 2, 4, 3), 0, 4, 4, 6)
    graph = optimized(net.finish(net.conv(net.add("concat", y, z, axis=3), 5)), optimize)
    assert "transpose" not in kinds(graph)


@pytest.mark.parametrize("pieces", [16, 17])
def test_channels_in_more_than_sixteen_pieces_are_shuffled(pieces):
    net = Net()
    x = net.conv(net.input(None, 3, 4, 4), 80)
    y = _part(net, _shuffle(net, x, 40), 0, pieces)  # every other channel
    graph = optimized(net.finish(net.conv(y, 3)), optimize)
    shuffled = (0, 1, 2, 4, 3) in [n.attributes.get("perm") for n in graph.nodes]
    assert shuffled == (pieces > 16)
    assert ("concat" in kinds(graph)) == (pieces <= 16)


def test_channels_that_lie_in_order_already_are_read_as_they_lie():
    net = Net(channels_last=True)
    x = net.conv(net.input(None, 4, 4, 3), 6)
    y = net.reshape(net.transpose(net.reshape(x, 0, 4, 4, 3, 2), 0, 1, 2, 4, 3), 0, 4, 4, 6)
    graph = rewritten(net.finish(net.conv(y, 5, 1)), depthwise.run, channel_shuffle.run)
    assert kinds(graph) == ["standard", "pointwise"]


def test_a_part_of_the_batch_is_no_part_of_the_channels():
    net = Net(channels_last=True)
    x = net.conv(net.input(None, 4, 4, 3), 6)
    y = net.reshape(net.transpose(net.reshape(x, 0, 4, 4, 3, 2), 0, 1, 2, 4, 3), 0, 4, 4, 6)
    one_each = net.add("slice", net.input(None), starts=(0,), stops=(None,), steps=(1,))
    graph = net.finish(net.conv(y, 5, 1), net.act(one_each, "tanh"))
    rewritten(graph, depthwise.run, channel_shuffle.run)


def test_no_shuffle_no_change():
    net = Net()
    x = net.conv(net.input(None, 3, 4, 4), 6)
    y = net.add("concat", _part(net, x, 3, 6), _part(net, x, 0, 3), axis=1)
    graph = optimized(net.finish(net.conv(y, 5)), optimize)
    assert np.array_equal(kinds(graph)[2:-1], ["slice", "slice", "concat", "standard"])
