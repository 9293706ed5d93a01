"""Activations one by one: fed exactly, through a 1x1 convolution with weight 1."""

import choices
import numpy as np
import oracle
import pytest
from calls import bits_differ, out_of_bound

import dwsep
from dwsep import _checks

pytestmark = pytest.mark.kernels
IDENTITY = np.ones((1, 1), np.float32)
NAMED = [spec for spec in oracle.ACTIVATIONS if spec]


def activate(values, spec):
    x = np.asarray(values, np.float32).reshape(1, -1, 1)
    return dwsep.pointwise_conv2d(x, IDENTITY, activation=spec).reshape(np.shape(values))


def every_magnitude() -> np.ndarray:
    near = np.linspace(-25, 25, 40001, dtype=np.float32)
    far = np.geomspace(1e-45, 3e38, 5000).astype(np.float32)
    corners = np.float32([0, 1, 3, 6, 87.3, 88.7, 103.9, 104])
    above, below = (np.nextafter(corners, np.float32(end)) for end in (np.inf, -np.inf))
    positive = [far, corners, above, below, np.float32([np.finfo(np.float32).max])]
    return np.concatenate([near, *positive, *(-values for values in positive)])


@pytest.mark.parametrize("spec", choices.ALL_ACTIVATIONS, ids=str)
def test_within_a_few_ulp_everywhere(spec):
    x = every_magnitude()
    exact = oracle.Estimate(x.astype(np.float64), np.zeros(x.shape))
    assert out_of_bound(activate(x, spec), oracle.activate(exact, spec)) is None


@pytest.mark.parametrize(
    ("spec", "x", "y"),
    [
        ("relu", -2, 0),
        ("relu", 7, 7),
        ("relu6", 7, 6),
        ("relu6", -1, 0),
        ("leaky_relu", -100, -1),
        ("leaky_relu", 5, 5),
        (("leaky_relu", 0.5), -3, -1.5),
        (("clip", -1, 2), -3, -1),
        (("clip", -1, 2), 3, 2),
        (("clip", -1, 2), 0.5, 0.5),
        ("hard_sigmoid", -3, 0),
        ("hard_sigmoid", 0, 0.5),
        ("hard_sigmoid", 3, 1),
        ("hard_swish", -4, 0),
        ("hard_swish", 4, 4),
        ("hard_swish", -1, -1 / 3),
        ("sigmoid", 0, 0.5),
        ("sigmoid", 200, 1),
        ("silu", 1, 0.731058578630),
        ("silu", 100, 100),
        ("tanh", 0.5, 0.462117157260),
        ("tanh", -50, -1),
        ("gelu", 1, 0.841344746069),
        ("gelu", 10, 10),
    ],
    ids=str,
)
def test_known_values(spec, x, y):
    assert activate([x], spec).item() == pytest.approx(y, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("name", _checks.ACTIVATIONS)
def test_every_one_is_tested_and_documented(name):
    assert name in oracle.ACTIVATIONS
    assert f'"{name}"' in dwsep.depthwise_conv2d.__doc__
    assert f'"{name}"' in dwsep.DepthwiseConv2D.__doc__


def test_swish_is_silu():
    x = every_magnitude()
    assert bits_differ(activate(x, "swish"), activate(x, "silu")) is None


@pytest.mark.parametrize("spec", ["sigmoid", "tanh", "hard_sigmoid"])
def test_ranges_are_kept(spec):
    y = activate(every_magnitude(), spec)
    assert np.all(np.abs(y) <= 1)
    assert spec == "tanh" or np.all(y >= 0)


@pytest.mark.parametrize("spec", NAMED)
def test_same_bits_in_every_lane_and_tail(spec):
    """A value gives one result wherever it stands: in a full vector, in a tail, alone."""
    values = np.linspace(-7, 7, 67).astype(np.float32)
    alone = np.concatenate([activate(values[i : i + 1], spec) for i in range(values.size)])
    for length in range(1, values.size + 1):
        for channels in (1, length):  # along the pixels, and along the channels
            x = values[:length].reshape(1, -1, channels)
            w = np.ones((1, 1, channels), np.float32)
            y = dwsep.depthwise_conv2d(x, w, activation=spec).ravel()
            assert bits_differ(y, alone[:length]) is None, (length, channels)


@pytest.mark.parametrize("spec", ["silu", "tanh", "hard_swish"])
def test_same_bits_in_rows_of_any_width(spec):
    """Rows of a few vectors are computed several at a time; what lies between them stays."""
    rng = np.random.default_rng(0)
    for rows in (1, 2, 3, 4, 5, 7, 8, 150):
        for columns in range(1, 100, 7 if rows > 8 else 3):
            x = rng.uniform(-7, 7, (1, rows, columns)).astype(np.float32)
            kept = np.full((1, rows, columns + 3), 7, np.float32)
            eye = np.eye(columns, dtype=np.float32)
            dwsep.pointwise_conv2d(x, eye, activation=spec, out=kept[..., :columns])
            assert bits_differ(kept[..., :columns], activate(x, spec)) is None, (rows, columns)
            assert np.all(kept[..., columns:] == 7)
