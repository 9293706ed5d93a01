"""TFLite files of loops over the steps of a cell, and what they compute."""

from __future__ import annotations

import numpy as np
from tflite_writer import constant, model, tensor

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
