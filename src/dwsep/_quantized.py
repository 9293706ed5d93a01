"""The quantizations among the arguments of functions and layers, checked against each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ._checks import shown
from .quantization import Quantization

if TYPE_CHECKING:
    from ._arguments import Array


def quantizations(
    given: Mapping[str, object], optional: tuple[str, ...]
) -> list[Quantization | None]:
    """Return the quantizations, x's first: all but those that are optional, or none.

    Parameters
    ----------
    given : mapping of str to object
        What came for each argument.
    optional : tuple of str
        Those that may be None next to others.
    """
    x = given["x_quantization"]
    found: list[Quantization | None] = []
    for name, value in given.items():
        if value is not None and not isinstance(value, Quantization):
            raise TypeError(f"{name}: need None or a dwsep.Quantization, got {shown(value)}")
        if x is None and value is not None:
            raise ValueError(f"{name}: need None without x_quantization, got {value!r}")
        if x is not None and value is None and name not in optional:
            raise TypeError(f"{name}: need a dwsep.Quantization next to x_quantization, got None")
        found.append(value)
    return found


def check_scales(q: Quantization | None, name: str, channels: int, of: str) -> None:
    """Refuse scales that are neither one nor one for each of so many channels; 0: only one."""
    if q is None or isinstance(q.scale, float) or q.scale.size in (1, channels):
        return
    each = f" or {channels}, one for each {of} channel" if channels else ""
    raise ValueError(f"{name}: need 1 scale{each}, got {q.scale.size}")


def check_output(
    q: Quantization | None, name: str, channels: int, residual: Quantization | None
) -> None:
    """Refuse a scale for each output channel where it cannot be computed with."""
    check_scales(q, name, channels, "output")
    if q is None or isinstance(q.scale, float) or q.scale.size == 1:
        return
    if residual is not None:
        raise ValueError(f"{name}: need 1 scale with residual_quantization, got {q.scale.size}")


def no_squeeze_excite(x: Quantization | None, given: Mapping[str, object]) -> None:
    """Refuse squeeze-excite in a layer of int8."""
    for name, value in given.items():
        if x is not None and value is not None:
            raise ValueError(
                f"{name}: need None with x_quantization (squeeze-excite is computed in float32 "
                f"alone), got {shown(value)}"
            )


def output_channels(weights: Array) -> int:
    """Return how many outputs depthwise weights (KH, KW, C, M) give."""
    return int(weights.shape[2] * weights.shape[3])
