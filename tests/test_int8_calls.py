"""Calls of int8 layers: arrays as they lie in memory, errors, plans, activations, large sums."""

import copy
import pickle
import re

import numpy as np
import pytest
import random_calls
from int8_calls import LAYERS, PER_CALL, Int8Call, Maker, random_call
from oracle_activations import activation as formula_of

import dwsep
from dwsep import Quantization

each = pytest.mark.parametrize("function", LAYERS)
Q, QW, QY = Quantization(0.05, 3), Quantization(0.02), Quantization(0.1, -4)


def small(function="pointwise_conv2d", **changes):
    """Return a call of small sizes in int8."""
    call = random_call(function, 3)
    return Int8Call(function, {**call.arguments, **changes})


@pytest.mark.kernels
@each
def test_arrays_lie_anywhere(function):
    """Views, reversed axes, planes, unaligned and foreign arrays give the same bits."""
    for seed in range(40):
        call = random_call(function, 200 + seed)
        expected = call.plain()
        for name in PER_CALL:
            if name in call.arguments:
                moved = call.arguments[name]
                kind = call.arguments[name].dtype
                for _ in range(2):
                    moved = _relaid(Maker(seed).rng, moved).astype(kind, copy=False)
                call.arguments[name] = moved
        assert np.array_equal(call.run(), expected), call
        assert np.array_equal(call.run_layer(), expected), call


def _relaid(rng, array):
    kind = rng.randrange(5)
    if kind == 0:
        return np.asfortranarray(array)
    if kind == 1:
        host = np.zeros([2 * n + 3 for n in array.shape], array.dtype)
        cut = tuple(slice(1, 2 * n + 1, 2) for n in array.shape)
        host[cut] = array
        return host[cut]
    if kind == 2:
        turned = tuple(slice(None, None, rng.choice([1, -1])) for _ in array.shape)
        return np.ascontiguousarray(array[turned])[turned]
    if kind == 3:
        host = np.zeros((*array.shape[:-1], array.shape[-1] + 5), array.dtype)
        host[..., 2:-3] = array
        return host[..., 2:-3]
    return array.view(random_calls.Subclass)


@pytest.mark.kernels
@each
def test_out(function):
    for seed in range(20):
        call = random_call(function, 300 + seed)
        expected = call.plain()
        for layout in (lambda a: a, lambda a: a[..., ::-1], lambda a: a[::-1]):
            host = np.zeros((*expected.shape[:-1], expected.shape[-1] + 4), expected.dtype)
            out = layout(host)[..., 1 : expected.shape[-1] + 1]
            assert call.run_layer(out=out) is out
            assert np.array_equal(out, expected)
            rest = np.delete(layout(host), np.arange(1, expected.shape[-1] + 1), axis=-1)
            assert not rest.any()


@pytest.mark.kernels
def test_results_may_overlap_inputs():
    rng = np.random.default_rng(0)
    w = rng.integers(-127, 128, (3, 3, 9, 1), np.int8)
    layer = dwsep.DepthwiseConv2D(
        w, x_quantization=Q, weight_quantization=QW, quantization=QY, activation="relu"
    )
    host = rng.integers(-128, 128, (2, 9, 8, 9), np.int8)
    for shift in (0, 1, 2):
        memory = host.copy()
        x, out = memory[:, :-2], memory[:, shift : shift + 7]
        expected = layer(x.copy())
        assert np.array_equal(layer(x, out=out), expected)
    m = rng.integers(-127, 128, (9, 9), np.int8)
    mix = dwsep.PointwiseConv2D(
        m, x_quantization=Q, weight_quantization=QW, quantization=Q, residual_quantization=Q
    )
    expected = mix(host, host)
    assert np.array_equal(mix(host, host, out=host), expected)


@pytest.mark.kernels
def test_windows_of_a_row_whose_pixels_are_apart():
    """They are multiplied where they lie only if no channels of others are between."""
    rng = np.random.default_rng(3)
    w = rng.integers(-127, 128, (1, 3, 8, 12), np.int8)
    layer = dwsep.Conv2D(
        w, stride=(1, 3), padding=0, x_quantization=Q, weight_quantization=QW, quantization=QY
    )
    x = rng.integers(-128, 128, (1, 6, 9, 11), np.int8)[..., 2:-1]
    assert np.array_equal(layer(x), layer(x.copy()))


