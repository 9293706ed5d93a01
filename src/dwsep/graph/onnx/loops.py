"""`Loop` and `Scan`, whose steps are put one after the other.

How many there are must be known when the file is loaded.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import InvalidModelError
from ..importing import Import
from ..importing.compositions import to_target
from ..importing.moving import sizes_with, sliced
from ..importing.node import FileNode
from ..importing.values import (
    UNKNOWN,
    Computed,
    Known,
    Unsupported,
    Value,
    dtype_of,
    is_symbolic,
    shape_of,
)
from .branches import Importer, Inside
from .model import File, onnx_package


class _Steps:
    """The steps of a loop, which together may have so many operators."""

    def __init__(self, state: Import, file: File, node: FileNode, importer: Importer) -> None:
        self._state, self._file, self._node, self._importer = state, file, node, importer
        self._body = node.attributes["body"]
        if not isinstance(self._body, onnx_package().GraphProto):
            raise InvalidModelError("its body has to be a graph")
        self.states = 0  # values that go from step to step
        self.rows: list[list[Value]] = []  # of outputs that have a row of each step
        self._inside: Inside | None = None

    def __call__(self, inputs: list[Value], before: int) -> list[Value] | None:
        """Import a step; return its states, after `before` others, None if there is a problem."""
        self._state.count_step(len(self._body.node))
        count = before + len(self._node.outputs)
        if self._inside is None:
            self._inside = Inside(self._file, self._body, count, len(inputs))
        made = self._inside(self._state, self._importer, inputs)
        values = [value for value in made if value is not None]
        if len(values) != count:
            return None
        rows = values[before + self.states :]
        self.rows = self.rows or [[] for _ in rows]
        for several, row in zip(self.rows, rows, strict=True):
            several.append(row)
        return values[: before + self.states]

    def stacked(self, number: int, axis: int, reverse: bool) -> Value:
        """Return the rows of an output along a new axis."""
        build, rows = self._state.build, self.rows[number]
        rank = len(shape_of(rows[0])) + 1
        if not -rank <= axis < rank:
            raise InvalidModelError(f"axis: need from {-rank} to {rank - 1}, got {axis}")
        axis %= rank
        parts = []
        for row in reversed(rows) if reverse else rows:
            sizes = sizes_with(row, len(shape_of(row)), [])
            sizes.insert(axis, 1)
            parts.append(build.reshape(row, to_target(shape_of(row), sizes)))
        return parts[0] if len(parts) == 1 else build.emit("concat", parts, axis=axis)


def import_loop(
    state: Import, file: File, node: FileNode, inputs: list[Value | None], importer: Importer
) -> list[Value | None]:
    """Import `Loop`."""
    most, first, *given = [*inputs, None, None][: max(len(inputs), 2)]
    limit = _number(most, "number of steps") if most is not None else None
    goes_on = bool(_number(first, "condition")) if first is not None else True
    values = _present(given)
    steps = _Steps(state, file, node, importer)
    steps.states = len(values)
    if steps.states > len(node.outputs):
        raise InvalidModelError(f"{len(node.outputs)} outputs for {steps.states} values")
    count = 0
    while goes_on and (limit is None or count < limit):
        numbers = [Known(np.array(count, np.int64)), Known(np.array(True))]
        made = steps([*numbers, *values], 1)
        if made is None:
            return []
        goes_on, values = bool(_number(made[0], "condition")), made[1:]
        count += 1
    rows = range(len(node.outputs) - steps.states)
    if rows and not count:
        return [*values, *_no_rows(state, steps, values)]
    return [*values, *(steps.stacked(number, 0, reverse=False) for number in rows)]


def _no_rows(state: Import, steps: _Steps, values: list[Value]) -> list[Value]:
    """Return outputs with a row of each step of a loop that has none: a step says of which shape.

    Nothing needs what it computes.
    """
    numbers = [Known(np.array(0, np.int64)), Known(np.array(True))]
    if steps([*numbers, *values], 1) is None:
        return []
    outputs: list[Value] = []
    for (row,) in steps.rows:
        shape = shape_of(row)
        if None in shape or dtype_of(row) == "object":
            raise Unsupported(f"it has no steps, and rows of an output have the shape {shape}")
        outputs.append(Known(np.zeros((0, *(n or 0 for n in shape)), dtype_of(row))))
    return outputs


def import_scan(
    state: Import, file: File, node: FileNode, inputs: list[Value | None], importer: Importer
) -> list[Value | None]:
    """Import `Scan` as opset 9 and later have it."""
    values, attributes = _present(inputs), node.attributes
    rows = attributes["num_scan_inputs"]
    if not 1 <= rows <= len(values):
        raise InvalidModelError(f"num_scan_inputs: need from 1 to {len(values)}, got {rows}")
    values, sequences = values[: len(values) - rows], values[len(values) - rows :]
    steps = _Steps(state, file, node, importer)
    steps.states = len(values)
    outputs = len(node.outputs) - steps.states
    axes, back = (_each(attributes, f"scan_input_{n}", rows) for n in ("axes", "directions"))
    places, reverse = (
        _each(attributes, f"scan_output_{n}", outputs) for n in ("axes", "directions")
    )
    axes = [_axis(axis, x) for axis, x in zip(axes, sequences, strict=True)]
    sizes = {shape_of(x)[axis] for x, axis in zip(sequences, axes, strict=True)}
    count = sizes.pop()
    if sizes or not isinstance(count, int) or count < 1:
        raise Unsupported(f"its sequences have {count} and {sorted(map(str, sizes))} steps")
    for step in range(count):
        parts = [
            _row(state, x, axis, count - 1 - step if backwards else step)
            for x, axis, backwards in zip(sequences, axes, back, strict=True)
        ]
        made = steps([*values, *parts], 0)
        if made is None:
            return []
        values = made
    return [
        *values,
        *(steps.stacked(n, places[n], reverse=bool(reverse[n])) for n in range(outputs)),
    ]


def _present(inputs: list[Value | None]) -> list[Value]:
    values = [value for value in inputs if value is not None]
    if len(values) != len(inputs):
        raise InvalidModelError("a value that goes from step to step is missing")
    return values


def _number(value: Value | None, what: str) -> int:
    if isinstance(value, Computed) or value is None:
        raise Unsupported(f"its {what} is computed by the network")
    if is_symbolic(value.array):
        raise Unsupported(f"its {what} {UNKNOWN}")
    if value.array.size != 1:
        raise InvalidModelError(f"{what}: need one, got shape {value.array.shape}")
    return int(value.array.reshape(()))


def _each(attributes: dict[str, Any], name: str, count: int) -> list[int]:
    values: list[int] = attributes.get(name, [0] * count)
    if len(values) != count:
        raise InvalidModelError(f"{name}: need {count}, got {values}")
    return values


def _axis(axis: int, x: Value) -> int:
    rank = len(shape_of(x))
    if not -rank <= axis < rank:
        raise InvalidModelError(f"scan_input_axes: need from {-rank} to {rank - 1}, got {axis}")
    return axis % rank


def _row(state: Import, x: Value, axis: int, step: int) -> Value:
    """Return a part of a sequence without its axis."""
    if isinstance(x, Known):
        return Known(x.array.take(step, axis))
    part = sliced(state.build, x, {axis: (step, step + 1, 1)})
    return state.build.reshape(part, to_target(shape_of(part), sizes_with(part, axis, [])))
