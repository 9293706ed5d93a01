"""Which function imports which operator of a format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
Importers = dict[str, Any]


def registration(importers: Importers) -> Callable[..., Callable[[Function], Function]]:
    """Return a decorator that enters a function for the types of operators that it imports."""

    def operator(*types: str) -> Callable[[Function], Function]:
        def register(function: Function) -> Function:
            for type_ in types:
                assert type_ not in importers, type_
                importers[type_] = function
            return function

        return register

    return operator
