"""Activations of the functional API with NumPy, in the precision of the array."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]


def activate(x: AnyArray, activation: Any) -> AnyArray:
    """Return an activation, spelled as in the functional API, of every element."""
    name, *numbers = activation if isinstance(activation, tuple) else (activation,)
    if name is None:
        return x
    if name == "clip":
        low, high = numbers
        return np.clip(x, x.dtype.type(low), x.dtype.type(high))
    if name == "leaky_relu":
        return np.where(x < 0, x * x.dtype.type(numbers[0] if numbers else 0.01), x)
    if name == "relu":
        return np.maximum(x, 0)
    if name == "relu6":
        return np.clip(x, 0, 6)
    if name == "tanh":
        return np.asarray(np.tanh(x))
    if name in ("silu", "swish"):
        return np.asarray(x * _sigmoid(x))
    if name == "sigmoid":
        return _sigmoid(x)
    if name == "hard_sigmoid":
        return np.clip(x / 6 + 0.5, 0, 1)
    if name == "hard_swish":
        return np.asarray(x * np.clip(x / 6 + 0.5, 0, 1))
    if name == "gelu":
        phi = [0.5 * math.erfc(-v / math.sqrt(2)) for v in x.ravel().tolist()]
        return np.asarray(x * np.array(phi, x.dtype).reshape(x.shape))
    raise ValueError(f"activation: unknown {activation!r}")


def _sigmoid(x: AnyArray) -> AnyArray:
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(x < 0, e, 1) / (1 + e))
