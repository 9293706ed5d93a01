"""The types of attributes: what a node holds, and what the core gets.

Every type says how the core's schema declares the attribute (`schema`) and how a node's value is
spelled for the core (`lowered`). A test compares the schemas with those that the core declares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from ..._checks import LEAKY_SLOPE
from ..._checks import activation as canonical_activation
from ..._record import Record
from ..sizes import all_known, is_open, whole

CoreValue: TypeAlias = "str | float | list[int] | list[float]"  # numbers may depend on open sizes


class Entry(Record):
    """One attribute as the core declares it; `choices` are empty but for choices."""

    name: str
    type: str
    required: bool
    choices: tuple[str, ...] = ()


class AttributeType:
    """An attribute; one that is not required may be absent or None."""

    core = ""  # the type's name in the core's schema
    text = ""  # and in documents

    def __init__(self, required: bool = True) -> None:
        self.required = required

    def schema(self, name: str) -> list[Entry]:
        return [Entry(name, self.core, self.required)]

    def fits(self, value: Any) -> bool:
        """Return whether a node may hold this value."""
        raise NotImplementedError

    def lowered(self, name: str, value: Any, attributes: Mapping[str, Any]) -> dict[str, CoreValue]:
        """Return what the core gets for a value; `attributes` are all of the node's."""
        raise NotImplementedError


