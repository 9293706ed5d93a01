"""One step of a recurrent layer, by its formula: what each gate multiplies by which weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..ir import AnyArray, Node
from ._edit import Edit
from .shared_weights import equal

GATES = {"lstm": "iofc", "gru": "zrh"}  # in the core's order
_MOST_TERMS = 8
_CLOSE = 1e-6  # a first step has the sum of two biases, which the others add one by one


class _Sum:
    """Columns of products, each by its node, and a constant, that add up to a value."""

    def __init__(self, products: dict[int, tuple[Node, int]], constant: AnyArray) -> None:
        self.products = products
        self.constant = constant

    def bias(self) -> AnyArray:
        total, units = self.constant.astype(np.float64), self.constant.size
        for node, start in self.products.values():
            bias = node.weights.get("bias")
            total = total if bias is None else total + bias[start : start + units]
        return total


class Cell:
    """One step: what it reads, by which products, and what it gives."""

    def __init__(self, kind: str, node: Node, cells: str, gates: dict[str, _Sum]) -> None:
        self.kind, self.node, self.cells, self.gates = kind, node, cells, gates
        self.reset: _Sum | None = None  # what the gate of resetting multiplies
        self.before: Cell | None = None
        self.read: str | None = None  # the state, or the cells, of the step before
        self.products: list[Node] = []  # of the input, and of the state
        self.units = next(iter(gates.values())).constant.size

    def columns(self, of: int) -> list[tuple[Node, int]]:
        """Return the columns of each gate in the product of the input (0) or of the state (1)."""
        number = id(self.products[of])
        sums = [self.gates[gate] for gate in GATES[self.kind]]
        if of and self.reset is not None:
            sums[-1] = self.reset
        return [s.products[number] for s in sums]

    def weight(self, of: int) -> AnyArray:
        parts = [n.weights["weight"][:, at : at + self.units] for n, at in self.columns(of)]
        return np.concatenate(parts, axis=1)

    def same(self, other: Cell) -> bool:
        """Whether two steps have the same weights."""
        for of in (0, 1):
            if [at for _, at in self.columns(of)] != [at for _, at in other.columns(of)]:
                return False
            if not equal(self.products[of].weights["weight"], other.products[of].weights["weight"]):
                return False
        return self.like(other)

    def like(self, first: Cell) -> bool:
        """Whether a step has the biases of another, which may lack gates."""
        if first.reset is not None or self.reset is not None:
            zeros = np.zeros(self.units)
            mine, other = (zeros if c.reset is None else c.reset.bias() for c in (self, first))
            if not _close(mine, other):
                return False
        return all(_close(self.gates[g].bias(), s.bias()) for g, s in first.gates.items())


def _close(a: AnyArray, b: AnyArray) -> bool:
    return bool(np.allclose(a, b, rtol=_CLOSE, atol=_CLOSE))


def cells(edit: Edit, node: Node) -> Iterator[Cell]:
    if node.kind == "binary" and node.attributes["function"] in ("mul", "add"):
        yield from _lstm(edit, node)
        yield from _gru(edit, node)


def _lstm(edit: Edit, node: Node) -> Iterator[Cell]:
    """Match h = sigmoid(o) tanh(c) and c = sigmoid(f) c before + sigmoid(i) tanh(g)."""
    for o, squashed in _pairs(edit, node.output, "mul"):
        cells = _argument(edit, squashed, "tanh")
        if cells is None:
            continue
        for kept, new in [*_pairs(edit, cells, "add"), (None, cells)]:
            for i, g in _pairs(edit, new, "mul"):
                values = {"i": _argument(edit, i, "sigmoid"), "c": _argument(edit, g, "tanh")}
                values["o"] = _argument(edit, o, "sigmoid")
                for f, before in [("", "")] if kept is None else _pairs(edit, kept, "mul"):
                    if kept is not None:
                        values["f"] = _argument(edit, f, "sigmoid")
                    gates = _sums(edit, values)
                    if gates is not None:
                        cell = Cell("lstm", node, cells, gates)
                        if _products(edit, cell, None if kept is None else before):
                            yield cell


def _gru(edit: Edit, node: Node) -> Iterator[Cell]:
    """Match h = z h before + (1 - z) tanh(x + r s), where z and r are sigmoids and s a product."""
    for kept, new in [*_pairs(edit, node.output, "add"), (None, node.output)]:
        for rest, fresh in _pairs(edit, new, "mul"):
            less, inner = edit.made_by(rest, "binary"), _argument(edit, fresh, "tanh")
            if less is None or inner is None or less.attributes["function"] != "sub":
                continue
            z = less.inputs[1]
            if edit.scalar(less.inputs[0]) != 1 or less.attributes.get("activation"):
                continue
            before = next((b for a, b in _pairs(edit, kept or "", "mul") if a == z), None)
            if (before is None) != (kept is None):
                continue
            for reset, r, x in _resets(edit, inner):
                values = {"z": _argument(edit, z, "sigmoid")}
                if r:
                    values["r"] = _argument(edit, r, "sigmoid")
                gates = _sums(edit, values)
                units = _units(edit, node.output)
                plain = None if units is None else _sum(edit, x, units)
                if gates is None or plain is None or units is None:
                    continue
                cell = Cell("gru", node, "", {**gates, "h": plain})
                if r:
                    cell.reset = _sum(edit, [reset], units)
                    if cell.reset is None:
                        continue
                if _products(edit, cell, before):
                    yield cell


def _resets(edit: Edit, value: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield s, r and the other terms of a sum with r s, or the terms of one without."""
    terms = _terms(edit, value)
    for number, term in enumerate(terms):
        for r, s in _pairs(edit, term, "mul"):
            if _argument(edit, r, "sigmoid") is not None:
                yield s, r, terms[:number] + terms[number + 1 :]
    if terms:
        yield "", "", terms


