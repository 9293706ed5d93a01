"""One node of the file with its inputs found, as importers of operators read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InvalidModelError
from ..ir import Array
from ..sizes import Shape
from .builder import Builder
from .values import UNKNOWN, Computed, Unsupported, Value, as_float32, is_symbolic, shape_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_SIZES = 64  # elements of a shape, a list of axes and the like


class OperatorCall:
    """What an importer of an operator works on; each format adds how it spells attributes.

    Of `outputs`, those that nobody reads are "".
    """

    def __init__(
        self,
        builder: Builder,
        name: str,
        type_: str,
        inputs: list[Value | None],
        outputs: list[str],
    ) -> None:
        self.builder = builder
        self.name = name
        self.type = type_
        self.inputs = inputs
        self.outputs = outputs

    def has(self, index: int) -> bool:
        """Return whether an input is there."""
        return index < len(self.inputs) and self.inputs[index] is not None

    @property
    def is_known(self) -> bool:
        """Whether all inputs are known now."""
        return Computed not in map(type, self.inputs)

    def value(self, index: int) -> Value:
        """Return an input that must be there."""
        if index < len(self.inputs) and (value := self.inputs[index]) is not None:
            return value
        raise InvalidModelError(f"input {index} is missing")

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
        """Return an input that must be a constant, as float32."""
        array = self.known(index, what)
        if array.dtype in (np.float16, np.float64):
            array = as_float32(array)
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
        if is_symbolic(array):
            from .symbols import held

            array = held(array)
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


def _integral(array: NDArray[Any]) -> bool:
    return is_symbolic(array) or np.issubdtype(array.dtype, np.integer)
