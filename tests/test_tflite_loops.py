"""TFLite files of loops, and of layers that are one operator."""

from __future__ import annotations

import numpy as np
import pytest
from tflite_loop_models import (
    FEATURES,
    UNITS,
    Gru,
    Lstm,
    Parts,
    Plain,
    loop,
    row_replaced,
    sigmoid,
    states_of,
)
from tflite_models import f
from tflite_writer import constant, model, tensor

import dwsep
from dwsep.errors import InvalidModelError, UnsupportedOperatorError

CELLS = {
    "lstm": Lstm(),
    "gru": Gru(after=False),
    "gru_after": Gru(after=True),
    "plain": Plain(),
    "odd": Lstm(odd=True),
}


@pytest.mark.parametrize("limit", [None, 5])
@pytest.mark.parametrize("name", CELLS)
def test_loops_over_steps(name, limit):
    """Cells that the core knows are its layers; the steps of others come one after the other."""
    cell, x = CELLS[name], f(7, 1, FEATURES)
    network = dwsep.load(loop(cell, 7, limit))
    for got, wanted in zip(network(x), states_of(cell, x, limit or 7), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=2e-6)
    kernels = sum(row.kind == "recurrent" for row in network.summary().rows)
    assert kernels == (1 if limit is None and name != "odd" else 0)


def test_one_step():
    x = f(1, 1, FEATURES)
    for got, wanted in zip(
        dwsep.load(loop(CELLS["lstm"], 1))(x), states_of(CELLS["lstm"], x, 1), strict=True
    ):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=2e-6)


class Lacking(Plain):
    """A cell whose sum has one operand."""

    def write(self, b, x, h):
        return (b.add("ADD", [self.product(b, x, self.w), ""], (1, UNITS)),)


def test_loops_that_are_refused():
    with pytest.raises(InvalidModelError, match="input 1 is missing"):
        dwsep.load(loop(Lacking(), 5))
    with pytest.raises(UnsupportedOperatorError, match="the network decides how often it runs"):
        dwsep.load(loop(CELLS["lstm"], 5, computed=True))
    with pytest.raises(UnsupportedOperatorError, match="have more than 32768 operators"):
        dwsep.load(loop(CELLS["odd"], 2000))
    with pytest.raises(UnsupportedOperatorError, match="SVDF"):
        dwsep.load(loop(CELLS["lstm"], 5, bound="SVDF"))
    main = [tensor("x", (2,)), tensor("y", (2,))]
    options = {"cond_subgraph_index": 1, "body_subgraph_index": 1}
    with pytest.raises(InvalidModelError, match="its condition or its body does not fit"):
        dwsep.load(
            model(main, [("WHILE", ["x"], ["y"], options)], ["x"], ["y"], others=[([], [], [], [])])
        )


def fused(steps=6, batch=2, clip=0.0, time_major=False, absent=(), **options):
    """Return a layer that is one operator, with its weights in TFLite's order of gates."""
    rng = np.random.default_rng(3)
    shapes = [(UNITS, FEATURES)] * 4 + [(UNITS, UNITS)] * 4 + [(UNITS,)] * 4
    weights = [rng.standard_normal(s).astype(np.float32) * 2 for s in shapes]
    names = [f"w{n}" for n in range(12)]
    x_shape = (steps, batch, FEATURES) if time_major else (batch, steps, FEATURES)
    tensors = [
        tensor("x", x_shape),
        *(constant(n, w) for n, w in zip(names, weights, strict=True)),
        tensor("h", (batch, UNITS)),
        tensor("c", (batch, UNITS)),
        constant("more", np.zeros(UNITS, np.float32)),
        tensor("y", (*x_shape[:2], UNITS)),
    ]
    inputs = ["x", *names[:8], "", "", "", *names[8:], "", "", "h", "c", "", "", "", ""]
    for index, name in dict(absent).items():
        inputs[index] = name
    attributes = {"activation": 4, "cell_clip": clip, "time_major": time_major, **options}
    operators = [("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, ["y"], attributes)]
    return model(tensors, operators, ["x"], ["y"]), weights


@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize("clip", [0.0, 0.6])
def test_layers_that_are_one_operator(clip, time_major):
    data, weights = fused(clip=clip, time_major=time_major)
    w, r, b = (np.stack(weights[n : n + 4]).astype(np.float64) for n in (0, 4, 8))
    x = f(6, 2, FEATURES)
    h = c = np.zeros((2, UNITS))
    wanted = []
    for row in x:
        i, k, g, o = (row @ w[n].T + h @ r[n].T + b[n] for n in range(4))
        c = sigmoid(k) * c + sigmoid(i) * np.tanh(g)
        c = np.clip(c, -clip, clip) if clip else c
        h = sigmoid(o) * np.tanh(c)
        wanted.append(h)
    got = dwsep.load(data)(x if time_major else np.ascontiguousarray(x.transpose(1, 0, 2)))
    wanted = np.stack(wanted, axis=0 if time_major else 1)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=2e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"absent": {9: "more"}}, "it has peepholes"),
        ({"absent": {16: "w4"}}, "it has a projection"),
        ({"absent": {20: "more"}}, "it has normalized gates"),
        ({"absent": {1: ""}}, "its gates of input and forgetting are coupled"),
        ({"activation": 1}, "its activation 1 is not tanh"),
        ({"clip": -1.0}, "cell_clip: need a finite number of at least 0, got -1.0"),
        ({"absent": {2: "w5"}}, "its gates have weights of different shapes"),
    ],
)
def test_layers_that_are_refused(change, message):
    data, _ = fused(**change)
    with pytest.raises((UnsupportedOperatorError, InvalidModelError), match=message):
        dwsep.load(data)


