"""Steps whose input is a view of another value compute what they compute of a copy of it."""

import numpy as np
import pytest
from small_networks import Builder

import dwsep

# What the steps make of x, whose first axis is the batch.
SHAPES = [(3,), (3, 6), (3, 6, 1, 5), (3, 6, 1, 5, 1), (3, 17, 1), (3, 1, 33, 1), (3, 6, 8)]
STEPS = {
    "activation": {"activation": "silu"},
    "unary": {"function": "exp"},
    "library": {"function": "log"},
    "binary": {"function": "add"},
    **{f"reduce {axis}": {"function": "sum", "axes": [axis], "keepdims": [1]} for axis in range(4)},
    "reduce both": {"function": "max", "axes": [1, 2], "keepdims": [0]},
    **{f"softmax {axis}": {"axis": [axis], "log": [0]} for axis in range(4)},
}


def cases():
    for shape in SHAPES:
        for name, attributes in STEPS.items():
            axes = attributes.get("axes", attributes.get("axis", [0]))
            if max(axes) < len(shape):
                yield pytest.param(shape, name, id=f"{shape} {name}")


def network(x_shape, shape, name):
    b = Builder()
    x = b.core.input("x", x_shape)
    if shape is not None:
        x = b.step("expand", [x], {"shape": list(shape)})
    kind = name.split()[0].replace("library", "unary")
    return b.finish(y=b.step(kind, [x, x] if kind == "binary" else [x], STEPS[name]))


@pytest.mark.kernels
@pytest.mark.parametrize(("shape", "name"), list(cases()))
def test_repeated_elements(shape, name):
    """Axes that repeat an element have no stride, also where they are the last ones that count."""
    rng = np.random.default_rng(0)
    for repeated in range(2 ** len(shape)):
        x_shape = [1 if repeated >> i & 1 else n for i, n in enumerate(shape)]
        x = rng.uniform(0.5, 1.5, x_shape).astype(np.float32)
        whole = np.ascontiguousarray(np.broadcast_to(x, shape))
        expected = dwsep.Model(network(shape, None, name))(whole, num_threads=1)
        for threads in (1, 3):
            got = dwsep.Model(network(x_shape, shape, name))(x, num_threads=threads)
            assert np.array_equal(got, expected), (x_shape, threads)


@pytest.mark.kernels
@pytest.mark.parametrize("n", [*range(1, 20), 31, 33, 49, 100, 1023, 1025])
def test_softmax_of_rows_together(n):
    """Rows, dense or apart, have the bits that each has alone; what is not finite stays in one."""
    rng = np.random.default_rng(n)
    rows = 13 if n > 100 else 29
    wide = rng.normal(0, 5, (rows, n + 3)).astype(np.float32)
    wide[3, n] = np.nan
    wide[5, 2:] = -np.inf
    wide[6, 2:] = -300
    wide[7, 2:] = np.inf
    wide[8, n + 1] = -0.0
    x = wide[:, 2 : n + 2]
    part = {"starts": [0, 2], "stops": [rows, n + 2], "steps": [1, 1]}
    models = []
    for shape, sliced in ((list(wide.shape), True), (list(x.shape), False), ([1, n], False)):
        b = Builder()
        v = b.core.input("x", shape)
        v = b.step("slice", [v], part) if sliced else v
        models.append(dwsep.Model(b.finish(y=b.step("softmax", [v], {"axis": [1], "log": [0]}))))
    dense = models[1](x, num_threads=1)
    alone = np.concatenate([models[2](row[None], num_threads=1) for row in x])
    for got in (models[0](wide, num_threads=1), dense, models[1](x, num_threads=2)):
        assert np.array_equal(got, alone, equal_nan=True)
    sound = [i for i in range(rows) if i not in (3, 5, 7)]
    exact = np.exp(x[sound].astype(np.float64) - x[sound].max(1, keepdims=True))
    exact /= exact.sum(1, keepdims=True)
    assert np.abs(dense[sound] - exact).max() < 1e-6
