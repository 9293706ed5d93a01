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
    """A float32 value that the network computes, by its name in the graph."""

    name: str
    shape: Shape


Value: TypeAlias = "Known | Computed"
