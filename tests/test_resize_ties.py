"""The nearest pixel of a resize to sizes, where the middle of two is hit exactly."""

import math
from fractions import Fraction

import numpy as np
import pytest
from small_networks import Builder

import dwsep

HALF = Fraction(1, 2)
COORDINATES = {
    "half_pixel": lambda i, old, new: Fraction((2 * i + 1) * old, 2 * new) - HALF,
    "asymmetric": lambda i, old, new: Fraction(i * old, new),
    "align_corners": lambda i, old, new: Fraction(i * (old - 1), max(new - 1, 1)),
}
ROUNDINGS = {
    "round_prefer_floor": lambda at: math.ceil(at - HALF),
    "round_prefer_ceil": lambda at: math.floor(at + HALF),
}
PAIRS = [(old, new) for old in range(1, 33) for new in range(1, 33, 3)]
PAIRS += [(20, 6), (30, 9), (28, 8), (28, 32), (4099, 2734), (1999, 1333)]


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_ties(coordinates, rounding):
    """Float32 would take 14.5, where output 4 of 20 pixels to 6 lies, for less."""
    wrong = []
    for old, new in PAIRS:
        b = Builder()
        attributes = {
            "function": "nearest",
            "coordinates": coordinates,
            "rounding": rounding,
            "size": [1, new],
            "scale": [1.0, new / old],
        }
        x = b.core.input("x", (1, 1, old, 1))
        network = dwsep.Model(b.finish(y=b.step("resize", [x], attributes)))
        got = network(np.arange(old, dtype=np.float32).reshape(1, 1, old, 1)).ravel()
        at = (COORDINATES[coordinates](i, old, new) for i in range(new))
        wanted = [min(max(ROUNDINGS[rounding](v), 0), old - 1) for v in at]
        if got.astype(int).tolist() != wanted:
            wrong.append((old, new))
    assert not wrong
