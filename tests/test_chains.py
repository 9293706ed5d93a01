"""Steps in a row, computed part by part, leave the bits that each leaves by itself."""

import numpy as np
import pytest
from small_networks import Builder

import dwsep

pytestmark = pytest.mark.kernels

UNARY = ("exp", "abs", "sin", "neg", "softplus")
BINARY = ("add", "mul", "sub", "max", "elu")
# Smaller than a part, larger, cut along each axis, with leading ones, with a last axis that is cut.
SHAPES = [
    (3,),
    (1, 5, 7),
    (3, 40, 50, 7),
    (300, 129),
    (2, 70_001),
    (1, 1, 30_000),
    (9000, 3),
    (2, 3, 4, 1, 11, 13),
]
OTHERS = ("whole", "scalar", "row", "column", "ones")


def other(rng, shape, kind):
    sizes = {
        "whole": shape,
        "scalar": (),
        "row": shape[-1:],
        "column": (*shape[:-1], 1),
        "ones": tuple(n if i % 2 else 1 for i, n in enumerate(shape)),
    }[kind]
    return rng.standard_normal(sizes).astype(np.float32)


def alone(kind, function, *arrays):
    b = Builder()
    inputs = [b.core.input(f"x{i}", a.shape) for i, a in enumerate(arrays)]
    return dwsep.Model(b.finish(y=b.step(kind, inputs, {"function": function})))(*arrays)


def random_chain(seed):
    """Return a network, its inputs and what it should give: values are read again later on."""
    rng = np.random.default_rng(seed)
    shape = SHAPES[seed % len(SHAPES)]
    arrays = [rng.standard_normal(shape, dtype=np.float32)]
    arrays += [other(rng, shape, kind) for kind in OTHERS]
    b = Builder()
    inputs = [b.core.input(f"x{i}", a.shape) for i, a in enumerate(arrays)]
    values, known = [inputs[0]], [arrays[0]]
    for _ in range(rng.integers(2, 22)):
        i = max(0, len(values) - rng.integers(1, 4))
        if rng.random() < 0.4:
            function = str(rng.choice(UNARY))
            values.append(b.step("unary", [values[i]], {"function": function}))
            known.append(alone("unary", function, known[i]))
            continue
        function, j = str(rng.choice(BINARY)), int(rng.integers(0, len(inputs) + len(values)))
        second, array = (
            (inputs[j], arrays[j])
            if j < len(inputs)
            else (values[j - len(inputs)], known[j - len(inputs)])
        )
        values.append(b.step("binary", [values[i], second], {"function": function}))
        known.append(alone("binary", function, known[i], array))
    shown = {len(values) - 1, *rng.integers(1, len(values), 1).tolist()}
    network = b.finish(**{f"y{i}": values[i] for i in shown})
    return network, arrays, [known[i] for i in shown]


@pytest.mark.parametrize("seed", range(32))
def test_the_same_bits(seed):
    network, arrays, wanted = random_chain(seed)
    model = dwsep.Model(network)
    for threads in (1, 2, 3):
        got = model(*arrays, num_threads=threads)
        got = got if isinstance(got, tuple) else (got,)
        for y, expected in zip(got, wanted, strict=True):
            np.testing.assert_array_equal(y, expected)