def _is_int(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


class _Integers(AttributeType):
    """Integers of a fixed number, or any."""

    count: int | None = None

    def fits(self, value: Any) -> bool:
        if not isinstance(value, (tuple, list)) or not all(map(_is_int, value)):
            return False
        return self.count in (None, len(value))

    def lowered(self, name: str, value: Any, attributes: Mapping[str, Any]) -> dict[str, CoreValue]:
        return {name: list(value) if all_known(value) else [whole(v) for v in value]}


class Ints(_Integers):
    """Any number of integers."""

    core, text = "ints", "ints"


class Pair(_Integers):
    """(vertical, horizontal)."""

    core, text, count = "pair", "pair", 2


class Sides(_Integers):
    """(top, bottom, left, right)."""

    core, text, count = "sides", "4 ints", 4


class Int(AttributeType):
    """One integer."""

    core, text = "int", "int"

    def fits(self, value: Any) -> bool:
        return _is_int(value)

    def lowered(self, name: str, value: Any, attributes: Mapping[str, Any]) -> dict[str, CoreValue]:
        return {name: [whole(value)]}


class Flag(AttributeType):
    """True or False."""

    core, text = "flag", "flag"

    def fits(self, value: Any) -> bool:
        return isinstance(value, (bool, np.bool_))

    def lowered(self, name: str, value: Any, attributes: Mapping[str, Any]) -> dict[str, CoreValue]:
        return {name: [int(value)]}


class Float(AttributeType):
    """One number."""

    core, text = "float", "float"

    def fits(self, value: Any) -> bool:
        return isinstance(value, (int, float, np.floating, np.integer))

    def lowered(self, name: str, value: Any, attributes: Mapping[str, Any]) -> dict[str, CoreValue]:
        return {name: [float(value)]}


class FloatPair(AttributeType):
    """Two numbers, (vertical, horizontal)."""

    core, text = "float_pair", "2 floats"

    def fits(self, value: Any) -> bool:
        return isinstance(value, (tuple, list)) and len(value) == 2

    def lowered(self, name: str, value: Any, attributes: Mapping[str, Any]) -> dict[str, CoreValue]:
        return {name: [v if is_open(v) else float(v) for v in value]}


class Floats(AttributeType):
    """Any number of numbers."""

    core, text = "floats", "floats"

    def fits(self, value: Any) -> bool:
        return isinstance(value, (tuple, list)) and all(map(Float().fits, value))

    def lowered(self, name: str, value: Any, attributes: Mapping[str, Any]) -> dict[str, CoreValue]:
        return {name: list(map(float, value))}


class Choice(AttributeType):
    """One of some strings."""

    core = "choice"

    def __init__(self, required: bool, choices: tuple[str, ...]) -> None:
        super().__init__(required)
        self.choices = choices

    @property
    def text(self) -> str:  # type: ignore[override]
        return " / ".join(f"`{choice}`" for choice in self.choices)

    def schema(self, name: str) -> list[Entry]:
        return [Entry(name, self.core, self.required, self.choices)]

    def fits(self, value: Any) -> bool:
        return value in self.choices

    def lowered(self, name: str, value: Any, attributes: Mapping[str, Any]) -> dict[str, CoreValue]:
        return {name: str(value)}


def choice(*choices: str, required: bool = True) -> Choice:
    """Return the type of an attribute that is one of some strings."""
    return Choice(required, choices)


_INFINITY = float("inf")
_CLIPS = {None: (-_INFINITY, _INFINITY), "relu": (0.0, _INFINITY), "relu6": (0.0, 6.0)}


def clips(activation: Any) -> bool:
    """Return whether an activation is a clip; None is one without bounds."""
    kind = activation[0] if isinstance(activation, (tuple, list)) else activation
    return kind == "clip" or kind in _CLIPS


class Activation(AttributeType):
    """Spelled as in the functional API: None, "relu6", ("clip", lo, hi), ("leaky_relu", slope).

    The core gets `<name>`, `<name>_lo` and `<name>_hi`; its schema declares the three as one.
    """

    core, text = "activation", "activation"

    def fits(self, value: Any) -> bool:
        try:
            canonical_activation(value)
        except (TypeError, ValueError):
            return False
        return True

    def lowered(self, name: str, value: Any, attributes: Mapping[str, Any]) -> dict[str, CoreValue]:
        canonical = canonical_activation(value)
        kind, *numbers = canonical if isinstance(canonical, tuple) else (canonical,)
        if kind in _CLIPS:
            kind, numbers = "clip", list(_CLIPS[kind])
        elif kind == "leaky_relu" and not numbers:
            numbers = [LEAKY_SLOPE]
        ends = zip(("_lo", "_hi"), numbers, strict=False)
        return {name: str(kind), **{name + end: float(number) for end, number in ends}}


_LONGEST = 2**63 - 1


class Stops(_Integers):
    """Where slices end; None is the end in the direction of `steps`."""

    core, text = "ints", "ints"

    def fits(self, value: Any) -> bool:
        return isinstance(value, (tuple, list)) and all(v is None or _is_int(v) for v in value)

    def lowered(self, name: str, value: Any, attributes: Mapping[str, Any]) -> dict[str, CoreValue]:
        ends = [-_LONGEST - 1 if step < 0 else _LONGEST for step in attributes["steps"]]
        return {
            name: [whole(e if stop is None else stop) for stop, e in zip(value, ends, strict=True)]
        }


class Indices(AttributeType):
    """An array of integers; the core gets them flat and the shape as `<name>_shape`."""

    core, text = "ints", "array of ints"

    def schema(self, name: str) -> list[Entry]:
        return [Entry(name, "ints", True), Entry(f"{name}_shape", "ints", False)]

    def fits(self, value: Any) -> bool:
        return isinstance(value, np.ndarray) and value.dtype.kind in "iu"

    def lowered(self, name: str, value: Any, attributes: Mapping[str, Any]) -> dict[str, CoreValue]:
        indices = np.asarray(value)
        flat = [int(i) for i in indices.ravel()]
        return {name: flat, f"{name}_shape": list(indices.shape)}


OPTIONAL_ACTIVATION = Activation(required=False)

# What the integers of an output stand for, in kinds that compute with integers.
QUANTIZED_OUTPUT: dict[str, AttributeType] = {
    "to": choice("int8", "uint8", required=False),
    "scale": Floats(required=False),
    "zero_point": Ints(required=False),
    "axis": Int(required=False),
}
ONE_SCALE = {name: type_ for name, type_ in QUANTIZED_OUTPUT.items() if name != "axis"}
