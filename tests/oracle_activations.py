"""Every activation in float64, and how far a float32 evaluation may be from it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

U = 2.0**-24  # unit roundoff of float32
TINY = 2.0**-149  # the smallest subnormal float32
UNDERFLOW = 2.0**-125  # twice the smallest normal float32


@dataclass(frozen=True)
class Activation:
    value: Callable[[np.ndarray], np.ndarray]
    lipschitz: float
    # How far a float32 evaluation may be off, given x and the value at x. One ulp is at most 2 U.
    rounding: Callable[[np.ndarray, np.ndarray], np.ndarray]


def _sigmoid(x):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def _hard_sigmoid(x):
    return np.clip(x / 6 + 0.5, 0, 1)


def _gelu(x):
    erfc = np.frompyfunc(math.erfc, 1, 1)
    return 0.5 * x * erfc(-x * math.sqrt(0.5)).astype(np.float64)


def _exact(x, y):
    return np.zeros_like(y)


def _few_ulp(x, y):
    # Four ulp: about what a polynomial exponential with a division reaches. Where a sigmoid
    # underflows it may stop at zero or anywhere in the last binades, also as a factor of x.
    return 8 * U * np.abs(y) + UNDERFLOW * np.clip(np.abs(x), 1, 128)


def _hard_sigmoid_rounding(x, y):
    # x/6 + 1/2 with a rounded 1/6, or (x + 3) * (1/6): three roundings of at most 1; 0 and 1 exact.
    return 3 * U * (np.abs(x) < 3 + 1e-5)


def _hard_swish_rounding(x, y):
    return np.abs(x) * _hard_sigmoid_rounding(x, y) + U * np.abs(y) + TINY


def _gelu_rounding(x, y):
    # x/2 * (1 + erf): 1 + erf cancels in the negative tail, so the error is relative to |x|.
    return 8 * U * np.abs(x) + UNDERFLOW


def _clip(low: float, high: float) -> Activation:
    low, high = float(np.float32(low)), float(np.float32(high))
    return Activation(lambda x: np.clip(x, low, high), 1, _exact)


def _leaky_relu(slope: float) -> Activation:
    slope = float(np.float32(slope))
    return Activation(
        lambda x: np.where(x < 0, slope * x, x),
        max(1, abs(slope)),
        lambda x, y: np.where(x < 0, U * np.abs(y) + TINY, 0),
    )


# The Lipschitz constants of the smooth ones are the extrema of their first derivatives.
ACTIVATIONS = {
    None: Activation(lambda x: x, 1, _exact),
    "relu": _clip(0, np.inf),
    "relu6": _clip(0, 6),
    "leaky_relu": _leaky_relu(0.01),
    "hard_sigmoid": Activation(_hard_sigmoid, 1 / 6, _hard_sigmoid_rounding),
    "hard_swish": Activation(lambda x: x * _hard_sigmoid(x), 1.5, _hard_swish_rounding),
    "sigmoid": Activation(_sigmoid, 0.25, _few_ulp),
    "silu": Activation(lambda x: x * _sigmoid(x), 1.1, _few_ulp),
    "swish": Activation(lambda x: x * _sigmoid(x), 1.1, _few_ulp),
    "tanh": Activation(np.tanh, 1, _few_ulp),
    "gelu": Activation(_gelu, 1.13, _gelu_rounding),
}


def activation(spec) -> Activation:
    if isinstance(spec, tuple):
        name, *parameters = spec
        return {"clip": _clip, "leaky_relu": _leaky_relu}[name](*parameters)
    return ACTIVATIONS[spec]
