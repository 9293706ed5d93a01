"""Blocks with squeeze-excite: near the float64 value, and the bits of the operators one by one."""

import pickle

import numpy as np
import oracle
import pytest
from calls import (
    PER_CALL,
    Call,
    assert_all,
    bits_differ,
    inverted_residual,
    normals,
    out_of_bound,
    separable,
)
from unfused import unfused

import dwsep

pytestmark = pytest.mark.kernels

GATES = [
    {"reduce_activation": "relu", "excite_activation": "hard_sigmoid"},
    {"reduce_activation": "silu", "excite_activation": "sigmoid"},
    {"reduce_activation": None, "excite_activation": ("clip", -0.5, 1.5)},
    {},
]
INNER = [None, "relu6", "hard_swish", "silu"]
# Rows, columns, channels in and out, reduced channels, kernel, stride: ragged and of networks.
SHAPES = [
    (7, 5, 3, 7, 1, (3, 3), 1),
    (9, 8, 17, 33, 5, (5, 5), 2),
    (1, 1, 16, 16, 8, (3, 3), 1),
    (13, 6, 65, 15, 16, (3, 5), (1, 2)),
    (28, 28, 40, 40, 24, (5, 5), 1),
    (14, 14, 112, 48, 17, (3, 3), 2),
    (7, 7, 80, 64, 20, (5, 5), 1),
]


def blocks(seed=1):
    draw = normals(seed)

    def scaled(shape):
        return draw(shape) * np.float32(0.25)  # or every factor is saturated

    for i, (h, w, cin, cout, reduced, kernel, stride) in enumerate(SHAPES):
        shape = (2, h, w, cin) if i % 2 else (h, w, cin)
        rest = {"stride": stride, "bias": i % 3 != 0, "residual": i % 2 == 0, "reduced": reduced}
        rest |= {
            "multiplier": 1 + (i == 1),
            "depthwise_activation": INNER[i % 4],
            **GATES[(i + 1) % 4],
        }
        yield separable(scaled, shape, cout, kernel, **rest, activation=INNER[i % 3])
        hidden = {"expand_activation": INNER[(i + 1) % 4], "dilation": 1 + (stride == 1 and i == 0)}
        yield inverted_residual(scaled, shape, 2 * cin + 1, cout, kernel, **rest, **hidden)


def test_error_bound():
    assert_all(blocks(), lambda call: out_of_bound(call.run(), call.oracle()))


def test_the_bound_would_notice():
    """Leaving squeeze-excite out, or its reduction, is far outside the bound."""
    for call in blocks():
        arrays = {n: a for n, a in call.arrays.items() if not n.startswith(("reduce", "excite"))}
        options = {n: o for n, o in call.options.items() if not n.startswith(("reduce", "excite"))}
        assert out_of_bound(Call(call.function, arrays, options).run(), call.oracle())
        halved = call.with_arrays(reduce_weight=call.arrays["reduce_weight"] / 2)
        assert out_of_bound(halved.run(), call.oracle())


def test_operators_one_by_one():
    assert_all(blocks(2), lambda call: bits_differ(call.run(), unfused(call)))


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_threads(threads):
    assert_all(blocks(3), lambda c: bits_differ(c.run(num_threads=threads), unfused(c)))


def test_batch():
    def judge(call):
        rng = np.random.default_rng(4)
        inputs = {
            name: rng.standard_normal((5, *call.arrays[name].shape[-3:]), np.float32)
            for name in PER_CALL
            if name in call.arrays
        }
        whole = call.with_arrays(**inputs).run()
        images = (call.with_arrays(**{n: a[i] for n, a in inputs.items()}).run() for i in range(5))
        return next(filter(None, map(bits_differ, images, whole)), None)

    assert_all(blocks(4), judge)


def test_views_and_out():
    """Channels of a wider array, in and out, and a result over its own residual."""

    def widened(array):
        wide = np.full((*array.shape[:-1], array.shape[-1] + 3), np.nan, np.float32)
        wide[..., 1:-2] = array
        return wide[..., 1:-2]

    def judge(call):
        expected = call.run()
        view = call.with_arrays(**{n: widened(a) for n, a in call.arrays.items()})
        out = widened(np.empty_like(expected))
        assert view.run(out=out) is out
        if problem := bits_differ(out, expected):
            return problem
        assert np.isnan(out.base[..., 0]).all()
        assert np.isnan(out.base[..., -2:]).all()
        if "residual" not in call.arrays:
            return None
        residual = call.arrays["residual"].copy()
        return bits_differ(call.with_arrays(residual=residual).run(out=residual), expected)

    assert_all(blocks(5), judge)


def test_layer():
    def judge(call):
        layer = call.layer()
        again = pickle.loads(pickle.dumps(layer))
        assert repr(again) == repr(layer)
        assert layer.arguments.keys() >= {"reduce_weight", "excite_activation"}
        expected = call.run()
        made = (layer, again, type(layer)(**layer.arguments))
        return next(filter(None, (bits_differ(call.run_layer(m), expected) for m in made)), None)

    assert_all(blocks(6), judge)