def _products(edit: Edit, cell: Cell, before: str | None) -> bool:
    """Find the products of a step; that of its state reads what `follows` will ask about."""
    nodes = {number: node for s in cell.gates.values() for number, (node, _) in s.products.items()}
    if cell.reset is not None:
        nodes.update({number: node for number, (node, _) in cell.reset.products.items()})
    if len(nodes) != (1 if before is None else 2):
        return False
    cell.products = list(nodes.values())
    cell.read = before
    return True


def follows(edit: Edit, cell: Cell, found: dict[str, Cell]) -> bool:
    """Return whether a step is a first one, or follows one that was found; note which."""
    if cell.read is None:
        return cell.reset is None or not cell.reset.products
    for x, state in (cell.products, cell.products[::-1]):
        before = found.get(plain(edit, state.inputs[0]))
        if before is None or before.kind != cell.kind:
            continue
        if plain(edit, cell.read) != (before.cells or before.node.output):
            continue
        cell.products, cell.before = [x, state], before
        both = {id(x), id(state)}
        wanted = {gate: both for gate in GATES[cell.kind]}
        if cell.kind == "gru":
            wanted["h"] = {id(x)}
            if cell.reset is None or set(cell.reset.products) != {id(state)}:
                return False
        if any(set(cell.gates[gate].products) != wanted[gate] for gate in wanted):
            return False
        return cell.like(before) if before.before is None else cell.same(before)
    return False


def _pairs(edit: Edit, value: str, function: str) -> list[tuple[str, str]]:
    """Return both orders of the operands of a value that is a sum or a product."""
    node = edit.made_by(value, "binary")
    if node is None or node.attributes["function"] != function or node.attributes.get("activation"):
        return []
    a, b = node.inputs
    return [(a, b), (b, a)]


def _argument(edit: Edit, value: str, activation: str) -> str | None:
    node = edit.made_by(value, "activation")
    if node is None or node.attributes["activation"] != activation:
        return None
    return node.inputs[0]


def plain(edit: Edit, value: str) -> str:
    """Return what reshapes make a value of."""
    while (node := edit.made_by(value, "reshape")) is not None:
        value = node.inputs[0]
    return value


def _terms(edit: Edit, value: str) -> list[str]:
    """Return the terms of a sum, none of one with more than a step has."""
    open_, terms = [value], list[str]()
    while open_:
        value = open_.pop()
        pairs = _pairs(edit, value, "add")
        if pairs:
            open_ += pairs[1]
        else:
            terms.append(value)
        if len(open_) + len(terms) > _MOST_TERMS:
            return []
    return terms


def _sums(edit: Edit, values: dict[str, str | None]) -> dict[str, _Sum] | None:
    result: dict[str, _Sum] = {}
    for gate, value in values.items():
        units = None if value is None else _units(edit, value)
        made = None if value is None or units is None else _sum(edit, [value], units)
        if made is None:
            return None
        result[gate] = made
    return result


def _sum(edit: Edit, values: Sequence[str], units: int) -> _Sum | None:
    """Return what columns of products and of constants add up to the sum of values."""
    products: dict[int, tuple[Node, int]] = {}
    total = np.zeros(units)
    open_ = [(value, 0) for value in values]
    while open_:
        value, start = open_.pop()
        constant = edit.constant(value)
        node = edit.producer.get(value)
        if constant is not None:
            row = constant.ravel()
            if row.size > 1 and (row.size < start + units or constant.shape[-1] != row.size):
                return None
            total = total + (row if row.size == 1 else row[start : start + units])
        elif node is None:
            return None
        elif node.kind == "dense" and node.attributes.get("activation") is None:
            if id(node) in products or len(node.inputs) > 1 or len(edit.shape(node.inputs[0])) != 2:
                return None
            products[id(node)] = node, start
        elif node.kind == "reshape" and _last(edit, node.inputs[0]) == _last(edit, value):
            open_.append((node.inputs[0], start))
        elif node.kind == "slice" and _of_columns(edit, node):
            open_.append((node.inputs[0], start + node.attributes["starts"][-1]))
        elif pairs := _pairs(edit, value, "add"):
            if any(_last(edit, part) not in (1, _last(edit, value)) for part in pairs[0]):
                return None
            open_ += [(part, start) for part in pairs[0]]
        else:
            return None
    return _Sum(products, total)


def _units(edit: Edit, value: str) -> int | None:
    """Return the columns of a value if it has some that are known."""
    last = (edit.shape(value) or (None,))[-1]
    return last if type(last) is int else None


def _last(edit: Edit, value: str) -> int | None:
    return (edit.shape(value) or (1,))[-1]


def _of_columns(edit: Edit, node: Node) -> bool:
    """Whether a slice takes adjacent columns of all rows."""
    steps, start = node.attributes["steps"], node.attributes["starts"][-1]
    rows = edit.shape(node.inputs[0])[:-1] == edit.shape(node.output)[:-1]
    return rows and all(step == 1 for step in steps) and type(start) is int and start >= 0
