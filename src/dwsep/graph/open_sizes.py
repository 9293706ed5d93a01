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
from typing import Any, TypeAlias

from .._record import Record
from .open_numbers import Size
from .polynomials import (
    Monomial,
    Terms,
    added,
    divided,
    is_number,
    number,
    of_terms,
    parted,
    times,
)
from .sizes import MOST, is_size

__all__ = ["Axis", "OpenSizes"]

Shape: TypeAlias = "tuple[int | None, ...]"

_INFINITY = 2**200

ZERO, NOT_ZERO, NOT_NEGATIVE = range(3)


class Axis(Record):
    """An axis of an input that is open."""

    input: str
    axis: int


class Quotient(Record):
    """A polynomial divided by another, rounded down."""

    of: Terms
    by: Terms


class Scaled(Record):
    """A polynomial times a number, in float32, rounded down."""

    of: Terms
    by: float


Atom: TypeAlias = "Axis | Quotient | Scaled"


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

    def __init__(self) -> None:
        self.atoms: list[Atom] = []
        self.example: list[int] = []
        self.conditions: dict[tuple[Terms, int], None] = {}
        self._ranges: list[tuple[int, int]] = []
        self._numbers: dict[Atom, int] = {}
        self._places: dict[Atom, int] = {}
        self._least: dict[Terms, int] = {}  # of polynomials without their constant

    def axis(self, where: Axis, example: int) -> Any:
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

    def size(self, terms: Terms) -> Any:
        """Return a Size, or an int if the open sizes have cancelled out."""
        if is_number(terms):
            return parted(terms)[0]
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
        constant, rest = parted(terms)
        known = self._least.get(rest)
        return (least if known is None else max(least, known + constant)), most

    def _note(self, terms: Terms, relation: int) -> None:
        self.conditions[terms, relation] = None
        if relation == NOT_NEGATIVE:
            constant, rest = parted(terms)
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
            return self.size(whole)
        if not is_number(by) or not is_number(rest):
            low, high = self._quotient_limits(rest, by)
            atom = self._atom(Quotient(rest, by), self.value(rest) // self.value(by), (low, high))
            return self.size(added(whole, (((atom,), 1),)))
        return self.size(added(whole, number(rest[0][1] // by[0][1])))

    def _quotient_limits(self, of: Terms, by: Terms) -> tuple[int, int]:
        low, high = self.limits(of)
        least, most = self.limits(by)
        if least <= 0:
            return -_INFINITY, _INFINITY
        ends = [a // b for a in (low, high) for b in (least, most)]
        return min(ends), max(ends)

    def scaled(self, of: Terms, by: float, example: int) -> Any:
        """Return a polynomial times a number in float32, rounded down."""
        return self.size((((self._atom(Scaled(of, by), example, (0, 2**40)),), 1),))

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
