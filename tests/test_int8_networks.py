"""Networks of int8: what a file quantizes is computed with integers, as others compute it."""

from __future__ import annotations

import dwsep_file
import numpy as np
import pytest

from dwsep import _core

rng = np.random.default_rng(17)

X, Y = ([0.05], [3], -1), {"to": "int8", "scale": [0.06], "zero_point": [-5]}
PAIRS = {"stride": [1, 1], "dilation": [1, 1], "padding": [1, 1, 1, 1]}


def weights(*shape, channels):
    return {
        "weight": rng.integers(-127, 128, shape).astype(np.int8),
        "bias": rng.integers(-999, 999, channels).astype(np.int32),
        "weight_scale": rng.uniform(0.005, 0.01, channels).astype(np.float32),
    }


STEPS = {
    "pointwise": ({}, weights(8, 6, channels=6)),
    "depthwise": (PAIRS, weights(3, 3, 8, 1, channels=8)),
    "standard": ({**PAIRS, "kernel": [3, 3], "groups": [2]}, weights(3, 3, 4, 6, channels=6)),
}


def network(kind, attributes=None, more=None, *, dtype="int8", quantization=X, shape=(1, 5, 7, 8)):
    """Build a network of one step."""
    builder = _core.NetworkBuilder()
    x = builder.input("x", list(shape), dtype, quantization)
    given, arrays = STEPS[kind]
    given = {**given, **Y} if attributes is None else {**given, **attributes}
    arrays = {**arrays, **(more or {})}
    arrays = {name: array for name, array in arrays.items() if array is not None}
    builder.output("y", builder.step(kind, "s", [x], given, arrays))
    return builder.finish()


def by_definition(kind, x, zero=3, x_scale=0.05):
    """Compute the sums of a step, and what they are multiplied by."""
    _, arrays = STEPS[kind]
    w, bias = arrays["weight"].astype(np.int64), arrays["bias"]
    x = x.astype(np.int64) - zero
    if kind == "pointwise":
        sums = x @ w
    else:
        x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        taps = [(i, j, x[:, i : i + 5, j : j + 7]) for i in range(3) for j in range(3)]
        if kind == "depthwise":
            sums = sum(part * w[i, j, :, 0] for i, j, part in taps)
        else:
            half = [
                sum(p[..., 4 * g : 4 * g + 4] @ w[i, j][:, 3 * g : 3 * g + 3] for i, j, p in taps)
                for g in (0, 1)
            ]
            sums = np.concatenate(half, axis=-1)
    return sums + bias, np.float32(x_scale) * arrays["weight_scale"]


def rounded(sums, unit, scale=0.06, zero=-5):
    values = sums.astype(np.float32) * (unit / np.float32(scale))
    return np.clip(np.rint(values) + zero, -128, 127).astype(np.int8)