def test_a_loop_whose_body_is_its_own_is_refused():
    given = [tensor("a", (), "int32"), tensor("x", (2,))]
    made = [tensor("b", (), "int32"), tensor("y", (2,))]
    condition = [*given, constant("three", np.int32(3)), tensor("c", (), "bool")]
    node = ("WHILE", ["a", "x"], ["b", "y"], {"cond_subgraph_index": 1, "body_subgraph_index": 2})
    others = [
        (condition, [("LESS", ["a", "three"], ["c"], {})], ["a", "x"], ["c"]),
        (given + made, [node], ["a", "x"], ["b", "y"]),
    ]
    main = [constant("a", np.int32(0)), given[1], *made]
    with pytest.raises(UnsupportedOperatorError, match="more than 50 graphs are inside one"):
        dwsep.load(model(main, [node], ["x"], ["y"], others=others))


class Squared(Plain):
    """A cell that is no layer, and whose state is squared over and over."""

    def write(self, b, x, h):
        for _ in range(40):
            h = b.add("MUL", [h, h], (1, UNITS))
        total = [self.product(b, x, self.w, self.b[0]), self.product(b, h, self.r)]
        return (b.add("ADD", total, (1, UNITS), activation=1),)

    def step(self, x, h):
        return super().step(x, h * 0)


def test_formulas_of_many_formulas_are_no_cells():
    cell, x = Squared(), f(3, 1, FEATURES) / 100
    cell.b *= 0.01
    for got, wanted in zip(dwsep.load(loop(cell, 3))(x), states_of(cell, x, 3), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=2e-6)


@pytest.mark.parametrize("what", ["before", "after"])
def test_lists_that_others_are_too_are_no_lists(what):
    """What would be left out of the body is another output of it."""
    main, condition, body = Parts(), Parts(), Parts()
    shapes = [(), (2, 1, UNITS), (2, 1, UNITS)]
    types = ["int32", "float32", "float32"]
    for part in (condition, body):
        given = [part.given(f"a{n}", *v) for n, v in enumerate(zip(shapes, types, strict=True))]
    goes_on = condition.add("LESS", [given[0], condition.number(2)], (), dtype="bool")
    index, rows, _ = given
    following = body.add("ADD", [index, body.number(1)], (), dtype="int32")
    item = body.constant(np.ones((1, UNITS), np.float32))
    made = row_replaced(body, rows, item, index, following, 2)
    other = rows if what == "before" else made
    x = main.given("x", shapes[1])
    results = [main.given(f"r{n}", *v) for n, v in enumerate(zip(shapes, types, strict=True))]
    options = {"cond_subgraph_index": 1, "body_subgraph_index": 2}
    main.operators.append(("WHILE", [main.number(0), x, x], results, options))
    inside = [
        (condition.tensors, condition.operators, given, [goes_on]),
        (body.tensors, body.operators, given, [following, made, other]),
    ]
    with pytest.raises(InvalidModelError, match="begin and size"):
        dwsep.load(model(main.tensors, main.operators, ["x"], results[1:], others=inside))
