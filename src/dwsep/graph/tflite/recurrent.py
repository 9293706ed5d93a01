"""Loops over the steps of a recurrent layer become that layer, whose loop the core runs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..importing.builder import Builder
from ..importing.moving import sliced
from ..importing.values import Known, Value, shape_of
from ..ir import Array
from .cells import Cell, cell_of, weights_of
from .formulas import Formulas, Unknown
from .loop_lists import Updates
from .parts import File


def recurrent_layer(
    build: Builder,
    body: File,
    updates: Updates,
    values: list[Value | None],
    steps: Callable[[Callable[[int], list[Value | None]]], int | None],
) -> list[Value | None] | None:
    """Return the values after the loop, None if it is no recurrent layer.

    `steps` finds after how many steps a loop ends, by its values at the beginning of each.
    """
    formulas = Formulas(build, body, values)
    counters = _counters(formulas, body, values)
    try:
        cell = cell_of(formulas, body)
        row, weights = weights_of(cell)
    except Unknown:
        return None
    sequence, counter = row.operands

    def at(step: int) -> list[Value | None]:
        return [
            Known(np.array(counters[i] + step, np.int32)) if i in counters else value
            for i, value in enumerate(values)
        ]

    count, x = steps(at), values[sequence]
    shape = () if x is None else shape_of(x)
    rows = len(shape) == 3 and count and (shape[0] or 0) >= count
    if not rows or x is None or count is None or counters.get(counter) != 0:
        return None
    x = sliced(build, x, {0: (0, count, 1)})
    layer = _Layer(build, cell, x, values, weights)
    results: list[Value | None] = []
    state = formulas.vectors[body.outputs[cell.state]]
    for number, (given, made, value) in enumerate(
        zip(body.inputs, body.outputs, at(count), strict=True)
    ):
        if number in updates:
            index, item = updates[number].index, updates[number].item
            place = counters.get(formulas.numbers.get(index, -1))
            whole = value is not None and shape_of(value)[0] == count
            if place != 0 or not whole or formulas.vectors.get(item) != state:
                return None
            results.append(layer.states(value))
        elif made == given or number in counters:
            results.append(value)
        elif number == cell.memory:
            results.append(layer.last_memory(value))
        elif formulas.vectors.get(made) == state:
            results.append(layer.last_state(value))
        else:
            return None
    return results


class _Layer:
    """The node of a layer, which is added when the first of its results is asked for."""

    def __init__(
        self,
        build: Builder,
        cell: Cell,
        x: Value,
        values: list[Value | None],
        weights: dict[str, Array],
    ) -> None:
        self._build, self._cell, self._x = build, cell, x
        self._values, self._weights = values, weights
        self._y: Value | None = None

    def _all(self) -> Value:
        if self._y is None:
            build, cell = self._build, self._cell
            units = self._weights["weight"].shape[1]
            batch = shape_of(self._x)[1]
            given = [self._values[n] for n in (cell.state, cell.memory) if n is not None]
            states = [
                build.reshape(v, (1, -1 if batch is None else batch, units))
                for v in given
                if v is not None
            ]
            attributes = dict(cell.attributes, cell=cell.kind, direction="forward")
            self._y = build.emit("recurrent", [self._x, *states], self._weights, **attributes)
        return self._y

    @property
    def _count(self) -> int:
        return shape_of(self._x)[0] or 0

    def _part(self, start: int, stop: int, like: Value | None) -> Value:
        part = sliced(self._build, self._all(), {0: (start, stop, 1)})
        sizes = list(shape_of(self._x if like is None else like))
        return self._build.reshape(part, [-1 if n is None else n for n in sizes])

    def states(self, like: Value | None) -> Value:
        """Return the states of all steps."""
        return self._part(0, self._count, like)

    def last_state(self, like: Value | None) -> Value:
        """Return the state after the last step."""
        return self._part(self._count - 1, self._count, like)

    def last_memory(self, like: Value | None) -> Value:
        """Return the memory of an LSTM after the last step."""
        return self._part(self._count, self._count + 1, like)


def _counters(formulas: Formulas, body: File, values: list[Value | None]) -> dict[int, int]:
    """Return the values that each step increases by 1, and where they begin."""
    makers = {name: node for node in body.nodes for name in node.outputs}
    found = {}
    for number, (given, made) in enumerate(zip(body.inputs, body.outputs, strict=True)):
        node, value = makers.get(made), values[number]
        if node is None or node.type != "ADD" or node.inputs[:1] != [given]:
            continue
        if not isinstance(value, Known) or value.array.size != 1 or value.array.dtype.kind != "i":
            continue
        try:
            if formulas.integers(node.inputs[1]) == [1]:
                found[number] = int(value.array.reshape(()))
        except (Unknown, LookupError):
            continue
    return found
