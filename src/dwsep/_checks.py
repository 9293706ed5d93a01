"""The checks that loading a network needs, too: kinds of arguments, and activations."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from . import _core

CanonicalActivation: TypeAlias = "str | tuple[str, float] | tuple[str, float, float] | None"

# Clips are None, relu and relu6, or take their bounds; leaky_relu has a default slope.
ACTIVATIONS = ("relu", "relu6", *(name for name, n in _core.activations().items() if n < 2))
LEAKY_SLOPE = 0.01
_INFINITY = float("inf")
LARGEST_FLOAT32 = 3.4028234663852886e38


def kind_of(value: object) -> str:
    """Return the name of a value's class for an error message."""
    t = type(value)
    return t.__qualname__ if t.__module__ == "builtins" else f"{t.__module__}.{t.__qualname__}"


def shown(value: object) -> str:
    """Return a value and its class for an error message."""
    text = repr(value)
    return f"{text if len(text) <= 100 else text[:97] + '...'} ({kind_of(value)})"


def check_kind(value: object, kind: type, name: str, wanted: str) -> None:
    """Refuse what is not of a kind; strings are sequences, but never meant as such."""
    if not isinstance(value, kind) or isinstance(value, (str, bytes)):
        raise TypeError(f"{name}: need {wanted}, got {shown(value)}")


def _real(value: object, name: str, whole: object) -> float:
    """Return a number that float32 can hold, infinities included."""
    error = f"{name}: need a number that float32 can hold, got {shown(value)} in {whole!r}"
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(error)
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(error) from None
    if number != number or LARGEST_FLOAT32 < abs(number) < _INFINITY:
        raise ValueError(error)
    return number


def activation(value: object, name: str = "activation") -> CanonicalActivation:
    """Return None, a name, ("leaky_relu", slope) or ("clip", lo, hi)."""
    if value is None:
        return None
    if isinstance(value, str):
        if value == "swish":
            return "silu"
        if value == "leaky_relu":
            return "leaky_relu", LEAKY_SLOPE
        if value in ACTIVATIONS:
            return str(value)
    elif isinstance(value, (tuple, list)):
        if len(value) == 2 and value[0] == "leaky_relu":
            slope = _real(value[1], name, value)
            if abs(slope) == _INFINITY:
                raise ValueError(f"{name}: need a finite slope of leaky_relu, got {slope}")
            return "leaky_relu", slope
        if len(value) == 3 and value[0] == "clip":
            lo, hi = _real(value[1], name, value), _real(value[2], name, value)
            if lo > hi:
                raise ValueError(f"{name}: need clip bounds lo <= hi, got {lo} and {hi}")
            return "clip", lo, hi
    names = ", ".join(map(repr, ACTIVATIONS))
    error = TypeError if not isinstance(value, (str, tuple, list)) else ValueError
    raise error(
        f"{name}: need None, {names}, ('leaky_relu', slope) or ('clip', lo, hi), got {shown(value)}"
    )
