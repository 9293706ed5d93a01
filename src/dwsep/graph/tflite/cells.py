"""Finds the cells of recurrent layers in the formulas of a loop's body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..ir import Array
from .formulas import Affine, Formula, Formulas, Unknown, Vector
from .parts import File

_ACTIVATIONS = ("sigmoid", "tanh", "relu", "relu6")


class Cell(NamedTuple):
    """What a cell is: the vectors of its gates, in the order that the core has them."""

    kind: str
    state: int  # as the memory, the number of one of the loop's values
    memory: int | None
    gates: list[Affine]
    attributes: dict[str, Any]
    apart: Affine | None = None  # of the last gate what comes of the state, if that is apart


def cell_of(formulas: Formulas, body: File) -> Cell:
    """Return the cell whose state and memory a body makes; Unknown is raised if it has none."""
    made = {
        number: formulas.vectors[name]
        for number, (given, name) in enumerate(zip(body.inputs, body.outputs, strict=True))
        if name != given and name in formulas.vectors and given in formulas.vectors
    }
    for number, vector in made.items():
        for match in (_lstm, _gru, _plain):
            for cell in match(number, vector, made):
                if _is_closed(cell):
                    return cell
    raise Unknown


def _is_closed(cell: Cell) -> bool:
    """Return whether the gates take only the state and a row."""
    state = Formula("state", (cell.state,))
    gates = cell.gates if cell.apart is None else [*cell.gates, cell.apart]
    return all(v == state or _kind(v) == "row" for gate in gates for v in gate.terms)


def _kind(vector: Vector) -> str:
    return vector.kind if isinstance(vector, Formula) else ""


def _orders(vector: Vector, kind: str) -> Iterator[tuple[Vector, Vector]]:
    """Yield the operands of a sum or product in both orders."""
    if isinstance(vector, Formula) and vector.kind == kind:
        a, b = vector.operands
        yield a, b
        yield b, a


def _gate(vector: Vector) -> Affine | None:
    """Return what an activation is of, if that is affine."""
    if isinstance(vector, Formula) and vector.kind in _ACTIVATIONS:
        inner = vector.operands[0]
        return inner if isinstance(inner, Affine) else None
    return None


def _is_activation(vector: Vector, of: Vector) -> bool:
    kind = _kind(vector)
    return kind in _ACTIVATIONS and isinstance(vector, Formula) and vector.operands[0] == of


def _plain(number: int, vector: Vector, _: dict[int, Vector]) -> Iterator[Cell]:
    gate = _gate(vector)
    if gate is not None:
        yield Cell("plain", number, None, [gate], {"activation": _kind(vector)})


def _lstm(number: int, vector: Vector, made: dict[int, Vector]) -> Iterator[Cell]:
    for output, of_memory in _orders(vector, "mul"):
        memories = [m for m, v in made.items() if m != number and _is_activation(of_memory, v)]
        if not memories:
            continue
        memory = memories[0]
        for kept, new in _orders(made[memory], "add"):
            for forget, before in _orders(kept, "mul"):
                for given, candidate in _orders(new, "mul"):
                    gates = [_gate(v) for v in (given, output, forget, candidate)]
                    fits = before == Formula("state", (memory,)) and None not in gates
                    if fits and _kind(given) == _kind(forget) == _kind(output):
                        yield Cell(
                            "lstm",
                            number,
                            memory,
                            [gate for gate in gates if gate is not None],
                            {
                                "gate_activation": _kind(output),
                                "activation": _kind(candidate),
                                "cell_activation": _kind(of_memory),
                            },
                        )


def _gru(number: int, vector: Vector, _: dict[int, Vector]) -> Iterator[Cell]:
    state = Formula("state", (number,))
    for kept, new in _orders(vector, "add"):
        for update, before in _orders(kept, "mul"):
            for rest, candidate in _orders(new, "mul"):
                z, fits = _gate(update), before == state and rest == Formula("rest", (update,))
                if not fits or z is None or _kind(candidate) not in _ACTIVATIONS:
                    continue
                assert isinstance(candidate, Formula)
                attributes = {"gate_activation": _kind(update), "activation": candidate.kind}
                for reset, gate, apart in _resets(candidate.operands[0], state):
                    r = _gate(reset)
                    if r is not None and _kind(reset) == _kind(update):
                        after = {"reset_after": apart is not None}
                        yield Cell(
                            "gru", number, None, [z, r, gate], {**attributes, **after}, apart
                        )


def _resets(vector: Vector, state: Formula) -> Iterator[tuple[Vector, Affine, Affine | None]]:
    """Yield the reset gate, the candidate's vector and what of it the gate multiplies."""
    for of_row, product in _orders(vector, "add"):
        for reset, apart in _orders(product, "mul"):
            if not isinstance(of_row, Affine) or not isinstance(apart, Affine):
                continue
            if state not in of_row.terms and set(apart.terms) == {state}:
                yield reset, of_row, apart
    if not isinstance(vector, Affine):
        return
    for term, matrix in vector.terms.items():
        for reset, before in _orders(term, "mul"):
            if before == state and state not in vector.terms:
                others = {v: m for v, m in vector.terms.items() if v is not term}
                yield reset, Affine({**others, state: matrix}, vector.constant), None


def weights_of(cell: Cell) -> tuple[Formula, dict[str, Array]]:
    """Return the rows that a layer takes, and its weights as the core has them."""
    rows = {v for gate in cell.gates for v in gate.terms if _kind(v) == "row"}
    units = cell.gates[0].constant.size
    every = cell.gates if cell.apart is None else [*cell.gates, cell.apart]
    if len(rows) != 1 or any(gate.constant.size != units for gate in every):
        raise Unknown
    row, state = rows.pop(), Formula("state", (cell.state,))
    assert isinstance(row, Formula)
    features = next(gate.terms[row].shape[0] for gate in cell.gates if row in gate.terms)

    def joined(vector: Formula, size: int, gates: list[Affine]) -> Array:
        none = np.zeros((size, units), np.float32)
        parts = [gate.terms.get(vector, none) for gate in gates]
        if any(part.shape != none.shape for part in parts):
            raise Unknown
        return np.ascontiguousarray(np.concatenate(parts, axis=1)[None], np.float32)

    of_state = cell.gates if cell.apart is None else [*cell.gates[:-1], cell.apart]
    weights = {
        "input_weight": joined(row, features, cell.gates),
        "weight": joined(state, units, of_state),
        "bias": np.concatenate([gate.constant for gate in cell.gates])[None].astype(np.float32),
    }
    if cell.apart is not None:
        kept = np.zeros_like(weights["bias"])
        kept[:, -units:] = cell.apart.constant
        weights["recurrent_bias"] = kept
    return row, weights
