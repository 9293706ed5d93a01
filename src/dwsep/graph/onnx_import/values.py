"""What a name of the file stands for while it is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

from ..ir import Shape


@dataclass(eq=False)
class Known:
    """A value that is known now: a weight, or shape arithmetic (see `symbols`)."""

    array: NDArray[Any]
    name: str = ""


@dataclass(eq=False)
class Computed:
    """A float32 value that the network computes, by its name in the graph.

    One with a `test` is a comparison instead, which no node computes: exporters write them around
    functions that need none, and `where` looks through those.
    """

    name: str
    shape: Shape
    test: tuple[Computed, float] | None = None  # is the value greater than the number


Value: TypeAlias = "Known | Computed"
