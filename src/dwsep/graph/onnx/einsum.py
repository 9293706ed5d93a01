"""Sums of products by Einstein's notation, as transpositions, sums and products of matrices."""

from __future__ import annotations

import string
from typing import Any

from ...errors import InvalidModelError
from ..importing.builder import Builder
from ..importing.compositions import to_target
from ..importing.symbols import Dim
from ..importing.values import Unsupported, Value, shape_of
from .call import Call
from .registry import IMPORTERS, operator

_MOST_OPERANDS = 8
Term = tuple[Value, str]  # a value, and a letter for each of its axes


@operator("Einsum")
def einsum(call: Call) -> Value:
    """Import a sum of products, two operands at a time."""
    build, count = call.builder, len(call.inputs)
    if count > _MOST_OPERANDS:
        raise Unsupported(f"it has more than {_MOST_OPERANDS} operands")
    terms, result = _terms(call)
    first, *others = terms
    for i, other in enumerate(others):
        wanted = set(result).union(*(letters for _, letters in others[i + 1 :]))
        first = _product(call, first, other, wanted)
    x, letters = _summed(build, first, set(result))
    if set(letters) != set(result):
        raise InvalidModelError("equation: its result has an axis that no operand has")
    return build.transpose(x, [letters.index(letter) for letter in result])


def _terms(call: Call) -> tuple[list[Term], str]:
    """Return the operands, and the letters of the result; "..." gets letters of its own."""
    equation = str(call.attribute("equation", ...)).replace(" ", "")
    left, arrow, right = equation.partition("->")
    parts = left.split(",")
    if len(parts) != len(call.inputs):
        raise InvalidModelError(f"equation: {len(parts)} operands, it has {len(call.inputs)}")
    free = [c for c in string.ascii_letters if c not in equation]
    terms, dots = [], ""
    for i, part in enumerate(parts):
        x = call.value(i)
        hidden = len(shape_of(x)) - len(part.replace("...", ""))
        if hidden < 0 or ("..." not in part and hidden) or hidden > len(free):
            raise InvalidModelError(f"equation: {part!r} does not fit {shape_of(x)}")
        own = "".join(free[:hidden][::-1])  # aligned at the last axis, as broadcasting is
        dots = max(dots, own, key=len)
        terms.append((x, part.replace("...", own)))
    used = "".join(letters for _, letters in terms)
    if arrow:
        result = right.replace("...", dots)
    else:
        once = sorted(c for c in set(used) - set(dots) if used.count(c) == 1)
        result = dots + "".join(once)
    texts = [*(letters for _, letters in terms), result]
    if not all(t.isalpha() or not t for t in texts) or not set(result) <= set(used):
        raise InvalidModelError(f"equation: {equation!r} is no equation")
    if any(len(set(t)) != len(t) for t in texts):
        raise Unsupported("an axis that an operand has twice is not supported")
    return terms, result


def _summed(build: Builder, term: Term, wanted: set[str]) -> Term:
    """Sum over the axes that nothing wants."""
    x, letters = term
    axes = [i for i, letter in enumerate(letters) if letter not in wanted]
    if not axes:
        return term
    return build.reduce("sum", x, axes, False), "".join(c for c in letters if c in wanted)


def _sizes(x: Value) -> list[Any]:
    return [Dim(1) if n is None else n for n in shape_of(x)]


def _product(call: Call, first: Term, second: Term, wanted: set[str]) -> Term:
    """Return the product of two operands, summed over what only they have."""
    build = call.builder
    a, of_a = _summed(build, first, wanted | set(second[1]))
    b, of_b = _summed(build, second, wanted | set(first[1]))
    both = [c for c in of_a if c in of_b]
    batch = "".join(c for c in both if c in wanted)
    inner = "".join(c for c in both if c not in wanted)
    rows = "".join(c for c in of_a if c not in both)
    columns = "".join(c for c in of_b if c not in both)
    sizes = dict(zip(of_a, _sizes(a), strict=True))
    for letter, n in zip(of_b, _sizes(b), strict=True):
        m = sizes.setdefault(letter, n)
        if isinstance(m, int) and isinstance(n, int) and m != n:
            raise Unsupported(f"axes of {m} and {n} are not supported as one")
    if batch:
        a = _ordered(build, a, of_a, [*batch, rows, inner], sizes)
    else:  # NumPy's product takes any number of rows
        a = _ordered(build, a, of_a, [*(rows or [""]), inner], sizes)
    b = _ordered(build, b, of_b, [*batch, inner, columns], sizes)
    matmul = Call(build, call.name, "MatMul", [a, b], call.outputs, call.opset, {})
    y: Value = IMPORTERS["MatMul"](matmul)
    letters = batch + rows + columns
    return build.reshape(y, to_target(shape_of(y), [sizes[c] for c in letters])), letters


def _ordered(
    build: Builder, x: Value, letters: str, groups: list[str], sizes: dict[str, Any]
) -> Value:
    """Return an operand with an axis for each group of letters."""
    x = build.transpose(x, [letters.index(letter) for letter in "".join(groups)])
    wanted = []
    for group in groups:
        size: Any = 1
        for letter in group:
            size = size * sizes[letter]
        wanted.append(size)
    return build.reshape(x, to_target(shape_of(x), wanted))
