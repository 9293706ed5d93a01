"""One node of the file, with its inputs found and its attributes checked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InvalidModelError
from ..importing.builder import Builder
from ..importing.symbols import UNKNOWN, is_symbolic
from ..importing.unsupported import Unsupported
from ..importing.values import Computed, Known, Value, shape_of
from ..ir import Array
from ..types import Shape

_MOST_SIZES = 64  # elements of a shape, a list of axes and the like


@dataclass(eq=False)
class Call:
    """What an importer of an operator works on."""

    builder: Builder
    name: str
    type: str
    opset: int
    inputs: list[Value | None]
    outputs: list[str]  # "" where nobody reads it
    attributes: dict[str, Any]

    def has(self, index: int) -> bool:
        """Return whether an input is there."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def value(self, index: int) -> Value:
        """Return an input that must be there."""
        value = self.inputs[index] if index < len(self.inputs) else None
        if value is None:
            raise InvalidModelError(f"input {index} is missing")
        return value

    def shape(self, index: int = 0) -> Shape:
        """Return the shape of an input."""
        return shape_of(self.value(index))

    def known(self, index: int, what: str) -> NDArray[Any]:
        """Return an input that must be known now; `what` names it in the error."""
        value = self.value(index)
        if isinstance(value, Computed):
            raise Unsupported(f"its {what} {value.name!r} is computed by the network")
        return value.array

    def weight(self, index: int, what: str) -> Array:
        """Return an input that must be a float32 constant."""
        array = self.known(index, what)
        if array.dtype != np.float32:
            raise Unsupported(
                f"its {what} {self._name(index)!r} is {array.dtype}, dwsep computes in float32"
            )
        return array

    def _name(self, index: int) -> str:
        value = self.inputs[index]
        return value.name if value is not None else ""

    def scalar(self, index: int, what: str) -> float:
        """Return an input that must be one number."""
        array = self.known(index, what)
        if array.size != 1 or is_symbolic(array):
            raise InvalidModelError(f"{what}: need one number, got shape {array.shape}")
        return float(array.reshape(())[()])

    def sizes(self, index: int, what: str) -> list[Any]:
        """Return an input that is a short list of integers, perhaps with Dims."""
        array = self.known(index, what)
        if array.ndim > 1 or array.size > _MOST_SIZES or not _integral(array):
            raise InvalidModelError(
                f"{what}: need a short list of integers, got {array.dtype} {array.shape}"
            )
        return array.reshape(-1).tolist()

    def ints(self, index: int, what: str) -> list[int]:
        """Return an input that is a short list of integers known now."""
        sizes = self.sizes(index, what)
        if not all(isinstance(n, int) for n in sizes):
            raise Unsupported(f"its {what} {UNKNOWN}")
        return sizes

    def attribute(self, name: str, default: Any) -> Any:
        """Return an attribute; one without a default must be there."""
        value = self.attributes.get(name, default)
        if value is ...:
            raise InvalidModelError(f"attribute {name!r} is missing")
        return value

    def number(self, name: str, default: float) -> float:
        """Return an attribute that is a finite number."""
        value = float(self.attribute(name, default))
        if not math.isfinite(value):
            raise InvalidModelError(f"{name}: need a finite number, got {value}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """Return an attribute that is 0 or 1."""
        value = self.attribute(name, int(default))
        if value not in (0, 1):
            raise InvalidModelError(f"{name}: need 0 or 1, got {value!r}")
        return bool(value)

    def axes(self, name: str, given: list[int] | None, rank: int) -> list[int]:
        """Return axes counted from the front, each once."""
        axes = [self.axis(axis, rank, name) for axis in given or []]
        if len(set(axes)) != len(axes):
            raise InvalidModelError(f"{name}: an axis is there twice in {given}")
        return axes

    def axis(self, axis: int, rank: int, name: str = "axis") -> int:
        """Return an axis counted from the front."""
        if not -rank <= axis < rank:
            raise InvalidModelError(f"{name}: need from {-rank} to {rank - 1}, got {axis}")
        return axis % rank

    def ints_of(self, name: str, index: int, changed: int) -> list[int] | None:
        """Return integers that were an attribute before the opset `changed`, an input since."""
        if self.opset < changed:
            value = self.attributes.get(name)
            return None if value is None else list(value)
        return self.ints(index, name) if self.has(index) else None


def part_of(start: int, stop: int, step: int, size: int) -> tuple[int, int | None, int]:
    """Return the part of an axis as Python would write it, of which ONNX clamps the bounds.

    Python's own clamping differs: going down from before the first element it takes nothing, ONNX
    the first element.
    """
    first, last, step = slice(start, stop, step).indices(size)
    return max(first, 0), None if last < 0 else last, step


def _integral(array: NDArray[Any]) -> bool:
    return is_symbolic(array) or np.issubdtype(array.dtype, np.integer)


__all__ = ["Call", "Known", "part_of"]
