"""The body of a loop as formulas of vectors, in which `cells` finds those of recurrent layers.

A body makes vectors of the loop's states and of one row of a sequence. Each is an affine function
of other vectors (`Affine`), or a function of vectors (`Formula`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..importing.builder import Builder
from ..importing.node import FileNode
from ..importing.values import Known, Value
from ..ir import Array
from .call import dequantized
from .constants import constants_of
from .parts import File


class Formula(NamedTuple):
    """An activation of a vector, "mul" or "add" of two, or "rest": 1 less the vector.

    The operands of "state" and "row" are the numbers of the loop's values: of a state, or of a
    sequence and of the counter that says which row.
    """

    kind: str
    operands: tuple[Any, ...]


class Affine:
    """A sum of products of vectors and matrices, and a constant."""

    def __init__(self, terms: dict[Vector, Array], constant: Array) -> None:
        self.terms, self.constant = terms, constant

    def __add__(self, other: Affine) -> Affine:
        terms = dict(self.terms)
        for vector, matrix in other.terms.items():
            terms[vector] = terms[vector] + matrix if vector in terms else matrix
        return Affine(terms, self.constant + other.constant)

    def columns(self, start: int, stop: int) -> Affine:
        """Return some of its numbers."""
        terms = {vector: matrix[:, start:stop] for vector, matrix in self.terms.items()}
        return Affine(terms, self.constant[start:stop])


Vector: TypeAlias = "Formula | Affine"


_LARGEST = 64  # formulas inside one; comparing two takes as long as there are


def _size(vector: Any) -> int:
    return 1 + sum(map(_size, vector.operands)) if isinstance(vector, Formula) else 0


class Unknown(Exception):
    """A value is nothing of that."""


class Formulas:
    """The values of a body as formulas, by their names, and which of the loop's values they are."""

    def __init__(self, build: Builder, body: File, values: list[Value | None]) -> None:
        self._tensors = body.tensors
        self.numbers = {name: number for number, name in enumerate(body.inputs)}
        used = {name for node in body.nodes for name in node.inputs}
        self._known = constants_of(body, build, used)
        self.vectors: dict[str, Vector] = {}
        for name, made, value in zip(body.inputs, body.outputs, values, strict=True):
            if isinstance(value, Known) and made == name:  # a weight from around the loop
                self._known[name] = value
            elif body.tensors[name].type == "float32":
                self.vectors[name] = Formula("state", (self.numbers[name],))
        for node in body.nodes:
            try:
                self._add(node)
            except (Unknown, LookupError, ValueError):
                continue  # what contradicts itself the operator's importer reports

    def _add(self, node: FileNode) -> None:
        if node.type not in _FORMULAS or any(self.type_of(n) != "float32" for n in node.outputs):
            raise Unknown
        made = _FORMULAS[node.type](self, node)
        code = node.attributes.get("activation", 0)
        if code not in (0, 1, 4) or len(made) != len(node.outputs):
            raise Unknown
        if code:
            made = [Formula("relu" if code == 1 else "tanh", (vector,)) for vector in made]
        if any(_size(vector) > _LARGEST for vector in made):
            raise Unknown
        self.vectors.update(zip(node.outputs, made, strict=True))

    def type_of(self, name: str) -> str:
        """Return the type of a value's elements."""
        return self._tensors[name].type if name else ""

    def rank(self, name: str) -> int:
        """Return the number of axes of a value."""
        return len(self._tensors[name].declared)

    def width(self, name: str) -> int:
        """Return how long the vectors of a value are."""
        shape = self._tensors[name].declared
        if not shape:
            raise Unknown
        return int(shape[-1])

    def same_shape(self, *names: str) -> bool:
        """Return whether values have the same number of vectors, each as long."""
        shapes = [self._tensors[name].declared for name in names]
        return len({(math.prod(s), s[-1:]) for s in shapes}) == 1

    def constant(self, name: str) -> Array | None:
        """Return a constant as real numbers, None for what is none."""
        if name not in self._known:
            return None
        known, tensor = self._known[name], self._tensors[name]
        if known.array.dtype == np.float32:
            return known.array
        if tensor.quantization is None or known.array.dtype.kind not in "iu":
            raise Unknown
        return dequantized(known, tensor)

    def weight(self, name: str) -> Array:
        """Return a constant matrix."""
        matrix = self.constant(name)
        if matrix is None or matrix.ndim != 2:
            raise Unknown
        return matrix

    def vector(self, name: str) -> Vector:
        """Return a vector that is computed."""
        if name not in self.vectors:
            raise Unknown
        return self.vectors[name]

    def integers(self, name: str) -> list[int]:
        """Return a few integers that are constant."""
        known = self._known.get(name)
        if known is None or known.array.dtype.kind != "i" or known.array.size > 8:
            raise Unknown
        return [int(n) for n in known.array.reshape(-1)]


