"""Writes what depends on open sizes into a network of the core."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .open_sizes import Axis, OpenSizes, Scaled
from .polynomials import Monomial, Terms, number
from .sizes import is_ratio, is_size

if TYPE_CHECKING:
    from .ir import Graph

_INPUT, _CONSTANT, _ADD, _MULTIPLY, _DIVIDE, _SCALE = range(6)  # SizeOp


class Program:
    """Writes open sizes into a network under construction, each of them once."""

    def __init__(self, sizes: OpenSizes, builder: Any, graph: Graph) -> None:
        sizes.locate({name: graph.shape(name) for name in graph.inputs})
        self._sizes = sizes
        self._builder = builder
        self._inputs = list(graph.inputs)
        self._numbers: dict[Any, int] = {}

    def conditions(self) -> None:
        """Write all conditions."""
        relations = ("== 0", "!= 0", ">= 0")
        for terms, relation in self._sizes.conditions:
            text = f"{self._sizes.text(terms)} {relations[relation]}"
            self._builder.require(self.terms(terms), relation, text)

    def use(self, value: int, attribute: str, position: int, open_number: object) -> None:
        """Say that a number of an attribute, of the step that makes a value, is open."""
        if is_ratio(open_number):
            sizes = self._number(open_number.of), self._number(open_number.by)
        else:
            sizes = self._number(open_number), -1
        self._builder.open_attribute(value, attribute, position, *sizes)

    def _number(self, value: Any) -> int:
        return self.terms(value.terms if is_size(value) else number(int(value)))

    def terms(self, terms: Terms) -> int:
        """Return the number of the size that a polynomial is."""
        if terms not in self._numbers:
            self._numbers[terms] = self._chain(_ADD, (self._product(m, f) for m, f in terms))
        return self._numbers[terms]

    def _product(self, monomial: Monomial, factor: int) -> int:
        atoms = [self._atom(atom) for atom in monomial]
        return (
            atoms[0]
            if len(atoms) == 1 == factor
            else self._chain(_MULTIPLY, [self._constant(factor), *atoms])
        )

    def _chain(self, op: int, numbers: Iterable[int]) -> int:
        """Add or multiply sizes."""
        result = -1
        for size in numbers:
            result = size if result < 0 else self._made(op, result, size)
        return self._constant(0) if result < 0 else result

    def _constant(self, n: int) -> int:
        return self._made(_CONSTANT, n, 0)

    def _atom(self, number: int) -> int:
        atom = self._sizes.atoms[number]
        if isinstance(atom, Axis):
            return self._made(_INPUT, self._inputs.index(atom.input), self._sizes.place(atom))
        if isinstance(atom, Scaled):
            bits = struct.unpack("<I", struct.pack("<f", atom.by))[0]
            return self._made(_SCALE, self.terms(atom.of), bits)
        return self._made(_DIVIDE, self.terms(atom.of), self.terms(atom.by))

    def _made(self, op: int, a: int, b: int) -> int:
        key = (op, a, b)
        if key not in self._numbers:
            self._numbers[key] = self._builder.size(op, a, b)
        return self._numbers[key]