@pytest.mark.parametrize("kind", STEPS)
def test_a_step_of_int8_is_exact(kind):
    x = rng.integers(-128, 128, (1, 5, 7, 8)).astype(np.int8)
    (y,) = network(kind).run([x])
    sums, unit = by_definition(kind, x)
    assert np.array_equal(y, rounded(sums, unit))
    (y,) = network(kind, {}).run([x])
    assert np.array_equal(y, sums.astype(np.float32) * unit)


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize("to", ["int8", "uint8"])
def test_a_result_may_be_looked_up(kind, to):
    x = rng.integers(-128, 128, (1, 5, 7, 8)).astype(np.int8)
    table = rng.permutation(256).astype(np.uint8).view(np.int8)
    attributes = {"to": to, "scale": [0.5], "zero_point": [7]}
    attributes |= {"tabled_scale": [0.06], "tabled_zero_point": [-5]}
    (y,) = network(kind, attributes, {"table": table}).run([x])
    wanted = table[rounded(*by_definition(kind, x)).astype(int) + 128]
    assert np.array_equal(y, wanted if to == "int8" else (wanted.astype(int) + 128))
    with pytest.raises(ValueError, match="activation: need a clip before a table"):
        network(kind, {**attributes, "activation": "tanh"}, {"table": table})


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize("activation", ["clip", "hard_swish", "silu", "sigmoid"])
@pytest.mark.parametrize("to", ["int8", "uint8"])
@pytest.mark.kernels
def test_channels_with_scales_are_those_of_steps_with_one(kind, activation, to):
    x = rng.integers(-128, 128, (1, 5, 7, 8)).astype(np.int8)
    channels = STEPS[kind][1]["bias"].size
    scales = np.geomspace(0.004, 0.1, channels).tolist()
    zeros = (rng.integers(-128, 128, channels) + 128 * (to == "uint8")).tolist()
    made = {"to": to, "activation": activation}
    if activation == "clip":
        made |= {"activation_lo": [0.0], "activation_hi": [6.0]}
    each = {**made, "scale": scales, "zero_point": zeros, "axis": [3]}
    (y,) = network(kind, each).run([x])
    assert y.dtype == to
    for c, (scale, zero) in enumerate(zip(scales, zeros, strict=True)):
        (wanted,) = network(kind, {**made, "scale": [scale], "zero_point": [zero]}).run([x])
        assert np.array_equal(y[..., c], wanted[..., c])


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_integers_may_stand_for_other_numbers(dtype):
    builder = _core.NetworkBuilder()
    x = builder.input("x", [1, 5, 7, 8], dtype, ([0.05], [3], -1))
    scales = {"scale": [0.01] * 8, "zero_point": [*range(8)], "axis": [3]}
    builder.output("y", builder.step("reinterpret", "s", [x], scales, {}))
    made = builder.finish()
    values = rng.integers(0, 128, (1, 5, 7, 8)).astype(dtype)
    assert np.array_equal(made.run([values])[0], values)
    assert tuple(made.outputs[0][-1]) == ([np.float32(0.01)] * 8, [*range(8)], 3)


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize("to", ["int8", "uint8"])
def test_results_of_many_blocks_are_looked_up_once_each(kind, to):
    image = (1, 123, 125, 8)
    x = rng.integers(-128, 128, image).astype(np.int8)
    table = rng.permutation(256).astype(np.uint8).view(np.int8)
    attributes = {"to": to, "scale": [0.5], "zero_point": [7]}
    attributes |= {"tabled_scale": [0.06], "tabled_zero_point": [-5]}
    tabled, plain = (
        network(kind, attributes, {"table": table}, shape=image),
        network(kind, shape=image),
    )
    for threads in (1, 2):
        (y,) = tabled.run([x], threads)
        (before,) = plain.run([x], threads)
        wanted = table[before.astype(int) + 128]
        assert np.array_equal(y, wanted if to == "int8" else (wanted.astype(int) + 128))


@pytest.mark.parametrize("inputs", [512, 4096])
def test_a_thread_may_have_no_panel_to_look_up_in(inputs):
    x = rng.integers(-128, 128, (1, 1, 1, inputs)).astype(np.int8)
    table = rng.permutation(256).astype(np.uint8).view(np.int8)
    for outputs in (8, 40, 70, 130, 512):
        arrays = weights(inputs, outputs, channels=outputs)
        attributes = {**Y, "tabled_scale": [0.06], "tabled_zero_point": [-5]}
        one, both = (
            network("pointwise", attributes, {**arrays, "table": table}, shape=x.shape).run([x], n)
            for n in (1, 2)
        )
        assert np.array_equal(one[0], both[0])


@pytest.mark.parametrize("channels", [16, 32, 64, 128])
def test_pixels_may_be_one_in_memory(channels):
    x = rng.integers(-128, 128, (1, 1, 1, channels)).astype(np.int8)
    builder = _core.NetworkBuilder()
    same = builder.step(
        "expand",
        "e",
        [builder.input("x", list(x.shape), "int8", X)],
        {"shape": [1, 5, 7, channels]},
        {},
    )
    arrays = weights(3, 3, channels, 1, channels=channels)
    builder.output("y", builder.step("depthwise", "s", [same], {**PAIRS, **Y}, arrays))
    apart = network("depthwise", None, arrays, shape=(1, 5, 7, channels))
    wanted = apart.run([np.tile(x, (1, 5, 7, 1))], 1)[0]
    assert np.array_equal(builder.finish().run([x], 1)[0], wanted)


