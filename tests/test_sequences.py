"""Convolutions of sequences: plain loops in float64 judge values, layers of images the bits."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from sequence_calls import f, messages

import dwsep


def _padded(x, kernel, stride, padding, dilation):
    reach, w = (kernel - 1) * dilation, x.shape[1]
    total = max((-(-w // stride) - 1) * stride + reach + 1 - w, 0)
    sides = {
        "valid": (0, 0),
        "causal": (reach, 0),
        "same": (total // 2, total - total // 2),
        "same_lower": (total - total // 2, total // 2),
        3: (3, 3),
        (1, 4): (1, 4),
    }[padding]
    return np.pad(x.astype(np.float64), ((0, 0), sides, (0, 0)))


def _windows(x, kernel, stride, padding, dilation):
    """Return (N, W', K, C)."""
    x = _padded(x, kernel, stride, padding, dilation)
    count = (x.shape[1] - (kernel - 1) * dilation - 1) // stride + 1
    taps = [
        x[:, q * dilation : q * dilation + (count - 1) * stride + 1 : stride] for q in range(kernel)
    ]
    return np.stack(taps, axis=2)


GEOMETRIES = [
    {"stride": 1, "padding": "same", "dilation": 1},
    {"stride": 2, "padding": "same", "dilation": 1},
    {"stride": 2, "padding": "same_lower", "dilation": 1},
    {"stride": 3, "padding": "causal", "dilation": 2},
    {"stride": 1, "padding": "valid", "dilation": 3},
    {"stride": 2, "padding": 3, "dilation": 1},
    {"stride": 1, "padding": (1, 4), "dilation": 2},
]


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("kernel", [1, 4, 9])
def test_values(geometry, kernel):
    x, windows = f(2, 30, 12), _windows(f(2, 30, 12), kernel, **geometry)
    tolerance = {"rtol": 0, "atol": 1e-4}
    weight, bias = f(kernel, 12, 2, seed=1), f(24, seed=2)
    wanted = np.einsum("nwkc,kcm->nwcm", windows, weight).reshape(*windows.shape[:2], 24) + bias
    got = dwsep.depthwise_conv1d(x, weight, bias, **geometry)
    np.testing.assert_allclose(got, wanted, **tolerance)

    matrix = f(24, 5, seed=3)
    got = dwsep.separable_conv1d(x, weight, matrix, bias, **geometry, activation="relu")
    np.testing.assert_allclose(got, np.maximum(wanted @ matrix, 0), rtol=1e-4, atol=1e-3)

    filters = f(kernel, 6, 8, seed=4)
    halves = np.split(windows, 2, axis=3), np.split(filters, 2, axis=2)
    parts = [np.einsum("nwkc,kco->nwo", w, v) for w, v in zip(*halves, strict=True)]
    got = dwsep.conv1d(x, filters, groups=2, **geometry)
    np.testing.assert_allclose(got, np.concatenate(parts, axis=2), **tolerance)


LAYERS = [
    (dwsep.DepthwiseConv1D(f(5, 8), f(8)), dwsep.DepthwiseConv2D(f(1, 5, 8), f(8))),
    (
        dwsep.SeparableConv1D(f(5, 8), f(1, 8, 4), stride=2, depthwise_activation="relu6"),
        dwsep.SeparableConv2D(f(1, 5, 8), f(8, 4), stride=(1, 2), depthwise_activation="relu6"),
    ),
    (
        dwsep.Conv1D(f(3, 8, 6), f(6), padding="causal", activation="silu"),
        dwsep.Conv2D(f(1, 3, 8, 6), f(6), padding=((0, 0), (2, 0)), activation="silu"),
    ),
]


@pytest.mark.parametrize(("layer", "images"), LAYERS)
def test_layers(layer, images):
    x = f(3, 20, 8)
    wanted = images(x[:, np.newaxis])[:, 0]
    assert np.array_equal(layer(x), wanted)
    assert np.array_equal(layer(x[0]), wanted[0])
    assert np.array_equal(layer(x[:, ::-1]), images(x[:, np.newaxis, ::-1])[:, 0])
    assert layer.output_shape(x.shape) == wanted.shape
    assert layer.output_shape(x.shape[1:]) == wanted.shape[1:]
    assert layer.channels == 8
    out = np.zeros_like(wanted)
    assert layer(x, out=out) is out
    assert np.array_equal(out, wanted)
    plan = layer.explain(x.shape)
    assert (plan.input_shape, plan.output_shape) == (x.shape, wanted.shape)
    assert type(layer).__name__ in str(plan)
    for again in (pickle.loads(pickle.dumps(layer)), type(layer)(**layer.arguments)):
        assert np.array_equal(again(x), wanted)
        assert repr(again) == repr(layer)
    assert copy.copy(layer) is copy.deepcopy(layer) is layer
    assert layer(x[:0]).shape == (0, *wanted.shape[1:])


def test_residual():
    x, weight, residual = f(2, 9, 8), f(3, 8, 8), f(2, 9, 8, seed=5)
    wanted = dwsep.conv2d(x[:, None], weight[None], residual=residual[:, None], activation="relu")
    got = dwsep.conv1d(x, weight, residual=residual, activation="relu")
    assert np.array_equal(got, wanted[:, 0])
    got = dwsep.separable_conv1d(x, weight[:, 0], weight[0], residual=residual)
    assert np.array_equal(got, dwsep.separable_conv1d(x, weight[:, 0], weight[0]) + residual)


def test_shapes_of_images_are_in_no_message():
    layer = dwsep.Conv1D(f(3, 8, 2), padding="valid")
    calls = [
        lambda: layer(f(9, 7)),
        lambda: layer(f(9, 8), out=f(9, 2)),
        lambda: layer(f(9, 8), f(9, 2)),
        lambda: layer.output_shape((9, 7)),
        lambda: layer(f(2, 8), out=f(9, 2)),
    ]
    for call in calls:
        assert len(messages(call)) == 1


def test_explanations_without_shapes():
    for layer, images in LAYERS:
        assert layer.explain().input_shape == (56, 8)
        assert images.explain().input_shape == (56, 56, 8)
        assert f"kernel={layer.explain().kernel!r}" in repr(layer)
    assert dwsep.DepthwiseConv1D(f(99, 8)).explain().input_shape == (99, 8)


def test_arguments_are_copies_and_layers_immutable():
    weight = f(3, 8)
    layer = dwsep.DepthwiseConv1D(weight)
    x = f(10, 8)
    before = layer(x)
    weight[:] = 0
    assert np.array_equal(layer(x), before)
    assert layer.arguments["weight"].shape == (3, 8, 1)
    with pytest.raises(ValueError, match="read-only"):
        layer.arguments["weight"][:] = 0
    with pytest.raises(AttributeError, match="DepthwiseConv1D is immutable"):
        layer.channels = 3


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: dwsep.conv1d(f(9, 8), f(3, 8)), ValueError, "weight: need shape (K, Cin / groups"),
        (lambda: dwsep.conv1d(f(8), f(3, 8, 2)), ValueError, "x: need shape (W, C) or (N, W, C)"),
        (lambda: dwsep.conv1d([1.0], f(3, 8, 2)), TypeError, "x: need a numpy.ndarray"),
        (lambda: dwsep.conv1d(f(9, 8).astype(float), f(3, 8, 2)), TypeError, "x: need"),
        (
            lambda: dwsep.conv1d(f(9, 7), f(3, 8, 2)),
            ValueError,
            "x: need shape (W, 8) or (N, W, 8), got (9, 7)",
        ),
        (
            lambda: dwsep.conv1d(f(9, 8), f(3, 8, 2), stride=(1, 2)),
            TypeError,
            "stride: need an int",
        ),
        (lambda: dwsep.conv1d(f(9, 8), f(3, 8, 2), padding="full"), ValueError, "'causal', an int"),
        (lambda: dwsep.conv1d(f(9, 8), f(3, 8, 2), padding=(1, 2, 3)), ValueError, "(left, right)"),
        (lambda: dwsep.conv1d(f(9, 8), f(3, 8, 2), padding=-1), ValueError, "padding: need"),
        (
            lambda: dwsep.conv1d(f(9, 8), f(3, 8, 2), out=f(9, 3)),
            ValueError,
            "out: need the output's shape (9, 2), got (9, 3)",
        ),
        (
            lambda: dwsep.conv1d(f(2, 9, 8), f(3, 8, 2), residual=f(9, 2)),
            ValueError,
            "residual: need the output's shape (2, 9, 2), got (9, 2)",
        ),
        (lambda: dwsep.depthwise_conv1d(f(9, 8), f(8)), ValueError, "weight: need shape (K, C)"),
        (lambda: dwsep.separable_conv1d(f(9, 8), f(3, 8), f(7, 2)), ValueError, "weight: need"),
        (lambda: dwsep.Conv1D(f(3, 8, 2)).output_shape((9,)), ValueError, "x_shape: need 2 or 3"),
        (
            lambda: dwsep.Conv1D(f(3, 8, 2)).output_shape((9, 7)),
            ValueError,
            "x_shape: need shape (W, 8) or (N, W, 8), got (9, 7)",
        ),
        (
            lambda: dwsep.DepthwiseConv1D(f(3, 8))(f(9, 8), f(9, 8)),
            TypeError,
            "DepthwiseConv1D(): need x, out and num_threads",
        ),
        (
            lambda: dwsep.conv1d(f(9, 8), f(3, 8, 2), quantization=dwsep.Quantization(0.1)),
            ValueError,
            "quantization: need None without x_quantization",
        ),
    ],
)
def test_wrong_arguments(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert text in str(caught.value)
