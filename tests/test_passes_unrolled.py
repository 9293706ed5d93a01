"""Recurrent layers that are written step by step become one node."""

from __future__ import annotations

import numpy as np
import pytest
from graph_builder import Net, kinds, only, rewritten

from dwsep.graph.passes import constants, unrolled

FEATURES, UNITS = 5, 4


class Weights:
    """Of a layer: those of the input, those of the state, and their biases."""

    def __init__(self, net, gates, biases=True):
        columns = gates * UNITS
        self.input = net.random(FEATURES, columns), net.random(columns) * biases
        self.state = net.random(UNITS, columns), net.random(columns) * biases


def product(net, x, weights):
    weight, bias = weights
    given = {"weight": weight} | ({"bias": bias} if bias.any() else {})
    return net.add("dense", x, weights=given, activation=None)


def gate(net, rows, number):
    start, stop = number * UNITS, (number + 1) * UNITS
    return net.add("slice", rows, starts=(0, start), stops=(None, stop), steps=(1, 1))


def both(net, function, a, b, swap):
    return net.binary(function, *((b, a) if swap else (a, b)))


def lstm(net, w, x, state, cells, style="keras", wrong=()):
    """One step, gates in the order of Keras: i, f, c, o."""
    swap = style == "swapped"
    of_input = product(net, x, w.input)
    of_state = None if state is None else product(net, state, w.state)
    if style == "gates first":
        first = [gate(net, of_input, n) for n in range(4)]
        if of_state is None:
            second = [w.state[1][n * UNITS : (n + 1) * UNITS] for n in range(4)]
        else:
            second = [gate(net, of_state, n) for n in range(4)]
        i, f, g, o = (net.binary("add", a, b) for a, b in zip(first, second, strict=True))
    else:
        if of_state is not None and style == "keras":
            flat = net.graph.shape(of_state)[0] == 1
            of_state = net.reshape(of_state, 4 * UNITS) if flat else of_state
        rows = of_input
        if of_state is not None or w.state[1].any():
            rows = both(net, "add", rows, w.state[1] if of_state is None else of_state, swap)
        i, f, g, o = (gate(net, rows, n) for n in range(4))
    name = "relu" if "gate" in wrong else "sigmoid"
    new = both(net, "mul", net.act(i, name), net.act(g, "tanh"), swap)
    if cells is not None:
        new = both(net, "add", net.binary("mul", net.act(f, "sigmoid"), cells), new, swap)
    return both(net, "mul", net.act(o, "sigmoid"), net.act(new, "tanh"), swap), new


def gru(net, w, x, state, cells=None, style="keras", wrong=()):
    """One step, gates in the order z, r, h; the state is reset behind its product."""
    swap = style == "swapped"
    of_input = product(net, x, w.input)
    a = [gate(net, of_input, n) for n in range(3)]
    bias = [w.state[1][n * UNITS : (n + 1) * UNITS] for n in range(3)]
    of_state = None if state is None else product(net, state, w.state)
    b = bias if of_state is None else [gate(net, of_state, n) for n in range(3)]
    zeros = of_state is None and not w.state[1].any()
    z = net.act(a[0] if zeros else both(net, "add", a[0], b[0], swap), "sigmoid")
    if zeros:
        inner = a[2]
    else:
        r = net.act(both(net, "add", a[1], b[1], swap), "sigmoid")
        inner = both(net, "add", a[2], both(net, "mul", r, b[2], swap), swap)
    rest = net.binary("sub", 2.0 if "one" in wrong else 1.0, z)
    new = both(net, "mul", rest, net.act(inner, "tanh"), swap)
    if state is not None:
        new = both(net, "add", net.binary("mul", z, state), new, swap)
    return new, None


CELLS = {"lstm": (lstm, 4), "gru": (gru, 3)}


def unroll(net, cell, inputs, weights, **options):
    """Return the states of all steps, and the last cells."""
    step, states, cells = CELLS[cell][0], [], None
    for x in inputs:
        state, cells = step(net, weights, x, states[-1] if states else None, cells, **options)
        states.append(state)
    return states, cells


def rows_of(net, x, steps):
    """Return the steps of (steps, 1, features), as `unstack` gives them."""
    parts = [
        net.add("slice", x, starts=(n, 0, 0), stops=(n + 1, None, None), steps=(1, 1, 1))
        for n in range(steps)
    ]
    return [net.reshape(part, 1, net.graph.shape(x)[2]) for part in parts]


STYLES = [("keras", True), ("keras", False), ("swapped", True), ("swapped", False)]


@pytest.mark.parametrize(("style", "biases"), [*STYLES, ("gates first", True)])
@pytest.mark.parametrize("batch", [1, 3, None])
@pytest.mark.parametrize("cell", CELLS)
def test_steps_become_a_layer(cell, batch, style, biases):
    net = Net()
    inputs = [net.input(batch, FEATURES) for _ in range(4)]
    weights = Weights(net, CELLS[cell][1], biases)
    states, _ = unroll(net, cell, inputs, weights, style=style)
    graph = rewritten(net.finish(states[-1]), constants.run, unrolled.run)
    layer = only(graph, "recurrent")
    assert layer.attributes["cell"] == cell
    assert kinds(graph).count("dense") == 0
    assert {*kinds(graph)} == {"reshape", "concat", "recurrent", "slice"}