def test_out_may_not_overlap_itself():
    call = small("pointwise_conv2d", quantization=QY)
    shape = call.plain().shape
    shared = np.lib.stride_tricks.as_strided(np.zeros(999, np.int8), shape, [0] * len(shape))
    with pytest.raises(ValueError, match=r"^out: need an array whose elements do not share memory"):
        call.run_layer(out=shared)


@each
@pytest.mark.parametrize("shape", [(0, 4, 4), (2, 0, 4), (4, 4, 0)])
def test_empty_images(function, shape):
    call = random_call(function, 5)
    call.arguments.pop("residual", None)
    call.arguments["residual_quantization"] = None
    if function == "depthwise_conv2d":
        del call.arguments["residual_quantization"]
    x = call.arguments["x"]
    call.arguments["x"] = np.zeros((*shape, x.shape[-1]), x.dtype)
    if function != "pointwise_conv2d":
        call.arguments["padding"] = "same"
    q = call.arguments["quantization"]
    y = call.run()
    assert y.size == 0
    assert y.dtype == (np.float32 if q is None else q.dtype)


@pytest.mark.kernels
@each
def test_batches_give_the_bits_of_images(function):
    for seed in range(30):
        call = random_call(function, 400 + seed)
        if call.arguments["x"].ndim == 4 and "residual" not in call.arguments:
            layer = call.layer()
            x = np.concatenate([call.arguments["x"]] * 3)
            apart = [layer(image) for image in x]
            assert np.array_equal(layer(x), np.stack(apart))


