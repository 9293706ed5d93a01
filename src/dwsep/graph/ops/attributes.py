"""The types of attributes: how a node's value is spelled for the core.

A test compares the core's schemas with what is declared here. What a node may hold is with the
tests, which check every graph that they make: importers check what they read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from ..._checks import LEAKY_SLOPE
from ..._checks import activation as canonical_activation
from ..sizes import all_known, is_open, whole

CoreValue: TypeAlias = "str | float | list[int] | list[float]"  # numbers may depend on open sizes
Lowered: TypeAlias = "dict[str, CoreValue]"


class AttributeType:
    """An attribute; one that is not required may be absent or None.

    Objects with functions, as a class for each of a dozen types would take 0.3 ms to make (Zen 3).

    Parameters
    ----------
    core : str
        The type's name in the core's schema.
    lowered : callable
        What the core gets for a name, a value, and all attributes of the node.
    choices : tuple of str
        Empty but for choices.
    """

    __slots__ = ("choices", "core", "lowered", "required")

    def __init__(
        self,
        core: str,
        lowered: Callable[[str, Any, Mapping[str, Any]], Lowered],
        required: bool = True,
        choices: tuple[str, ...] = (),
    ) -> None:
        self.core, self.lowered = core, lowered
        self.required, self.choices = required, choices


def _integers(name: str, value: Any, attributes: Mapping[str, Any]) -> Lowered:
    return {name: list(value) if all_known(value) else [whole(v) for v in value]}


def _int(name: str, value: Any, attributes: Mapping[str, Any]) -> Lowered:
    return {name: [whole(value)]}


def _flag(name: str, value: Any, attributes: Mapping[str, Any]) -> Lowered:
    return {name: [int(value)]}


def _float(name: str, value: Any, attributes: Mapping[str, Any]) -> Lowered:
    return {name: [float(value)]}


def _floats(name: str, value: Any, attributes: Mapping[str, Any]) -> Lowered:
    return {name: list(map(float, value))}


def _open_floats(name: str, value: Any, attributes: Mapping[str, Any]) -> Lowered:
    return {name: [v if is_open(v) else float(v) for v in value]}


def _choice(name: str, value: Any, attributes: Mapping[str, Any]) -> Lowered:
    return {name: str(value)}


_INFINITY = float("inf")
_CLIPS = {None: (-_INFINITY, _INFINITY), "relu": (0.0, _INFINITY), "relu6": (0.0, 6.0)}


def clips(activation: Any) -> bool:
    """Return whether an activation is a clip; None is one without bounds."""
    kind = activation[0] if isinstance(activation, (tuple, list)) else activation
    return kind == "clip" or kind in _CLIPS


def _activation(name: str, value: Any, attributes: Mapping[str, Any]) -> Lowered:
    """Spell an activation of the functional API, as `<name>`, `<name>_lo` and `<name>_hi`."""
    canonical = canonical_activation(value)
    kind, *numbers = canonical if isinstance(canonical, tuple) else (canonical,)
    if kind in _CLIPS:
        kind, numbers = "clip", list(_CLIPS[kind])
    elif kind == "leaky_relu" and not numbers:
        numbers = [LEAKY_SLOPE]
    ends = zip(("_lo", "_hi"), numbers, strict=False)
    return {name: str(kind), **{name + end: float(number) for end, number in ends}}


_LONGEST = 2**63 - 1


def _stops(name: str, value: Any, attributes: Mapping[str, Any]) -> Lowered:
    ends = [-_LONGEST - 1 if step < 0 else _LONGEST for step in attributes["steps"]]
    return {name: [whole(e if stop is None else stop) for stop, e in zip(value, ends, strict=True)]}


def _indices(name: str, value: Any, attributes: Mapping[str, Any]) -> Lowered:
    indices = np.asarray(value)
    flat = [int(i) for i in indices.ravel()]
    return {name: flat, f"{name}_shape": list(indices.shape)}


Ints = partial(AttributeType, "ints", _integers)
Pair = partial(AttributeType, "pair", _integers)  # (vertical, horizontal)
Sides = partial(AttributeType, "sides", _integers)  # (top, bottom, left, right)
Int = partial(AttributeType, "int", _int)
Flag = partial(AttributeType, "flag", _flag)
Float = partial(AttributeType, "float", _float)
FloatPair = partial(AttributeType, "float_pair", _open_floats)  # (vertical, horizontal)
Floats = partial(AttributeType, "floats", _floats)
Stops = partial(AttributeType, "ints", _stops)  # None is the end in the direction of `steps`
Indices = partial(AttributeType, "ints", _indices)  # an array of integers, flat for the core


def choice(*choices: str, required: bool = True) -> AttributeType:
    """Return the type of an attribute that is one of some strings."""
    return AttributeType("choice", _choice, required, choices)


OPTIONAL_ACTIVATION = AttributeType("activation", _activation, required=False)

# What the integers of an output stand for, in kinds that compute with integers.
QUANTIZED_OUTPUT: dict[str, AttributeType] = {
    "to": choice("int8", "uint8", required=False),
    "scale": Floats(required=False),
    "zero_point": Ints(required=False),
    "axis": Int(required=False),
}
ONE_SCALE = {name: type_ for name, type_ in QUANTIZED_OUTPUT.items() if name != "axis"}