@pytest.mark.parametrize("cell", CELLS)
def test_sequences_and_all_states_are_read_where_they_lie(cell):
    net = Net()
    x = net.input(4, 1, FEATURES)
    states, _ = unroll(net, cell, rows_of(net, x, 4), Weights(net, CELLS[cell][1]))
    joined = net.add("concat", *(net.reshape(h, 1, 1, UNITS) for h in states), axis=0)
    graph = rewritten(net.finish(joined), unrolled.run)
    assert kinds(graph) == ["recurrent", "slice", "reshape"]
    assert only(graph, "recurrent").inputs == [x]


def test_a_layer_follows_a_layer():
    net = Net()
    x = net.input(5, 1, FEATURES)
    states, _ = unroll(net, "gru", rows_of(net, x, 5), Weights(net, 3))
    deeper = [net.dense(h, FEATURES) for h in states]
    last, cells = unroll(net, "lstm", deeper, Weights(net, 4))
    graph = rewritten(net.finish(states[1], last[2], last[4], cells), unrolled.run)
    assert kinds(graph).count("recurrent") == 2


def test_the_states_of_a_layer_may_be_the_inputs_of_the_next():
    net = Net()
    inputs = [net.input(1, FEATURES) for _ in range(3)]
    below, _ = unroll(net, "lstm", inputs, Weights(net, 4))
    weights = Weights(net, 4)
    weights.input = net.random(UNITS, 4 * UNITS), net.random(4 * UNITS)
    states, _ = unroll(net, "lstm", below, weights)
    graph = rewritten(net.finish(states[-1]), unrolled.run)
    assert kinds(graph).count("recurrent") == 2
    assert kinds(graph).count("dense") == 0


@pytest.mark.parametrize(
    ("cell", "wrong"), [("lstm", "gate"), ("gru", "one"), ("lstm", "steps"), ("gru", "steps")]
)
def test_other_steps_stay(cell, wrong):
    net = Net()
    inputs = [net.input(2, FEATURES) for _ in range(2 if wrong == "steps" else 4)]
    states, _ = unroll(net, cell, inputs, Weights(net, CELLS[cell][1]), wrong=wrong)
    rewritten(net.finish(states[-1]), unrolled.run, changes=False)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("part", ["input", "state", "bias"])
@pytest.mark.parametrize("step", [0, 2])
def test_steps_with_other_weights_are_no_layer(cell, part, step):
    net = Net()
    run, gates = CELLS[cell]
    weights, other = Weights(net, gates), Weights(net, gates)
    other.input = (other if part == "input" else weights).input[0], weights.input[1]
    other.state = (other if part == "state" else weights).state[0], weights.state[1]
    if part == "bias":
        other.input = other.input[0], other.input[1] + np.float32(0.5)
    state = cells = None
    for number in range(3):
        x = net.input(2, FEATURES)
        state, cells = run(net, other if number == step else weights, x, state, cells)
    changes = part == "state" and step == 0  # which has none
    rewritten(net.finish(state), unrolled.run, changes=changes)


@pytest.mark.parametrize("cell", CELLS)
def test_inputs_that_a_step_before_has_made_stay(cell):
    net = Net()
    run, gates = CELLS[cell]
    weights, x, state, cells = Weights(net, gates), net.input(2, FEATURES), None, None
    for _ in range(4):
        state, cells = run(net, weights, x, state, cells)
        x = net.act(net.dense(state, FEATURES), "relu")
    rewritten(net.finish(state), unrolled.run, changes=False)


def test_cells_that_others_read_on_the_way_are_still_computed():
    net = Net()
    inputs = [net.input(2, FEATURES) for _ in range(4)]
    weights, state, cells, seen = Weights(net, 4), None, None, []
    for x in inputs:
        state, cells = lstm(net, weights, x, state, cells)
        seen.append(cells)
    graph = net.finish(state, seen[1], seen[3])
    rewritten(graph, unrolled.run)


def test_functions_of_one_number_are_no_steps():
    net = Net()
    x = net.reduce(net.input(2, FEATURES), (0, 1), keepdims=False)
    z, new = net.act(x, "sigmoid"), net.act(x, "tanh")
    y = net.binary(
        "add", net.binary("mul", z, x), net.binary("mul", net.binary("sub", 1.0, z), new)
    )
    rewritten(net.finish(y, net.binary("mul", z, new)), unrolled.run, changes=False)


@pytest.mark.parametrize("twice", [True, False])
def test_sums_of_many_terms_are_no_steps(twice):
    net = Net()
    x = net.input(2, FEATURES)
    z, total = net.act(net.dense(x, UNITS), "sigmoid"), net.dense(x, UNITS)
    term = total
    for _ in range(60 if twice else 2000):
        total = net.binary("add", total, total if twice else term)
    y = net.binary("mul", net.binary("sub", 1.0, z), net.act(total, "tanh"))
    rewritten(net.finish(y), unrolled.run, changes=False)


def test_the_rest_of_a_gate_has_no_activation():
    net = Net()
    inputs = [net.input(2, FEATURES) for _ in range(4)]
    states, _ = unroll(net, "gru", inputs, Weights(net, 3))
    for node in net.graph.nodes:
        if node.kind == "binary" and node.attributes["function"] == "sub":
            node.attributes["activation"] = "tanh"
    rewritten(net.finish(states[-1]), unrolled.run, changes=False)