@pytest.mark.parametrize("kind", STEPS)
def test_files_hold_the_integers(kind):
    made = network(kind)
    content = made.to_bytes()
    x = rng.integers(-128, 128, (1, 5, 7, 8)).astype(np.int8)
    assert np.array_equal(_core.Network.from_bytes(content).run([x]), made.run([x]))
    file = dwsep_file.parse(content)
    step = next(v for v in file.values if isinstance(v, dwsep_file.Step))
    weight = STEPS[kind][1]["weight"]
    assert step.weights["weight"].type.dtype == dwsep_file.INT8
    assert step.weights["weight"].ranges[0].bytes == weight.size
    assert _core.Network.from_bytes(content).to_bytes() == content


ARRAYS = STEPS["pointwise"][1]
BAD = {
    "weights 'weight': need type int8 or uint8, as x is quantized": {
        "more": {"weight": ARRAYS["weight"].astype(np.float32)}
    },
    "weight_scale': need .* none": {"more": {"weight_scale": None}},
    r"weight_scale: need shape \(6,\)": {"more": {"weight_scale": np.ones(5, np.float32)}},
    "finite and positive": {"more": {"weight_scale": np.zeros(6, np.float32)}},
    "weights 'bias': need type float32 or int32": {"more": {"bias": np.ones(6, np.int8)}},
    "weights 'table': need type int8, got uint8": {"more": {"table": np.zeros(256, np.uint8)}},
    r"table: need shape \(256,\)": {"more": {"table": np.zeros(255, np.int8)}},
    "scale: need a value, got none": {"attributes": {"to": "int8"}},
    "zero_point: need numbers from 0 to 255": {"attributes": {**Y, "to": "uint8"}},
    "sums of at most": {"more": {"bias": np.full(6, 2**31 - 1, np.int32)}},
    "input 0: need type float32, got int8": {"quantization": None},
    "type float32, as x has": {
        "dtype": "float32",
        "quantization": None,
        "more": {"weight": ARRAYS["weight"].view(np.uint8)},
    },
    "weight_scale': need some, as weights are int8": {"dtype": "float32", "quantization": None},
}


@pytest.mark.parametrize("message", BAD)
def test_what_does_not_fit_is_named(message):
    more = BAD[message]
    if more.get("quantization", X) is None:
        arrays = {"weight_scale": None} | (
            {"weight": ARRAYS["weight"].astype(np.float32), "bias": None}
            if more.get("dtype") is None
            else more.get("more", {})
        )
        more = {**more, "more": arrays, "attributes": {}}
    with pytest.raises(ValueError, match=message):
        network("pointwise", **more)


def test_files_cannot_make_weights_grow_without_bound():
    """A column of int8 becomes a panel; of a prime number of groups none are computed together."""
    file = dwsep_file.parse(network("standard").to_bytes())
    step = next(v for v in file.values if isinstance(v, dwsep_file.Step))
    groups = 32749
    file.values[0].dims = [1, 1, 1, groups]
    step.attributes["kernel"] = (dwsep_file.INTEGERS, [1, 1])
    step.attributes["groups"] = (dwsep_file.INTEGERS, [groups])
    file.data = bytes(2**15) + np.full(16, 0.5, np.float32).tobytes()
    weight, scale = step.weights["weight"], step.weights["weight_scale"]
    weight.dims, weight.ranges = [1, 1, 1, groups], [dwsep_file.Range(0, groups)]
    scale.dims, scale.ranges = [1], [dwsep_file.Range(2**15, 4)]
    step.weights = {"weight": weight, "weight_scale": scale}
    with pytest.raises(ValueError, match="packed weights of at most 32 times its size"):
        _core.Network.from_bytes(file.to_bytes())