@pytest.mark.kernels
def test_fused_layers_give_the_bits_of_their_stages():
    """With activations of every kind between and behind the stages, too."""
    names = [None, "relu6", "hard_swish", "silu", "tanh", ("leaky_relu", 0.2), "gelu"]
    for seed, last in enumerate(names * 2):
        a = random_call("inverted_residual", 500 + seed).arguments
        a |= {"depthwise_activation": names[seed % 5], "expand_activation": names[seed % 4]}
        a |= {"activation": last, "quantization": [QY, None][seed // len(names)]}
        if np.ndim(a["expand_quantization"].scale):
            a["expand_quantization"] = Q
        fused = Int8Call("inverted_residual", a)
        y = dwsep.pointwise_conv2d(
            a["x"],
            a["expand_weight"],
            a["expand_bias"],
            activation=a["expand_activation"],
            x_quantization=a["x_quantization"],
            weight_quantization=a["expand_weight_quantization"],
            quantization=a["expand_quantization"],
        )
        y = dwsep.depthwise_conv2d(
            y,
            a["depthwise_weight"],
            a["depthwise_bias"],
            stride=a["stride"],
            padding=a["padding"],
            dilation=a["dilation"],
            activation=a["depthwise_activation"],
            x_quantization=a["expand_quantization"],
            weight_quantization=a["depthwise_weight_quantization"],
            quantization=a["depthwise_quantization"],
        )
        y = dwsep.pointwise_conv2d(
            y,
            a["weight"],
            a["bias"],
            residual=a.get("residual"),
            activation=a["activation"],
            x_quantization=a["depthwise_quantization"],
            weight_quantization=a["weight_quantization"],
            quantization=a["quantization"],
            residual_quantization=a.get("residual_quantization"),
        )
        for threads in (1, 2, 3):
            assert np.array_equal(fused.run(num_threads=threads), y), fused


def activated():
    """Return calls with activations that are no clips: of each function, of each kind."""
    kinds = ["hard_swish", "hard_sigmoid", "sigmoid", "silu", "tanh", "gelu", ("leaky_relu", -0.3)]
    for function in LAYERS:
        for seed, kind in enumerate(kinds * 2):
            a = random_call(function, 600 + seed).arguments
            if a["quantization"] is not None:
                a["quantization"] = Quantization(2.0 ** -(seed % 7), [3, -70][seed % 2])
            yield Int8Call(function, {**a, "activation": kind})


@pytest.mark.kernels
def test_other_activations():
    """The function of the real value, rounded once."""
    for call in activated():
        real = Int8Call(
            call.function, {**call.arguments, "activation": None, "quantization": None}
        ).plain()
        wanted = np.asarray(formula_of(call.arguments["activation"]).value(real.astype(np.float64)))
        q = call.arguments["quantization"]
        got = call.run()
        if q is None:
            room = 4e-5 * np.abs(wanted) + 4e-7 * np.abs(real) + 1e-30
            assert got.dtype == np.float32
            assert np.all(np.abs(got - wanted) <= room), call
            continue
        steps = wanted / q.scale + q.zero_point
        difference = np.abs(got - np.clip(np.rint(steps), -128, 127))
        tie = np.abs(steps - np.floor(steps) - 0.5) < 1e-3 * np.maximum(1, np.abs(steps))
        assert difference.max(initial=0) <= 1, call
        assert not difference[~tie].any(), call


@pytest.mark.parametrize("k", [1, 2, 511, 512, 513, 1025, 100_000])
@pytest.mark.kernels
def test_long_sums(k):
    for w_value, x_value, zero in [
        (127, -128, 0),
        (-127, 127, 0),
        (-128, -128, 0),
        (64, -128, 127),
    ]:
        if (128 + max(zero, 0)) * abs(w_value) * k > 2**31 - 1:
            continue
        x = np.full((1, 3, k), x_value, np.int8)
        w = np.full((k, 5), w_value, np.int8)
        q, qw = Quantization(2.0**-10, zero), Quantization(2.0**-10)
        y = dwsep.pointwise_conv2d(x, w, x_quantization=q, weight_quantization=qw)
        exact = np.float32(k * w_value * (x_value - zero)) * np.float32(2.0**-20)
        assert np.all(y == exact)


@each
def test_layers_say_what_they_are(function):
    call = random_call(function, 11)
    layer = call.layer()
    shape = call.arguments["x"].shape
    text, plan = repr(layer), layer.explain(shape)
    assert "x_quantization=Quantization(" in text
    assert "int8" in plan.kernel
    assert plan.flops > 0
    assert plan.output_shape == call.plain().shape
    expected = call.run_layer(layer)
    for again in (pickle.loads(pickle.dumps(layer)), type(layer)(**layer.arguments)):
        assert repr(again) == text
        assert np.array_equal(call.run_layer(again), expected)
    assert copy.deepcopy(layer) is layer
    assert layer.arguments["x_quantization"] == call.arguments["x_quantization"]


def test_quantizations_of_float_layers_are_none():
    layer = dwsep.PointwiseConv2D(np.ones((3, 4), np.float32))
    assert layer.arguments["x_quantization"] is None
    assert "quantization" not in re.sub(r"kernel=.*", "", repr(layer))


def test_rows_that_a_block_has_not_expanded_are_not_read():
    """A quad of filter rows that are 12 apart reaches 24 rows further, of 128 KB here."""
    rng = np.random.default_rng(2)
    q, wq = dwsep.Quantization(np.float32(0.1), 3), dwsep.Quantization(np.float32(0.01), 0)
    shapes = ((1, 60, 2000, 8), (8, 64), (2, 1, 64, 1), (64, 8))
    x, expand, depthwise, weight = (rng.integers(-9, 9, s).astype(np.int8) for s in shapes)
    window = {"dilation": (12, 1), "padding": 0}
    types = {"weight_quantization": wq, "quantization": q}
    wide = dwsep.pointwise_conv2d(x, expand, x_quantization=q, **types)
    thin = dwsep.depthwise_conv2d(wide, depthwise, x_quantization=q, **types, **window)
    y = dwsep.inverted_residual(
        x,
        expand,
        depthwise,
        weight,
        x_quantization=q,
        expand_weight_quantization=wq,
        expand_quantization=q,
        depthwise_weight_quantization=wq,
        depthwise_quantization=q,
        num_threads=1,
        **types,
        **window,
    )
    expected = dwsep.pointwise_conv2d(thin, weight, x_quantization=q, **types)
    np.testing.assert_array_equal(y, expected)
