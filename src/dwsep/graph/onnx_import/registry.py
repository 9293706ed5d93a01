"""Which function imports which operator of ONNX."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .call import Call
    from .values import Value

    Importer = Callable[[Call], "Value | list[Value | None]"]


class Unsupported(Exception):
    """Why one node cannot be imported; collected, and reported for all nodes together."""


IMPORTERS: dict[str, Any] = {}


def operator(*types: str) -> Callable[[Importer], Importer]:
    """Register a function as the importer of operators."""

    def register(function: Importer) -> Importer:
        for t in types:
            assert t not in IMPORTERS, t
            IMPORTERS[t] = function
        return function

    return register
