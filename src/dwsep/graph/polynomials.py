"""Polynomials with integer factors, of atoms that are numbered.

Their terms are sorted and have no factor of 0, so that equal ones are equal tuples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Monomial: TypeAlias = tuple[int, ...]  # numbers of atoms, in order
Terms: TypeAlias = tuple[tuple[Monomial, int], ...]  # with their factors, in order; 0 is empty


def number(n: int) -> Terms:
    return (((), n),) if n else ()


def is_number(terms: Terms) -> bool:
    return not terms or terms[-1][0] == ()


def parted(terms: Terms) -> tuple[int, Terms]:
    """Return the constant of a polynomial, and the rest."""
    return (terms[0][1], terms[1:]) if terms and terms[0][0] == () else (0, terms)


def _collected(factors: Mapping[Monomial, int]) -> Terms:
    return tuple(sorted((m, f) for m, f in factors.items() if f))


def of_terms(*terms: tuple[Monomial, int]) -> Terms:
    factors: dict[Monomial, int] = {}
    for monomial, factor in terms:
        factors[monomial] = factors.get(monomial, 0) + factor
    return _collected(factors)


def added(a: Terms, b: Terms) -> Terms:
    return of_terms(*a, *b)


def times(a: Terms, n: int) -> Terms:
    return tuple((m, n * f) for m, f in a) if n else ()


def product(a: Terms, b: Terms) -> Terms:
    return of_terms(*((tuple(sorted(m + n)), f * g) for m, f in a for n, g in b))


def _leading(terms: Terms) -> tuple[Monomial, int]:
    return max(terms, key=lambda term: (len(term[0]), term[0]))


def divided(of: Terms, by: Terms) -> tuple[Terms, Terms]:
    """Return a polynomial quotient and what is left, which may be all."""
    monomial, factor = _leading(by)
    if not monomial:  # a number: the multiples of it, term by term
        return _collected({m: f // factor for m, f in of}), _collected(
            {m: f - f // factor * factor for m, f in of}
        )
    whole: Terms = ()
    rest = of
    while rest:
        m, f = _leading(rest)
        left = _without(m, monomial)
        if left is None or f % factor:
            return (), of
        step: Terms = ((left, f // factor),)
        whole, rest = added(whole, step), added(rest, times(product(step, by), -1))
    return whole, ()


def _without(monomial: Monomial, factor: Monomial) -> Monomial | None:
    left = list(monomial)
    for atom in factor:
        if atom not in left:
            return None
        left.remove(atom)
    return tuple(left)
