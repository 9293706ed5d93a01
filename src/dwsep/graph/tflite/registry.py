"""Which function imports which operator of TFLite."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..importing.values import Value
    from .call import Call

    Importer = Callable[[Call], "Value | list[Value | None]"]


IMPORTERS: dict[str, Any] = {}


def operator(*types: str) -> Callable[[Importer], Importer]:
    """Register a function as the importer of operators."""

    def register(function: Importer) -> Importer:
        for t in types:
            assert t not in IMPORTERS, t
            IMPORTERS[t] = function
        return function

    return register
