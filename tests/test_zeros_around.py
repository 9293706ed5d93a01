"""Images that get zeros around them for a convolution keep the bits that they have without."""

from __future__ import annotations

import numpy as np
import pytest

import dwsep

# Rows, columns, channels and outputs of a group, groups, filter, stride, dilation.
SHAPES = [
    (4, 4, 1, 64, 1, 5, 3, 1),
    (8, 8, 3, 128, 1, 5, 3, 1),
    (14, 7, 3, 64, 1, 7, 1, 1),
    (5, 5, 4, 96, 1, 3, 2, 1),
    (8, 9, 3, 8, 1, 4, 1, 1),
    (7, 7, 3, 21, 1, 3, 1, 2),
    (8, 8, 6, 6, 8, 7, 3, 1),
    (1, 12, 2, 24, 1, 9, 2, 1),
    (12, 1, 2, 24, 1, 9, 2, 1),
    (6, 3, 5, 40, 3, 6, 2, 1),
    (7, 7, 8, 8, 10, 3, 1, 1),  # images of groups one after the other,
    (10, 6, 8, 8, 10, 5, 1, 1),
    (4, 4, 48, 60, 1, 4, 2, 1),  # many weights
    (3, 4, 16, 16, 24, 3, 2, 1),
]


def _both(shape, values=(), **options):
    """Return the output of a layer, and that of one with a filter more, too small for zeros."""
    height, width, channels, outputs, groups, size, stride, dilation = shape
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2, height, width, channels * groups)).astype(np.float32)
    x.flat[rng.permutation(x.size)[: len(values)]] = values
    weight = rng.standard_normal((size, size, channels, groups, outputs + 1)).astype(np.float32)
    weight[..., outputs] = 1e-20
    bias = rng.standard_normal((groups, outputs + 1)).astype(np.float32)
    options |= {"stride": stride, "dilation": dilation, "groups": groups, "padding": "same"}

    def layer(filters, shift):
        flat = np.ascontiguousarray(filters).reshape(size, size, channels, -1)
        return dwsep.Conv2D(flat, np.ascontiguousarray(shift).ravel(), **options)

    y = layer(weight[..., :outputs], bias[:, :outputs])(x)
    other = layer(weight, bias)(x)
    other = other.reshape(*other.shape[:3], groups, -1)[..., :outputs]
    return y, np.ascontiguousarray(other).reshape(y.shape)


@pytest.mark.parametrize("activation", [None, "relu6", "silu"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_bits_are_those_without_zeros(shape, activation):
    y, other = _both(shape, activation=activation)
    assert y.tobytes() == other.tobytes()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("value", [-0.0, np.nan, np.inf, 1e-42, 1e-12, -1e-13])
def test_inputs_that_are_not_usual(shape, value):
    y, other = _both(shape, [value] * 2)
    assert np.array_equal(y, other, equal_nan=True)
    assert np.array_equal(np.signbit(y), np.signbit(other)) or np.isnan(value)


def test_a_bias_of_minus_zero_stays():
    weight, bias = np.zeros((5, 5, 1, 64), np.float32), np.full(64, -0.0, np.float32)
    x = np.full((1, 4, 4, 1), -1.0, np.float32)
    y = dwsep.Conv2D(weight, bias, stride=3, padding="same")(x)
    assert np.signbit(y).all()


def test_infinite_weights_meet_pixels_alone():
    weight = np.ones((5, 5, 1, 64), np.float32)
    weight[0, 0] = np.inf
    y = dwsep.Conv2D(weight, None, stride=3, padding="same")(np.ones((1, 4, 4, 1), np.float32))
    assert np.isfinite(y[0, 0, 0]).all()


@pytest.mark.parametrize(("taps", "pixels"), [(1e-30, -1e-30), (1e-11, -1e-40), (1e-11, -1e-36)])
def test_products_that_vanish_have_one_sign(taps, pixels):
    weight = np.full((5, 5, 1, 64), taps, np.float32)
    x = np.full((1, 4, 4, 1), pixels, np.float32)
    negative = np.signbit(dwsep.Conv2D(weight, None, stride=3, padding="same")(x))
    assert negative.all() or not negative.any()  # rounded as products they are 0 + -0
