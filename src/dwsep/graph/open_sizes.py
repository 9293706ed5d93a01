"""Sizes that a file leaves open: arithmetic that remembers what it was computed of.

A file is imported and rewritten for one example of its open sizes. A `Size` counts as the integer
that it is in the example, and knows itself as a polynomial of the open sizes and of quotients of
such polynomials. Whatever code asks about it (is it 1? is it less than that?) is answered as the
example says and noted as a condition, unless it holds for all sizes; a `Size` of which somebody
wants the plain number is held to that number. So the graph that comes out is, for all sizes that
meet the conditions, the very graph that an import for those sizes would have made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias, TypeGuard

from .polynomials import (
    Monomial,
    Terms,
    added,
    divided,
    is_number,
    number,
    of_terms,
    product,
    times,
)

__all__ = [
    "Axis",
    "OpenSizes",
    "Ratio",
    "Size",
    "is_open",
    "is_ratio",
    "is_size",
    "plain",
    "scaled",
]

Shape: TypeAlias = "tuple[int | None, ...]"

MOST = 2**24  # of an open size; what is computed of them stays far below 64 bits
_INFINITY = 2**200

ZERO, NOT_ZERO, NOT_NEGATIVE = range(3)


class Axis(NamedTuple):
    """An axis of an input that is open."""

    input: str
    axis: int


class Quotient(NamedTuple):
    """A polynomial divided by another, rounded down."""

    of: Terms
    by: Terms


class Scaled(NamedTuple):
    """A polynomial times a number, in float32, rounded down."""

    of: Terms
    by: float


Atom: TypeAlias = "Axis | Quotient | Scaled"


@dataclass(eq=False)
class OpenSizes:
    """The open sizes of a network: what is computed of them, and what has to hold.

    Attributes
    ----------
    atoms : list of Atom
    example : list of int
        The value of each atom.
    conditions : dict
        What has to hold of polynomials, in the order in which it was found.
    """

    atoms: list[Atom] = field(default_factory=list)
    example: list[int] = field(default_factory=list)
    conditions: dict[tuple[Terms, int], None] = field(default_factory=dict)
    _ranges: list[tuple[int, int]] = field(default_factory=list)
    _numbers: dict[Atom, int] = field(default_factory=dict)
    _places: dict[Atom, int] = field(default_factory=dict)
    _least: dict[Terms, int] = field(default_factory=dict)  # of polynomials without their constant

    def axis(self, where: Axis, example: int) -> Size:
        """Return the size of an open axis of an input."""
        atom = self._atom(where, example, (1, MOST))
        self._note(of_terms(((), MOST), ((atom,), -1)), NOT_NEGATIVE)
        self._note(of_terms(((), -1), ((atom,), 1)), NOT_NEGATIVE)
        return Size(self, of_terms(((atom,), 1)), example)

    def locate(self, shapes: Mapping[str, Shape]) -> dict[Axis, int]:
        """Find the axes in the inputs' shapes, which may have another order now."""
        for shape in shapes.values():
            for axis, size in enumerate(shape):
                if is_size(size):
                    self._places[self.atoms[size.terms[0][0][0]]] = axis
        return {atom: place for atom, place in self._places.items() if isinstance(atom, Axis)}

    def place(self, axis: Axis) -> int:
        """Return where an axis of an input is now."""
        return self._places.get(axis, axis.axis)

    def _atom(self, atom: Atom, example: int, limits: tuple[int, int]) -> int:
        if atom not in self._numbers:
            self._numbers[atom] = len(self.atoms)
            self.atoms.append(atom)
            self.example.append(example)
            self._ranges.append(limits)
        return self._numbers[atom]

    def _size(self, terms: Terms) -> Any:
        """Return a Size, or an int if the open sizes have cancelled out."""
        if not terms or terms[-1][0] == ():
            return terms[0][1] if terms else 0
        return Size(self, terms, self.value(terms))

    def value(self, terms: Terms) -> int:
        """Return the value of a polynomial in the example."""
        total = 0
        for monomial, factor in terms:
            for atom in monomial:
                factor *= self.example[atom]
            total += factor
        return total

    def limits(self, terms: Terms) -> tuple[int, int]:
        """Return bounds of a polynomial for all sizes that meet the conditions so far."""
        least = most = 0
        for monomial, factor in terms:
            low = high = factor
            for atom in monomial:
                ends = [a * b for a in (low, high) for b in self._ranges[atom]]
                low, high = min(ends), max(ends)
            least, most = least + low, most + high
        constant = terms[0][1] if terms and terms[0][0] == () else 0
        known = self._least.get(terms[1:] if constant else terms)
        return (least if known is None else max(least, known + constant)), most

    def _note(self, terms: Terms, relation: int) -> None:
        self.conditions[terms, relation] = None
        if relation == NOT_NEGATIVE:
            constant = terms[0][1] if terms and terms[0][0] == () else 0
            rest = terms[1:] if constant else terms
            self._least[rest] = max(-constant, self._least.get(rest, -_INFINITY))

    def is_zero(self, terms: Terms) -> bool:
        """Return whether a polynomial is 0 in the example, which becomes a condition."""
        low, high = self.limits(terms)
        if low == high == 0:
            return True
        if low > 0 or high < 0:
            return False
        zero = self.value(terms) == 0
        self._note(min(terms, times(terms, -1)), ZERO if zero else NOT_ZERO)
        if zero:
            self._hold(terms)
        return zero

    def _hold(self, terms: Terms) -> None:
        """Narrow the range of an atom that a polynomial of 0 leaves no choice."""
        atoms = {monomial for monomial, _ in terms if monomial}
        if len(atoms) == 1 and len(next(iter(atoms))) == 1:
            atom = next(iter(atoms))[0]
            self._ranges[atom] = (self.example[atom], self.example[atom])

    def is_negative(self, terms: Terms) -> bool:
        """Return whether a polynomial is negative in the example, which becomes a condition."""
        low, high = self.limits(terms)
        if low >= 0 or high < 0:
            return high < 0
        negative = self.value(terms) < 0
        # p < 0 is -p - 1 >= 0
        self._note(added(times(terms, -1), (((), -1),)) if negative else terms, NOT_NEGATIVE)
        return negative

    def quotient(self, of: Terms, by: Terms) -> Any:
        """Return a quotient, rounded down, of which whole parts are polynomials."""
        if self.is_zero(by):
            raise ZeroDivisionError("integer division or modulo by zero")
        whole, rest = divided(of, by)
        if not rest:
            return self._size(whole)
        if not is_number(by) or not is_number(rest):
            low, high = self._quotient_limits(rest, by)
            atom = self._atom(Quotient(rest, by), self.value(rest) // self.value(by), (low, high))
            return self._size(added(whole, (((atom,), 1),)))
        return self._size(added(whole, number(rest[0][1] // by[0][1])))

    def _quotient_limits(self, of: Terms, by: Terms) -> tuple[int, int]:
        low, high = self.limits(of)
        least, most = self.limits(by)
        if least <= 0:
            return -_INFINITY, _INFINITY
        ends = [a // b for a in (low, high) for b in (least, most)]
        return min(ends), max(ends)

    def scaled(self, of: Terms, by: float, example: int) -> Any:
        """Return a polynomial times a number in float32, rounded down."""
        return self._size((((self._atom(Scaled(of, by), example, (0, 2**40)),), 1),))

    def text(self, terms: Terms) -> str:
        """Return a polynomial for people."""
        return " ".join(self._monomial(m, f, i == 0) for i, (m, f) in enumerate(terms)) or "0"

    def _monomial(self, monomial: Monomial, factor: int, first: bool) -> str:
        names = [self._name(self.atoms[atom]) for atom in monomial]
        size = [str(abs(factor))] if abs(factor) != 1 or not names else []
        sign = "-" if factor < 0 else "" if first else "+"
        return sign + ("" if first else " ") * bool(sign) + " * ".join(size + names)

    def _name(self, atom: Atom) -> str:
        if isinstance(atom, Axis):
            return f"{atom.input}.shape[{self.place(atom)}]"
        if isinstance(atom, Scaled):
            return f"floor({atom.by:g} * ({self.text(atom.of)}))"
        by = self.text(atom.by)
        return f"(({self.text(atom.of)}) // {by if by.isdigit() else f'({by})'})"


class Size:
    """A size that depends on open ones; counts as the integer of the example.

    For type checkers and `isinstance` it is an int. It is no instance of C's int, so that no code
    can use the number without asking for it, which is noted.
    """

    __slots__ = ("example", "of", "terms")

    def __init__(self, of: OpenSizes, terms: Terms, example: int) -> None:
        self.of = of
        self.terms = terms
        self.example = example

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return int

    def __add__(self, other: Any) -> Any:
        terms = _terms(other)
        return NotImplemented if terms is None else self.of._size(added(self.terms, terms))

    def __neg__(self) -> Any:
        return self.of._size(times(self.terms, -1))

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return -self if self < 0 else self

    def __sub__(self, other: Any) -> Any:
        terms = _terms(other)
        if terms is None:
            return NotImplemented
        return self.of._size(added(self.terms, times(terms, -1)))

    def __rsub__(self, other: Any) -> Any:
        terms = _terms(other)
        return (
            NotImplemented if terms is None else self.of._size(added(terms, times(self.terms, -1)))
        )

    def __mul__(self, other: Any) -> Any:
        terms = _terms(other)
        return NotImplemented if terms is None else self.of._size(product(self.terms, terms))

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

    __int__ = __trunc__ = __index__
    __floor__ = __ceil__ = __round__ = __pos__
    __radd__ = __add__
    __rmul__ = __mul__


@dataclass(frozen=True, eq=False)
class Ratio:
    """The quotient of two sizes as a float."""

    of: Any
    by: Any

    def __float__(self) -> float:
        return int(self.of) / int(self.by)

    def __eq__(self, other: object) -> bool:
        return float(self) == other

    def __hash__(self) -> int:
        return hash(float(self))

    def __lt__(self, other: Any) -> bool:
        return bool(float(self) < other)

    def __gt__(self, other: Any) -> bool:
        return bool(float(self) > other)


def is_size(value: object) -> TypeGuard[Size]:
    """Return whether an integer depends on open sizes."""
    return type(value) is Size


def is_ratio(value: object) -> TypeGuard[Ratio]:
    """Return whether a float depends on open sizes."""
    return type(value) is Ratio


def is_open(value: object) -> bool:
    """Return whether a number depends on open sizes."""
    return is_size(value) or is_ratio(value)


def plain(value: Any) -> Any:
    """Return the number in the example, without a condition: for limits that only refuse."""
    return value.example if is_size(value) else value


def scaled(size: int, scale: float) -> int:
    """Return a size times a number in float32, rounded down."""
    import numpy as np

    example = int(np.floor(np.float32(scale) * np.float32(plain(size))))
    if not is_size(size):
        return example
    if float(scale).is_integer() and not size * int(scale) > MOST:  # float32 has them all
        whole: int = size * int(scale)
        return whole
    number: int = size.of.scaled(size.terms, float(np.float32(scale)), example)
    return number


def _terms(value: Any) -> Terms | None:
    if is_size(value):
        return value.terms
    if isinstance(value, bool):
        value = int(value)
    try:
        return number(value.__index__())
    except (AttributeError, TypeError):
        return None
