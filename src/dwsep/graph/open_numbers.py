"""Numbers that depend on open sizes: what `open_sizes` gives out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .polynomials import Terms, added, number, product, times
from .sizes import MOST, OpenRatio, OpenSize, is_size, plain, whole

__all__ = ["Ratio", "Size", "scaled"]


if TYPE_CHECKING:
    from typing import Protocol

    class _OpenSizes(Protocol):
        """What a size asks of the open sizes that it depends on; see `open_sizes`."""

        def size(self, terms: Terms) -> Any: ...
        def is_zero(self, terms: Terms) -> bool: ...
        def is_negative(self, terms: Terms) -> bool: ...
        def quotient(self, of: Terms, by: Terms) -> Any: ...
        def scaled(self, of: Terms, by: float, example: int) -> Any: ...
        def text(self, terms: Terms) -> str: ...


class Size(OpenSize):
    """A size that depends on open ones; counts as the integer of the example.

    For type checkers and `isinstance` it is an int. It is no instance of C's int, so that no code
    can use the number without asking for it, which is noted.
    """

    __slots__ = ("example", "of", "terms")
    __class__: Any = property(lambda self: int)

    def __init__(self, of: _OpenSizes, terms: Terms, example: int) -> None:
        self.of = of
        self.terms = terms
        self.example = example

    def __add__(self, other: Any) -> Any:
        terms = _terms(other)
        return NotImplemented if terms is None else self.of.size(added(self.terms, terms))

    def __neg__(self) -> Any:
        return self.of.size(times(self.terms, -1))

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return -self if self < 0 else self

    def __sub__(self, other: Any) -> Any:
        terms = _terms(other)
        if terms is None:
            return NotImplemented
        return self.of.size(added(self.terms, times(terms, -1)))

    def __rsub__(self, other: Any) -> Any:
        terms = _terms(other)
        return (
            NotImplemented if terms is None else self.of.size(added(terms, times(self.terms, -1)))
        )

    def __mul__(self, other: Any) -> Any:
        terms = _terms(other)
        return NotImplemented if terms is None else self.of.size(product(self.terms, terms))

    def __floordiv__(self, other: Any) -> Any:
        terms = _terms(other)
        return NotImplemented if terms is None else self.of.quotient(self.terms, terms)

    def __rfloordiv__(self, other: Any) -> Any:
        terms = _terms(other)
        return NotImplemented if terms is None else self.of.quotient(terms, self.terms)

    def __mod__(self, other: Any) -> Any:
        terms = _terms(other)
        return NotImplemented if terms is None else self - (self // other) * other

    def __rmod__(self, other: Any) -> Any:
        terms = _terms(other)
        return NotImplemented if terms is None else other - (other // self) * self

    def __divmod__(self, other: Any) -> Any:
        return (self // other, self % other)

    def __rdivmod__(self, other: Any) -> Any:
        return (other // self, other % self)

    def __truediv__(self, other: Any) -> Any:
        return NotImplemented if _terms(other) is None else Ratio(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return NotImplemented if _terms(other) is None else Ratio(other, self)

    def __pow__(self, other: Any) -> Any:
        return int(self) ** other

    def __eq__(self, other: object) -> bool:
        terms = _terms(other)
        if terms is None:
            return int(self) == other if isinstance(other, float) else NotImplemented
        return self.of.is_zero(added(self.terms, times(terms, -1)))

    def __ne__(self, other: object) -> bool:
        same = self.__eq__(other)
        return same if same is NotImplemented else not same

    def __lt__(self, other: Any) -> bool:
        terms = _terms(other)
        if terms is None:
            return int(self) < other if isinstance(other, float) else NotImplemented
        return self.of.is_negative(added(self.terms, times(terms, -1)))

    def __gt__(self, other: Any) -> bool:
        terms = _terms(other)
        if terms is None:
            return int(self) > other if isinstance(other, float) else NotImplemented
        return self.of.is_negative(added(terms, times(self.terms, -1)))

    def __le__(self, other: Any) -> bool:
        more = self.__gt__(other)
        return more if more is NotImplemented else not more

    def __ge__(self, other: Any) -> bool:
        less = self.__lt__(other)
        return less if less is NotImplemented else not less

    def __bool__(self) -> bool:
        return not self.of.is_zero(self.terms)

    def __index__(self) -> int:
        self.of.is_zero(added(self.terms, number(-self.example)))
        return self.example

    def __hash__(self) -> int:
        return hash(int(self))  # equal numbers have equal hashes, so it is held to its number

    def __float__(self) -> float:
        return float(int(self))

    def __repr__(self) -> str:
        return self.of.text(self.terms)

    def __str__(self) -> str:
        return str(self.example)  # for messages

    __int__ = __trunc__ = __index__
    __floor__ = __ceil__ = __round__ = __pos__
    __radd__ = __add__
    __rmul__ = __mul__


class Ratio(OpenRatio):
    """The quotient of two sizes, which counts as the float of the example.

    Arithmetic with it holds both sizes to their numbers.
    """

    __slots__ = ("by", "of")
    __class__: Any = property(lambda self: float)

    def __init__(self, of: Any, by: Any) -> None:
        self.of = of
        self.by = by

    def __float__(self) -> float:
        return int(self.of) / int(self.by)

    def __hash__(self) -> int:
        return hash(float(self))

    def __eq__(self, other: object) -> bool:
        return float(self) == other

    def __lt__(self, other: Any) -> bool:
        return bool(float(self) < other)

    def __gt__(self, other: Any) -> bool:
        return bool(float(self) > other)

    def __le__(self, other: Any) -> bool:
        return bool(float(self) <= other)

    def __ge__(self, other: Any) -> bool:
        return bool(float(self) >= other)

    def __add__(self, other: Any) -> Any:
        return float(self) + other

    def __sub__(self, other: Any) -> Any:
        return float(self) - other

    def __rsub__(self, other: Any) -> Any:
        return other - float(self)

    def __mul__(self, other: Any) -> Any:
        return float(self) * other

    def __truediv__(self, other: Any) -> Any:
        return float(self) / other

    def __rtruediv__(self, other: Any) -> Any:
        return other / float(self)

    def __neg__(self) -> float:
        return -float(self)

    __radd__ = __add__
    __rmul__ = __mul__


def scaled(size: int, scale: float) -> int:
    """Return a size times a number in float32, rounded down."""
    example = int(np.floor(np.float32(scale) * np.float32(plain(size))))
    if not is_size(size):
        return example
    if float(scale).is_integer() and not size * int(scale) > MOST:  # float32 has them all
        return whole(size * int(scale))
    return whole(size.of.scaled(size.terms, float(np.float32(scale)), example))


def _terms(value: Any) -> Terms | None:
    if is_size(value):
        terms: Terms = value.terms
        return terms
    if isinstance(value, bool):
        value = int(value)
    try:
        return number(value.__index__())
    except (AttributeError, TypeError):
        return None
