"""Images that are taken as they lie in memory, and inputs that stay as in the file."""

from __future__ import annotations

import pytest
from graph_builder import TO_NCHW, Net, kinds, optimized, transposes

from dwsep.graph.passes import optimize


def test_inputs_can_be_declared_nhwc():
    net = Net()
    x = net.input(None, 3, 6, 5)
    other = net.input(None, 6, 5, 4)  # NHWC in the file already
    y = net.binary("add", net.conv(net.binary("mul", x, 2.0), 4), net.transpose(other, *TO_NCHW))
    graph = optimized(net.finish(net.reduce(y, (2, 3))), optimize, input_layout="NHWC")
    assert graph.shape("x0") == (None, 6, 5, 3)
    assert graph.shape("x1") == (None, 6, 5, 4)
    assert not transposes(graph)


def test_an_input_of_one_channel_can_be_declared_nhwc():
    net = Net()
    y = net.conv(net.input(None, 1, 6, 5), 4)
    graph = optimized(net.finish(net.reduce(y, (2, 3))), optimize, input_layout="NHWC")
    assert graph.shape("x0") == (None, 6, 5, 1)
    assert kinds(graph) == ["standard", "reduce", "reshape"]


def test_an_input_of_one_channel_that_is_only_flattened_stays_as_in_the_file():
    net = Net()
    y = net.conv(net.input(None, 3, 6, 5), 4)
    z = net.dense(net.reshape(net.input(None, 1, 6, 5), 0, 30), 2)
    graph = optimized(net.finish(y, z), optimize, input_layout="NHWC")
    assert graph.shape("x0") == (None, 6, 5, 3)
    assert graph.shape("x1") == (None, 1, 6, 5)


def test_an_input_that_is_also_read_as_it_is_is_turned_back_for_that():
    net = Net()
    x = net.input(None, 3, 6, 5)
    y = net.add("matmul", x, net.constant(net.random(5, 2)))
    graph = optimized(net.finish(net.conv(x, 4), y), optimize, input_layout="NHWC")
    assert graph.shape("x0") == (None, 6, 5, 3)


def test_an_input_that_no_operator_on_images_reads_stays_as_in_the_file():
    net = Net()
    y = net.conv(net.input(None, 3, 6, 5), 4)
    mask = net.input(None, 2, 6, 5)
    z = net.add("matmul", mask, net.constant(net.random(5, 2)))
    graph = optimized(net.finish(y, z), optimize, input_layout="NHWC")
    assert graph.shape("x0") == (None, 6, 5, 3)
    assert graph.shape("x1") == (None, 2, 6, 5)


def test_another_input_layout_is_refused():
    net = Net()
    with pytest.raises(ValueError, match="input_layout: need None or 'NHWC', got 'NCHW'"):
        optimize(net.finish(net.conv(net.input(None, 3, 5, 5), 4)), input_layout="NCHW")
