"""Which numbers depend on open sizes. Few files have such: `open_numbers` is imported for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeGuard


__all__ = ["MOST", "OpenRatio", "OpenSize", "is_open", "is_ratio", "is_size", "plain", "whole"]

MOST = 2**24  # of an open size; what is computed of them stays far below 64 bits


class OpenSize:
    """What a `Size` is, for who only asks."""

    __slots__ = ()


class OpenRatio:
    """What a `Ratio` is, for who only asks."""

    __slots__ = ()


def is_size(value: object) -> TypeGuard[Any]:
    """Return whether an integer depends on open sizes."""
    return issubclass(type(value), OpenSize)


def is_ratio(value: object) -> TypeGuard[Any]:
    """Return whether a float depends on open sizes."""
    return issubclass(type(value), OpenRatio)


def is_open(value: object) -> bool:
    """Return whether a number depends on open sizes."""
    return issubclass(type(value), (OpenSize, OpenRatio))


def all_known(values: Iterable[object]) -> bool:
    """Return whether values are all Python's own numbers; of ten thousand scales in 0.1 ms."""
    return {int, float}.issuperset(map(type, values))


def plain(value: Any) -> Any:
    """Return the number in the example, without a condition: for limits that only refuse."""
    return value.example if type(value) is not int and is_size(value) else value


def whole(value: Any) -> int:
    """Return a number as an int, unless it depends on open sizes: then as it is."""
    return value if is_open(value) else int(value)
