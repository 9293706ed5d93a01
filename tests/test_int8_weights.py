"""Weights of int8 next to real inputs: as what they stand for, in a quarter of the room."""

from __future__ import annotations

import dwsep_file
import numpy as np
import pytest
import small_networks

from dwsep import _core

RNG = np.random.default_rng(3)
WEIGHT = RNG.integers(-127, 128, (12, 37)).astype(np.int8)
SCALES = np.linspace(0.001, 0.004, 37).astype(np.float32)
BIAS = RNG.standard_normal(37).astype(np.float32)
X = RNG.standard_normal((3, 12)).astype(np.float32)


def network(**weights):
    b = small_networks.Builder()
    x = b.core.input("x", (-1, 12))
    return b.finish(y=b.step("pointwise", [x], {"activation": "silu"}, **weights))


@pytest.mark.parametrize("scales", [SCALES, SCALES[5:6]])
@pytest.mark.parametrize("bias", [{}, {"bias": BIAS}])
def test_they_are_what_they_stand_for(scales, bias):
    bytes_ = network(weight=WEIGHT, weight_scale=scales, **bias)
    real = network(weight=WEIGHT * scales, **bias)
    assert np.array_equal(bytes_.run([X])[0], real.run([X])[0])
    content = bytes_.to_bytes()
    (step,) = (v for v in dwsep_file.parse(content).values if isinstance(v, dwsep_file.Step))
    assert step.weights["weight"].type.dtype == dwsep_file.INT8
    read = _core.Network.from_bytes(content)
    assert np.array_equal(read.run([X])[0], real.run([X])[0])
    assert read.to_bytes() == content


@pytest.mark.parametrize(
    ("weights", "complaint"),
    [
        ({}, "'weight_scale': need some, as weights are int8, got none"),
        ({"weight_scale": SCALES[:5]}, "weight_scale: need .*37"),
        ({"weight_scale": SCALES - SCALES[3]}, "'weight_scale': need finite and positive numbers"),
        ({"weight_scale": SCALES * np.float32(np.nan)}, "need finite and positive numbers"),
        ({"weight_scale": SCALES, "bias": BIAS.astype(np.int32)}, "'bias': need type float32"),
        ({"weight_scale": SCALES, "table": np.zeros(256, np.int8)}, "table"),
        ({"weight_scale": SCALES, "weight_zero_point": np.zeros(1, np.int32)}, "zero_point"),
    ],
)
def test_what_does_not_fit_is_refused(weights, complaint):
    with pytest.raises(ValueError, match=complaint):
        network(weight=WEIGHT, **weights)


def test_only_int8_has_such_a_form():
    with pytest.raises(ValueError, match="'weight': need type float32, as x has, got uint8"):
        network(weight=WEIGHT.astype(np.uint8), weight_scale=SCALES)