# Of a, b, what lies between, and the last operand; all scores exceed a level-2 cache of 2 MB.
PRODUCTS = {
    "heads": ((2, 3, 300, 20), (2, 3, 20, 301), ("mask", "softmax"), (2, 3, 301, 24)),
    "no softmax": ((4, 500, 8), (4, 8, 577), ("exp",), (4, 577, 40)),
    "nothing between": ((2, 2, 577, 64), (2, 2, 64, 577), (), (2, 2, 577, 64)),
    "one a for all": ((390, 16), (4, 16, 400), ("softmax", "row"), (4, 400, 7)),
    "few rows": ((4, 7, 4), (4, 4, 30_001), ("softmax",), (4, 30_001, 9)),
    "one matrix": ((777, 33), (33, 801), ("scale", "softmax"), (801, 17)),
    "three matrices": ((3, 500, 8), (3, 8, 577), ("softmax",), (3, 577, 40)),
    "one b for all": ((4, 390, 16), (16, 400), ("softmax",), (4, 400, 5)),
    "one last for all": ((4, 390, 16), (4, 16, 400), ("softmax",), (400, 7)),
    "more matrices at last": ((1, 4, 400, 4), (1, 4, 4, 401), ("softmax",), (3, 4, 401, 9)),
    "another axis": ((4, 420, 8), (4, 8, 421), ("axis",), (4, 421, 9)),
    "shown": ((4, 420, 8), (4, 8, 421), ("softmax", "shown"), (4, 421, 9)),
    "by itself": ((4, 400, 8), (4, 8, 400), ("softmax",), None),
}
JOINED = ("heads", "no softmax", "nothing between", "one a for all", "few rows")


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_leave_the_bits_of_single_steps(name):
    a, b, between, last = PRODUCTS[name]
    rng = np.random.default_rng(len(name))
    scores = (*np.broadcast_shapes(a[:-2], b[:-2]), a[-2], b[-1])
    arrays = {"a": rng.standard_normal(a), "b": rng.standard_normal(b)}
    if last is not None:
        arrays["last"] = rng.standard_normal(last)
    others = {"mask": scores[-2:], "scale": (), "row": scores[-1:]}
    arrays |= {kind: rng.standard_normal(others[kind]) for kind in between if kind in others}
    arrays = {key: value.astype(np.float32) for key, value in arrays.items()}
    steps = [("matmul", "b", {})]
    steps += [("binary", kind, {"function": "mul"}) for kind in between if kind in others]
    steps += [("unary", None, {"function": "exp"})] * ("exp" in between)
    steps += [("softmax", None, {"axis": -1})] * ("softmax" in between)
    steps += [("softmax", None, {"axis": 0})] * ("axis" in between)
    whole = Builder()
    inputs = {key: whole.core.input(key, value.shape) for key, value in arrays.items()}
    value, known, shown = inputs["a"], arrays["a"], {}
    for kind, other, attributes in [*steps, ("matmul", "last", {})]:
        more = [] if other is None else [other if other in arrays else ""]
        single = Builder()
        known_inputs = [known, *[arrays[key] if key else known for key in more]]
        places = [single.core.input(f"x{i}", x.shape) for i, x in enumerate(known_inputs)]
        y = single.step(kind, places, attributes)
        value = whole.step(
            kind, [value, *[inputs[key] if key else value for key in more]], attributes
        )
        known = dwsep.Model(single.finish(y=y))(*known_inputs)
        if "shown" in between and kind == "softmax":
            shown["scores"] = (value, known)
    shown["y"] = (value, known)
    model = dwsep.Model(whole.finish(**{key: pair[0] for key, pair in shown.items()}))
    if name != "few rows":  # its packed operands are larger than the scores
        kept = model.summary().arena_bytes > 2 * np.prod(scores)  # half of them
        assert kept == (name not in JOINED)
    for threads in (1, 2, 3):
        got = model(*arrays.values(), num_threads=threads)
        for y, (_, expected) in zip(
            got if isinstance(got, tuple) else (got,), shown.values(), strict=True
        ):
            np.testing.assert_array_equal(y, expected)


def test_a_step_that_reads_elsewhere_is_not_in_the_chain():
    """The square is turned between two steps: a part of it depends on all parts."""
    x = np.random.default_rng(0).standard_normal((300, 300), dtype=np.float32)
    b = Builder()
    v = b.step("unary", [b.core.input("x", x.shape)], {"function": "neg"})
    turned = b.step(
        "reshape", [b.step("reshape", [v], {"shape": [2, 45_000]})], {"shape": [300, 300]}
    )
    half = b.step("slice", [v], {"starts": [0, 0], "stops": [1, 300], "steps": [1, 1]})
    first = b.step("binary", [turned, half], {"function": "add"})
    flipped = b.step("transpose", [first], {"perm": [1, 0]})
    y = b.step("binary", [flipped, v], {"function": "mul"})
    got = dwsep.Model(b.finish(y=y))(x)
    np.testing.assert_array_equal(got, (-x - x[:1]).T * -x)


def test_what_a_chain_leaves_inside_takes_no_memory():
    """Of ten steps on 4 MB, no more lies in memory than some parts."""
    b = Builder()
    y = x = b.core.input("x", (1 << 20,))
    for _ in range(5):
        y = b.step("binary", [b.step("unary", [y], {"function": "sin"}), x], {"function": "add"})
    model = dwsep.Model(b.finish(y=y))
    assert model.summary().arena_bytes < 1 << 20


def test_scores_between_products_take_no_memory():
    """2.2 MB of them, more than a level-2 cache of 2 MB."""
    b = Builder()
    shapes = {"q": (6, 300, 20), "k": (6, 20, 301), "v": (6, 301, 9)}
    q, k, v = (b.core.input(name, shape) for name, shape in shapes.items())
    p = b.step("softmax", [b.step("matmul", [q, k], {})], {"axis": -1})
    model = dwsep.Model(b.finish(y=b.step("matmul", [p, v], {})))
    assert model.summary().arena_bytes < 1 << 20