def test_repr_and_plan():
    call = next(c for c in blocks() if c.function == "inverted_residual" and "bias" in c.arrays)
    layer = call.layer()
    reduce, excite = (call.arrays[n].shape for n in ("reduce_weight", "excite_weight"))
    assert f"reduce_weight: {reduce}" in repr(layer)
    assert f"excite_weight: {excite}" in repr(layer)
    assert f"excite_activation={call.options['excite_activation']!r}" in repr(layer)
    x = call.arrays["x"].shape
    arrays = {n: a for n, a in call.arrays.items() if not n.startswith(("reduce", "excite"))}
    options = {n: o for n, o in call.options.items() if not n.startswith(("reduce", "excite"))}
    plain = Call(call.function, arrays, options).layer()
    assert layer.explain(x).flops > plain.explain(x).flops
    assert "reduce" not in repr(plain)


def test_weights_of_four_axes():
    def judge(call):
        given = {n: call.arrays[n][None, None] for n in ("reduce_weight", "excite_weight")}
        return bits_differ(call.with_arrays(**given).run(), call.run())

    assert_all(blocks(7), judge)


def test_nan_spoils_its_image_alone():
    """The mean carries a NaN to all of its image, and to no other."""
    for call in blocks(8):
        if call.arrays["x"].ndim == 4:
            x = call.arrays["x"].copy()
            x[0, 0, 0, 0] = np.nan
            result = call.with_arrays(x=x).run()
            assert np.isnan(result[0]).all()
            assert bits_differ(result[1], call.run()[1]) is None


def test_no_images():
    call = next(c for c in blocks() if c.arrays["x"].ndim == 4)
    nothing = {n: a[:0] for n, a in call.arrays.items() if n in PER_CALL}
    assert call.with_arrays(**nothing).run().shape[0] == 0


SMALL = {
    call.function: call
    for call in (
        separable(normals(9), (5, 6, 4), 7, reduced=3, **GATES[1]),
        inverted_residual(normals(9), (5, 6, 4), 10, 7, reduced=3, **GATES[1]),
    )
}


@pytest.mark.parametrize("function", SMALL)
@pytest.mark.parametrize(
    ("change", "named", "shown"),
    [
        ({"reduce_weight": None}, "reduce_weight", "NoneType"),
        ({"excite_weight": None}, "excite_weight", "NoneType"),
        ({"reduce_weight": np.zeros((5, 3), np.float32)}, "reduce_weight", "depthwise_weight"),
        ({"excite_weight": np.zeros((4, 10), np.float32)}, "excite_weight", "reduce_weight"),
        ({"excite_weight": np.zeros((3, 5), np.float32)}, "excite_weight", "depthwise_weight"),
        ({"reduce_weight": np.zeros((10, 3))}, "reduce_weight", "float64"),
        ({"reduce_bias": np.zeros(4, np.float32)}, "reduce_bias", "(3,)"),
        ({"excite_bias": np.zeros(3, np.float32)}, "excite_bias", "(3,)"),
        ({"reduce_activation": "relu7"}, "reduce_activation", "relu7"),
        ({"excite_activation": 3}, "excite_activation", "int"),
    ],
)
def test_errors(function, change, named, shown):
    call = SMALL[function]
    arguments = {**call.arrays, **call.options, **change}
    with pytest.raises((TypeError, ValueError), match=rf"^{named}: need ") as caught:
        getattr(dwsep, function)(**arguments)
    assert shown in str(caught.value)


@pytest.mark.parametrize("function", SMALL)
@pytest.mark.parametrize(
    "name", ["reduce_bias", "excite_bias", "reduce_activation", "excite_activation"]
)
def test_parts_without_weights(function, name):
    call = SMALL[function]
    arrays = {n: a for n, a in call.arrays.items() if not n.startswith(("reduce", "excite"))}
    given = {**call.arrays, **call.options}[name]
    with pytest.raises(ValueError, match=rf"^{name}: need None without reduce_weight"):
        getattr(dwsep, function)(**arrays, **{name: given})


def test_the_oracle_is_the_definition():
    """Of two pixels, by hand."""
    x = np.float32([[[2.0, 4.0], [6.0, -8.0]]])
    estimate = oracle.separable_conv2d(
        x,
        np.ones((1, 1, 2, 1)),
        np.eye(2),
        reduce_weight=np.float64([[1], [2]]),
        reduce_bias=np.float64([3]),
        excite_weight=np.float64([[1, -1]]),
        excite_activation="relu",
    )
    assert np.array_equal(estimate.value, x * [3, 0])  # means 4 and -2: 4 - 4 + 3 = 3 and relu(-3)
