"""TFLite files of loops, and of layers that are one operator."""

from __future__ import annotations

import numpy as np
import pytest
from tflite_models import f
from tflite_writer import constant, model, tensor

import dwsep
from dwsep.errors import InvalidModelError, UnsupportedOperatorError

FEATURES, UNITS = 3, 4


class Parts:
    """A subgraph in the making."""

    def __init__(self):
        self.tensors, self.operators = [], []

    def given(self, name, shape, dtype="float32"):
        self.tensors.append(tensor(name, shape, dtype))
        return name

    def constant(self, array):
        self.tensors.append(constant(f"c{len(self.tensors)}", np.asarray(array)))
        return self.tensors[-1]["name"]

    def add(self, kind, inputs, *shapes, dtype="float32", **options):
        names = [self.given(f"v{len(self.tensors)}", shape, dtype) for shape in shapes]
        self.operators.append((kind, inputs, names, options))
        return names[0] if len(names) == 1 else names

    def number(self, value):
        return self.constant(np.int32(value))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Cell:
    """A cell as operators, and as NumPy has it, of one image."""

    states = 1

    def __init__(self, gates, seed=0):
        rng = np.random.default_rng(seed)
        self.w = rng.standard_normal((gates * UNITS, FEATURES)).astype(np.float32)
        self.r = rng.standard_normal((gates * UNITS, UNITS)).astype(np.float32) / 2
        self.b = rng.standard_normal((2, gates * UNITS)).astype(np.float32)
        self.width = gates * UNITS

    def product(self, b, x, weight, bias=None):
        weights = [b.constant(weight), "" if bias is None else b.constant(bias)]
        return b.add("FULLY_CONNECTED", [x, *weights], (1, self.width))

    def gates(self, b, total):
        count = self.width // UNITS
        return b.add("SPLIT", [b.number(1), total], *[(1, UNITS)] * count, num_splits=count)


class Lstm(Cell):
    states = 2

    def __init__(self, odd=False):
        super().__init__(4)
        self.odd = odd  # one that no layer of the core is

    def write(self, b, x, h, c):
        total = b.add("ADD", [self.product(b, x, self.w), self.product(b, h, self.r)], (1, 16))
        total = b.add("ADD", [total, b.constant(self.b[0])], (1, 16))
        gates = self.gates(b, total)
        i, k, o = (b.add("LOGISTIC", [gates[n]], (1, UNITS)) for n in (0, 1, 3))
        g = b.add("TANH", [gates[2]], (1, UNITS))
        if self.odd:
            g = b.add("ABS", [g], (1, UNITS))
        kept, new = b.add("MUL", [c, k], (1, UNITS)), b.add("MUL", [i, g], (1, UNITS))
        c = b.add("ADD", [new, kept], (1, UNITS))
        return b.add("MUL", [o, b.add("TANH", [c], (1, UNITS))], (1, UNITS)), c

    def step(self, x, h, c):
        i, k, g, o = np.split(x @ self.w.T + h @ self.r.T + self.b[0], 4)
        new = np.abs(np.tanh(g)) if self.odd else np.tanh(g)
        c = sigmoid(k) * c + sigmoid(i) * new
        return sigmoid(o) * np.tanh(c), c


class Gru(Cell):
    def __init__(self, after):
        super().__init__(3, seed=1)
        self.after = after

    def write(self, b, x, h):
        of_x = self.gates(b, self.product(b, x, self.w, self.b[0]))
        if self.after:
            of_h = self.gates(b, self.product(b, h, self.r, self.b[1]))
        else:
            self.width = 2 * UNITS
            of_h = self.gates(b, self.product(b, h, self.r[: 2 * UNITS], self.b[1, : 2 * UNITS]))
            self.width = 3 * UNITS
        z, r = (
            b.add("LOGISTIC", [b.add("ADD", [of_x[n], of_h[n]], (1, UNITS))], (1, UNITS))
            for n in (0, 1)
        )
        if self.after:
            part = b.add("MUL", [r, of_h[2]], (1, UNITS))
        else:
            reset = b.add("MUL", [r, h], (1, UNITS))
            matrix = [b.constant(self.r[2 * UNITS :]), b.constant(self.b[1, 2 * UNITS :])]
            part = b.add("FULLY_CONNECTED", [reset, *matrix], (1, UNITS))
        new = b.add("TANH", [b.add("ADD", [of_x[2], part], (1, UNITS))], (1, UNITS))
        rest = b.add("SUB", [b.constant(np.float32(1)), z], (1, UNITS))
        kept = b.add("MUL", [z, h], (1, UNITS))
        return (b.add("ADD", [kept, b.add("MUL", [rest, new], (1, UNITS))], (1, UNITS)),)

    def step(self, x, h):
        of_x = np.split(x @ self.w.T + self.b[0], 3)
        of_h = np.split(h @ self.r.T + self.b[1], 3)
        z, r = sigmoid(of_x[0] + of_h[0]), sigmoid(of_x[1] + of_h[1])
        last = r * of_h[2] if self.after else (r * h) @ self.r[8:].T + self.b[1, 8:]
        return (z * h + (1 - z) * np.tanh(of_x[2] + last),)


