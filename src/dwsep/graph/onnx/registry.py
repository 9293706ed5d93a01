"""Which function imports which operator of ONNX."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..importing.registry import Function, Importers, registration


class Signature(NamedTuple):
    """What an operator may have that no schema of ONNX describes; inputs without end are None."""

    least: int
    most: int | None
    attributes: dict[str, type]


IMPORTERS: Importers = {}
operator = registration(IMPORTERS)
FOREIGN: dict[str, Signature] = {}  # of other domains


def foreign(
    type_: str, least: int, most: int | None, **attributes: type
) -> Callable[[Function], Function]:
    """Register a function as the importer of an operator of another domain, of one output."""
    FOREIGN[type_] = Signature(least, most, attributes)
    return operator(type_)
