"""Which function imports which operator of ONNX."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..importing.values import Value
    from .call import Call

    Importer = Callable[[Call], "Value | list[Value | None]"]


class Signature(NamedTuple):
    """What an operator may have that no schema of ONNX describes; inputs without end are None."""

    least: int
    most: int | None
    attributes: dict[str, type]


IMPORTERS: dict[str, Any] = {}
FOREIGN: dict[str, Signature] = {}  # of other domains


def operator(*types: str) -> Callable[[Importer], Importer]:
    """Register a function as the importer of operators."""

    def register(function: Importer) -> Importer:
        for t in types:
            assert t not in IMPORTERS, t
            IMPORTERS[t] = function
        return function

    return register


def foreign(
    type_: str, least: int, most: int | None, **attributes: type
) -> Callable[[Importer], Importer]:
    """Register a function as the importer of an operator of another domain, of one output."""
    FOREIGN[type_] = Signature(least, most, attributes)
    return operator(type_)
