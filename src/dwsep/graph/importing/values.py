"""What a name of the file stands for while it is imported."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

from ...errors import InvalidModelError
from ..types import Shape, TensorType

_LARGEST_EMPTY = 2**16


@dataclass(eq=False)
class Known:
    """A value that is known now: a weight, or shape arithmetic (see `symbols`)."""

    array: NDArray[Any]
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse empty arrays with huge axes: a sum over the empty one would not be empty."""
        if self.array.size == 0 and math.prod(n for n in self.array.shape if n) > _LARGEST_EMPTY:
            raise InvalidModelError(f"{self.name!r} is an empty array of shape {self.array.shape}")


@dataclass(eq=False)
class Computed:
    """A float32 value that the network computes, by its name in the graph.

    One with a `test` is a comparison instead, which no node computes: exporters write them around
    functions that need none, and `where` looks through those.
    """

    name: str
    type: TensorType
    test: tuple[Computed, float] | None = None  # is the value greater than the number

    @property
    def shape(self) -> Shape:
        return self.type.shape


Value: TypeAlias = "Known | Computed"


def type_of(value: Value) -> TensorType:
    """Return the type of a value."""
    return value.type if isinstance(value, Computed) else TensorType.of(value.array)


def shape_of(value: Value) -> Shape:
    """Return the shape of a value."""
    return value.shape if isinstance(value, Computed) else value.array.shape