class Plain(Cell):
    def __init__(self):
        super().__init__(1)

    def write(self, b, x, h):
        total = [self.product(b, x, self.w, self.b[0]), self.product(b, h, self.r)]
        return (b.add("ADD", total, (1, UNITS), activation=1),)

    def step(self, x, h):
        return (np.maximum(x @ self.w.T + self.b[0] + h @ self.r.T, 0),)


def row_replaced(b, rows, item, index, following, steps):
    """Return a list of which one row is another, as the converter writes it."""
    rest = b.constant(np.int32([-1, -1]))
    place = b.add("RESHAPE", [index, b.constant(np.int32([1]))], (1,), dtype="int32")
    sizes = b.add("CONCATENATION", [place, rest], (3,), dtype="int32")
    before = b.add("SLICE", [rows, b.constant(np.int32([0, 0, 0])), sizes], (-1, 1, UNITS))
    place = b.add("RESHAPE", [following, b.constant(np.int32([1]))], (1,), dtype="int32")
    begin = b.add("CONCATENATION", [place, b.constant(np.int32([0, 0]))], (3,), dtype="int32")
    all_ = b.constant(np.int32([-1, -1, -1]))
    after = b.add("SLICE", [rows, begin, all_], (-1, 1, UNITS))
    item = b.add("RESHAPE", [item, b.constant(np.int32([1, 1, UNITS]))], (1, 1, UNITS))
    return b.add("CONCATENATION", [before, item, after], (steps, 1, UNITS))


def loop(cell, steps, limit=None, bound="LESS", computed=False):
    """Return the states of all steps, and the last state, of a loop over x (steps, 1, features)."""
    main, condition, body = Parts(), Parts(), Parts()
    shapes = [(), (), (steps, 1, UNITS), *[(1, UNITS)] * cell.states, (steps, 1, FEATURES)]
    types = ["int32", "int32", *["float32"] * (len(shapes) - 2)]
    for part in (condition, body):
        given = [part.given(f"a{n}", *v) for n, v in enumerate(zip(shapes, types, strict=True))]
    end = condition.number(steps if limit is None else limit)
    parts = [condition.add(bound, [n, end], (), dtype="bool") for n in given[:2]]
    goes_on = condition.add("LOGICAL_AND", parts, (), dtype="bool")
    count, index, rows, *states, x = given
    others = [body.add("ADD", [n, body.number(1)], (), dtype="int32") for n in (count, index)]
    row = body.add("GATHER", [x, index], (1, FEATURES))
    made = cell.write(body, row, *states)
    rows = row_replaced(body, rows, made[0], index, others[1], steps)
    x = main.given("x", shapes[-1])
    begin = main.number(0)
    if computed:
        begin = main.given("begin", (), "int32")
    zeros = [main.constant(np.zeros(shape, np.float32)) for shape in shapes[2:-1]]
    results = [main.given(f"r{n}", *v) for n, v in enumerate(zip(shapes, types, strict=True))]
    options = {"cond_subgraph_index": 1, "body_subgraph_index": 2}
    main.operators.append(("WHILE", [main.number(0), begin, *zeros, x], results, options))
    inside = [
        (condition.tensors, condition.operators, given, [goes_on]),
        (body.tensors, body.operators, given, [*others, rows, *made, given[-1]]),
    ]
    inputs = ["x", "begin"] if computed else ["x"]
    return model(main.tensors, main.operators, inputs, [results[2], results[3]], others=inside)


def states_of(cell, x, steps):
    state, made = [np.zeros(UNITS)] * cell.states, np.zeros((len(x), 1, UNITS))
    for step in range(steps):
        state = cell.step(x[step, 0].astype(np.float64), *state)
        made[step] = state[0]
    return made, state[0][None]


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
