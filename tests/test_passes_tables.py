"""Functions of one int8 value become tables, which convolutions look up themselves."""

from __future__ import annotations

import numpy as np
import pytest
from graph_builder import kinds
from test_passes_integers import Quantized, rewritten

from dwsep.graph.passes import constants, finish, integer_steps, integer_tables


def hard_swish(net, x):
    """As files have it: x times a gate, rounded in between."""
    gate = net.quantize(net.act(x, "hard_sigmoid"), 1 / 255, -128)
    return net.binary("mul", x, gate)


FUNCTIONS = {
    "activation": lambda net, x: net.act(x, "silu"),
    "numbers": lambda net, x: net.binary("mul", net.binary("add", x, 0.3), np.full((1, 1), 0.7)),
    "unary": lambda net, x: net.unary("abs", x),
    "gate": hard_swish,
    "square": lambda net, x: net.binary("mul", x, x),
    "requantized": lambda net, x: x,
    "twice": lambda net, x: net.quantize(net.act(x, "tanh"), 0.01, 3),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("to", ["int8", "uint8"])
def test_a_function_of_one_value_is_a_table(name, to):
    net = Quantized()
    x = net.quantize(net.input(None, 6, 7, 5), 0.04, 131 if to == "uint8" else 3, to)
    y = net.quantize(
        FUNCTIONS[name](net, x),
        0.03,
        90 if to == "int8" else -38,
        "uint8" if to == "int8" else "int8",
    )
    graph = net.finish(y)
    graph = rewritten(graph, integer_tables.run, step=0)  # not one value differs
    assert kinds(graph) == ["quantize", "table", "dequantize"]


def test_functions_of_two_values_and_of_channels_are_none():
    net = Quantized()
    x, z = (net.quantize(net.input(None, 6, 7, 5), scale) for scale in (0.05, 0.06))
    per_channel = net.quantize(net.binary("mul", x, net.random(5)))
    y = net.quantize(net.binary("add", x, z))
    assert not integer_tables.run(net.finish(per_channel, y))


def test_numbers_that_change_no_integer_are_no_step():
    """Between convolutions, of each channel: the next one reads what the first has stored."""
    net = Quantized()
    x = net.quantize(net.input(None, 6, 7, 5))
    scales, zeros = np.linspace(0.05, 0.1, 6), np.arange(-3, 3)
    y = net.convolution("pointwise", x, activation="hard_swish")
    y = net.binary("mul", net.quantize(y, scales, zeros, axis=3), 0.5)
    y = net.quantize(y, (scales / 2).astype(np.float32), zeros, axis=3)
    steps = (scales / 2).astype(np.float32)
    y = net.quantize(net.binary("add", y, 1e-9), steps, zeros, axis=3)
    y = net.quantize(net.convolution("depthwise", y), 0.1, 4)
    graph = rewritten(net.finish(y), integer_tables.run, integer_steps.run, step=0.1)
    assert kinds(graph) == ["quantize", "pointwise", "reinterpret", "depthwise", "dequantize"]


def test_numbers_that_change_integers_of_channels_stay():
    net = Quantized()
    x = net.quantize(net.input(None, 6, 7, 5))
    scales, zeros = np.linspace(0.05, 0.1, 6), np.arange(-3, 3)
    y = net.quantize(net.convolution("pointwise", x), scales, zeros, axis=3)
    y = net.quantize(net.binary("mul", y, 0.7), scales, zeros, axis=3)
    assert not integer_tables.run(net.finish(y))


def test_rows_of_numbers_with_scales_of_their_own_stay():
    net = Quantized()
    scales, zeros = np.linspace(0.05, 0.1, 6), np.arange(-3, 3)
    x = net.quantize(net.input(6), scales, zeros, axis=0)
    assert not integer_tables.run(
        net.finish(net.quantize(net.act(x, "relu"), scales, zeros, axis=0))
    )


def test_inner_results_that_others_read_are_tables_of_the_first():
    net = Quantized()
    x = net.quantize(net.input(None, 6, 7, 5))
    inner = net.quantize(net.act(x, "tanh"), 0.01, 3)
    y = net.quantize(net.act(inner, "relu"), 0.02, 5)
    graph = rewritten(net.finish(inner, y), integer_tables.run, step=0)
    assert kinds(graph) == ["quantize", "table", "dequantize", "table", "dequantize"]
    assert [n.inputs for n in graph.nodes if n.kind == "table"] == [[graph.nodes[0].output]] * 2


@pytest.mark.parametrize("kind", ["pointwise", "depthwise", "standard"])
@pytest.mark.parametrize("types", [("int8", "int8"), ("int8", "uint8"), ("uint8", "int8")])
def test_a_convolution_looks_its_result_up(kind, types):
    net = Quantized()
    x = net.quantize(net.input(None, 6, 7, 5))
    zeros = {"int8": -9, "uint8": 119}
    y = net.convolution(kind, x, activation="relu6")
    y = net.quantize(y, 0.03, zeros[types[0]], types[0])
    y = net.quantize(hard_swish(net, y), 0.02, zeros[types[1]], types[1])
    passes = (integer_tables.run, integer_steps.run, integer_tables.fuse)
    graph = rewritten(net.finish(y), *passes, step=0.04)
    assert kinds(graph) == ["quantize", kind, "dequantize"]
    assert graph.nodes[1].weights["table"].shape == (256,)


def test_a_result_that_others_read_is_looked_up_by_itself():
    net = Quantized()
    y = net.convolution("pointwise", net.quantize(net.input(None, 6, 7, 5)))
    y = net.quantize(y, 0.03, -9)
    graph = net.finish(net.quantize(hard_swish(net, y), 0.02, -9), y)
    finish(graph)
    constants.run(graph)
    assert sorted(kinds(graph)) == ["dequantize", "dequantize", "pointwise", "quantize", "table"]


def test_an_activation_that_is_no_clip_is_rounded_once():
    """A table behind it would round twice."""
    net = Quantized()
    y = net.convolution("pointwise", net.quantize(net.input(None, 6, 7, 5)), activation="silu")
    y = net.quantize(net.act(net.quantize(y, 0.03, -9), "tanh"), 0.01, 0)
    graph = net.finish(y)
    finish(graph)
    assert kinds(graph) == ["quantize", "pointwise", "table", "dequantize"]
