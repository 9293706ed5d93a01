"""WHILE: the loop of a recurrent layer, or one whose steps are put one after the other.

How often a loop runs must be known when the file is loaded: its condition is computed of counters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...errors import InvalidModelError
from ..importing import Import, ImportNode
from ..importing.node import FileNode, needed_nodes
from ..importing.values import UNKNOWN, Known, Unsupported, Value, is_symbolic
from .constants import constants_of
from .loop_lists import Updates, without_updates
from .parts import File

_MOST_STEPS = 2**20

Importer = Callable[[File], ImportNode]


class Part:
    """The condition or the body of a loop: imported with values for its inputs."""

    def __init__(
        self, state: Import, file: File, inputs: int, importer: Importer, updates: Updates | None
    ) -> None:
        if len(file.inputs) != inputs:
            raise InvalidModelError(f"{inputs} values for a graph of {len(file.inputs)} inputs")
        self._state, self.file, self._importer = state, file, importer(file)
        self.outputs = list(file.outputs)
        for update in (updates or {}).values():
            self.outputs += [update.index, update.item]
        constants = {t.name for t in file.tensors.values() if t.data is not None}
        numbers = needed_nodes(
            file.name,
            [(node.inputs, node.outputs) for node in file.nodes],
            {*file.inputs, *constants},
            self.outputs,
            lambda number: file.nodes[number].name,
        )
        self.nodes = [file.nodes[number] for number in numbers]
        used = {name for node in self.nodes for name in node.inputs} | set(self.outputs)
        self._constants = constants_of(file, state.build, used)

    def __call__(self, values: Sequence[Value | None]) -> list[Value | None]:
        """Import all operators once more; a value is None if a problem was reported."""
        given = {n: v for n, v in zip(self.file.inputs, values, strict=True) if v is not None}
        known: dict[str, Any] = {**self._constants, **given}
        types = {node.type for node in self.nodes}
        return self._state.run_inside(self.nodes, known, self._importer, types, self.outputs)


def import_loop(
    state: Import, file: File, node: FileNode, values: list[Value | None], importer: Importer
) -> list[Value | None]:
    """Return the values after the last step."""
    condition, body = (
        _subgraph(file, int(node.attributes[f"{part}_subgraph_index"])) for part in ("cond", "body")
    )
    if len(condition.outputs) != 1 or not len(body.outputs) == len(values) == len(node.outputs):
        raise InvalidModelError("its condition or its body does not fit")
    body, updates = without_updates(body)
    goes_on = Part(state, condition, len(values), importer, None)
    read = {name for inner in goes_on.nodes for name in inner.inputs}
    if any(condition.inputs[number] in read for number in updates):
        raise Unsupported("its condition reads a list of which it replaces rows")
    from .recurrent import recurrent_layer

    layer = recurrent_layer(state.build, body, updates, values, lambda n: _steps(goes_on, n))
    if layer is not None:
        return layer
    one = Part(state, body, len(values), importer, updates)
    return _one_after_the_other(state, goes_on, one, values, updates)


def _subgraph(file: File, number: int) -> File:
    graph = file.others(number)
    inner = File(file.name, file.network, graph, file.others)
    if any(node.type == "IF" for node in inner.nodes):
        from .branches import without_branches

        inner = without_branches(inner)
    return inner


def _is_true(value: Value | None) -> bool | None:
    """Return a condition, None if a problem was reported."""
    if value is None:
        return None
    if not isinstance(value, Known):
        raise Unsupported("the network decides how often it runs")
    if is_symbolic(value.array):
        raise Unsupported(f"how often it runs {UNKNOWN}")
    if value.array.size != 1:
        raise InvalidModelError(f"need one condition, got shape {value.array.shape}")
    return bool(value.array.reshape(()))


def _steps(goes_on: Part, values_at: Callable[[int], list[Value | None]]) -> int | None:
    """Return after how many steps a loop ends whose condition compares counters with bounds.

    Such a condition stays false once it is. None for others, and if a problem was reported.
    """
    if any(node.type not in ("LESS", "LOGICAL_AND") for node in goes_on.nodes):
        return None
    high = 1
    while _is_true(goes_on(values_at(high - 1))[0]):
        high *= 2
        if high > _MOST_STEPS:
            return None
    low, high = 0, high - 1
    while low < high:
        middle = (low + high) // 2
        if _is_true(goes_on(values_at(middle))[0]):
            low = middle + 1
        else:
            high = middle
    return low


def _one_after_the_other(
    state: Import, goes_on: Part, body: Part, values: list[Value | None], updates: Updates
) -> list[Value | None]:
    """Import a loop's steps one after the other."""
    rows: dict[int, dict[int, Value]] = {number: {} for number in updates}
    first = list(values)
    while True:
        go = _is_true(goes_on(values)[0])
        if go is None:
            return []
        if not go:
            break
        state.count_step(len(body.nodes) + len(goes_on.nodes))
        values = body(values)
        if None in values:
            return []
        extra = values[len(first) :]
        values = values[: len(first)]
        for number, index, item in zip(updates, extra[::2], extra[1::2], strict=True):
            if not isinstance(index, Known) or item is None:
                raise Unsupported("the network decides where it writes")
            rows[number][int(index.array.reshape(()))] = item
            values[number] = first[number]
    for number, written in rows.items():
        whole = first[number]
        assert whole is not None
        values[number] = updates[number].whole(state.build, whole, written)
    return values
