"""Activations that are no clips: real numbers computed block by block, and then rounded."""

from __future__ import annotations

import numpy as np
import pytest

import dwsep

RNG = np.random.default_rng(5)


def integers(*shape):
    return RNG.integers(-128, 128, shape).astype(np.int8)


def stage(kind, channels, outputs, activation, quantization, **more):
    made = channels if kind == "depthwise" else outputs
    shape = {"depthwise": (3, 3, channels, 1), "pointwise": (channels, outputs)}
    types = {
        "x_quantization": dwsep.Quantization(0.02, 3),
        "weight_quantization": dwsep.Quantization(
            np.linspace(0.001, 0.002, made).astype(np.float32)
        ),
    }
    of = {"depthwise": dwsep.DepthwiseConv2D, "pointwise": dwsep.PointwiseConv2D}[kind]
    weight = np.random.default_rng(made).integers(-127, 128, shape[kind]).astype(np.int8)
    return of(weight, None, activation=activation, quantization=quantization, **types, **more)


def rounded(real, q):
    scale, zero = np.asarray(q.scale, np.float32), np.asarray(q.zero_point)
    return np.clip(np.rint(real / scale) + zero, -128, 127).astype(np.int8)


def several(channels):
    scales = np.linspace(0.01, 0.03, channels).astype(np.float32)
    return dwsep.Quantization(scales, RNG.integers(-128, 128, channels))


# More pixels than are computed at a time, and channels that share vectors, or fill them in part.
@pytest.mark.parametrize("activation", ["hard_swish", "silu", "sigmoid", "gelu"])
@pytest.mark.parametrize("channels", [3, 8, 16, 24, 65])
@pytest.mark.parametrize("kind", ["depthwise", "pointwise"])
def test_results_are_real_ones_rounded(kind, channels, activation):
    outputs = channels + 8
    x = integers(2, 67, 41, channels)
    made = channels if kind == "depthwise" else outputs
    real = stage(kind, channels, outputs, activation, None)(x)
    for q in (dwsep.Quantization(0.02, -7), several(made)):
        layer = stage(kind, channels, outputs, activation, q)
        wanted = rounded(real, q)
        for threads in (1, 2):
            assert np.array_equal(layer(x, num_threads=threads), wanted)
        room = np.full((*wanted.shape[:3], made + 5), 77, np.int8)
        assert np.array_equal(layer(x, out=room[..., :made]), wanted)
        assert (room[..., made:] == 77).all()


def test_residuals_are_added_before():
    x, residual = integers(1, 90, 61, 16), integers(1, 90, 61, 16)
    r, q = dwsep.Quantization(0.03, 5), dwsep.Quantization(0.02, -7)
    real, got = (
        stage("pointwise", 16, 16, "silu", to, residual_quantization=r)(x, residual=residual)
        for to in (None, q)
    )
    assert np.array_equal(got, rounded(real, q))