def _row(body: Formulas, node: FileNode) -> list[Vector]:
    sequence, counter = node.inputs
    if node.attributes.get("axis", 0) or node.attributes.get("batch_dims", 0):
        raise Unknown
    if sequence not in body.numbers or counter not in body.numbers:
        raise Unknown
    return [Formula("row", (body.numbers[sequence], body.numbers[counter]))]


def _product(body: Formulas, node: FileNode) -> list[Vector]:
    matrix = body.weight(node.inputs[1])
    if node.type == "FULLY_CONNECTED":
        matrix = matrix.T
    elif node.attributes.get("adj_x") or node.attributes.get("adj_y"):
        raise Unknown
    bias = np.zeros(matrix.shape[1], np.float32)
    if node.type == "FULLY_CONNECTED" and len(node.inputs) > 2 and node.inputs[2]:
        constant = body.constant(node.inputs[2])
        if constant is None or constant.shape != bias.shape:
            raise Unknown
        bias = constant
    if node.attributes.get("weights_format", 0):
        raise Unknown
    return [Affine({body.vector(node.inputs[0]): matrix}, bias)]


def _sum(body: Formulas, node: FileNode) -> list[Vector]:
    width = body.width(node.outputs[0])
    terms: list[Vector] = []
    for name in node.inputs:
        constant = body.constant(name)
        if constant is None:
            if not body.same_shape(name, node.outputs[0]):
                raise Unknown
            terms.append(body.vector(name))
        elif constant.size in (1, width):
            terms.append(Affine({}, np.broadcast_to(constant.reshape(-1), width)))
        else:
            raise Unknown
    a, b = terms
    return [a + b if isinstance(a, Affine) and isinstance(b, Affine) else Formula("add", (a, b))]


def _pair(body: Formulas, node: FileNode) -> list[Vector]:
    if not body.same_shape(*node.inputs, *node.outputs):
        raise Unknown
    a, b = (body.vector(name) for name in node.inputs)
    return [Formula("mul", (a, b))]


def _rest(body: Formulas, node: FileNode) -> list[Vector]:
    one = body.constant(node.inputs[0])
    if one is None or not np.all(one == 1) or one.size not in (1, body.width(node.outputs[0])):
        raise Unknown
    return [Formula("rest", (body.vector(node.inputs[1]),))]


def _same(body: Formulas, node: FileNode) -> list[Vector]:
    if not body.same_shape(node.inputs[0], node.outputs[0]):
        raise Unknown
    return [body.vector(node.inputs[0])]


def _parts(body: Formulas, node: FileNode) -> list[Vector]:
    axes, name = body.integers(node.inputs[0]), node.inputs[1]
    rank, width, whole = body.rank(name), body.width(name), body.vector(name)
    if axes not in ([-1], [rank - 1]) or not isinstance(whole, Affine):
        raise Unknown
    size = width // max(len(node.outputs), 1)
    return [whole.columns(i * size, (i + 1) * size) for i in range(len(node.outputs))]


def _part(body: Formulas, node: FileNode) -> list[Vector]:
    name = node.inputs[0]
    begins, ends, steps = (body.integers(n) for n in node.inputs[1:])
    width, whole, last = body.width(name), body.vector(name), len(begins) - 1
    rank = body.rank(name)
    masks = [node.attributes.get(f"{n}_mask", 0) for n in ("begin", "end")]
    others = [node.attributes.get(f"{n}_mask", 0) for n in ("ellipsis", "new_axis", "shrink_axis")]
    if not isinstance(whole, Affine) or any(others) or set(steps) != {1} or last + 1 != rank:
        raise Unknown
    part = slice(
        None if masks[0] >> last & 1 else begins[last],
        None if masks[1] >> last & 1 else ends[last],
    )
    start, stop, _ = part.indices(width)
    if stop - start != body.width(node.outputs[0]):
        raise Unknown
    return [whole.columns(start, stop)]


def _activation(body: Formulas, node: FileNode) -> list[Vector]:
    names = {"LOGISTIC": "sigmoid", "TANH": "tanh", "RELU": "relu", "RELU6": "relu6"}
    return [Formula(names[node.type], (body.vector(node.inputs[0]),))]


_FORMULAS: dict[str, Callable[[Formulas, FileNode], list[Vector]]] = {
    "GATHER": _row,
    "FULLY_CONNECTED": _product,
    "BATCH_MATMUL": _product,
    "ADD": _sum,
    "MUL": _pair,
    "SUB": _rest,
    "RESHAPE": _same,
    "EXPAND_DIMS": _same,
    "SPLIT": _parts,
    "STRIDED_SLICE": _part,
    **dict.fromkeys(("LOGISTIC", "TANH", "RELU", "RELU6"), _activation),
}
