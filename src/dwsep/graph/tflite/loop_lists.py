"""Lists of tensors in loops, of which each step replaces a row.

TFLite has no operator for that: the rows before it, the new row and those behind it are joined, and
a step would copy all of them. Such joins are left out of the body of a loop, and the rows are put
together after the last step.
"""

from __future__ import annotations

from typing import TypeAlias

from ...errors import InvalidModelError
from ..importing.builder import Builder
from ..importing.moving import sliced
from ..importing.values import Unsupported, Value, shape_of
from ..replaced import replaced
from .parts import File


class Update:
    """One row of a list is replaced: by what, and which, by the names of the body's values."""

    def __init__(self, index: str, item: str) -> None:
        self.index, self.item = index, item

    def whole(self, build: Builder, before: Value, rows: dict[int, Value]) -> Value:
        """Return a list whose rows, each with an axis of 1 before it, were replaced."""
        size = shape_of(before)[0] if shape_of(before) else None
        if size is None or not all(0 <= index < size for index in rows):
            raise InvalidModelError(f"rows {sorted(rows)} of a list of shape {shape_of(before)}")
        if any(shape_of(row)[:1] != (1,) for row in rows.values()):
            raise Unsupported("it replaces a row of a list by other than one")
        parts = [
            rows[i] if i in rows else sliced(build, before, {0: (i, i + 1, 1)}) for i in range(size)
        ]
        return parts[0] if size == 1 else build.emit("concat", parts, axis=0)


# By the numbers of the loop's values.
Updates: TypeAlias = "dict[int, Update]"


def without_updates(body: File) -> tuple[File, Updates]:
    """Return a body whose lists stay as they are, and what it would have made of them."""
    updates: Updates = {}
    reader = _Reader(body)
    outputs = list(body.outputs)
    for number, (given, made) in enumerate(zip(body.inputs, body.outputs, strict=True)):
        if made == given:
            continue
        outputs[number] = reader.only_row(given, made) or made
        update = reader.update(given, made)
        if update is not None:
            updates[number] = update
            outputs[number] = given
    return (body if outputs == body.outputs else replaced(body, outputs=outputs)), updates


class _Reader:
    """Finds what makes the values of a body."""

    def __init__(self, body: File) -> None:
        self._body = body
        self._makers = {name: node for node in body.nodes for name in node.outputs}

    def _made(self, name: str, kind: str, inputs: int) -> list[str] | None:
        node = self._makers.get(name)
        fits = node is not None and node.type == kind and len(node.inputs) == inputs
        return node.inputs if node is not None and fits else None

    def _constant(self, name: str) -> list[int] | None:
        tensor = self._body.tensors.get(name)
        if tensor is None or tensor.data is None or tensor.type not in ("int32", "int64"):
            return None
        return [int(n) for n in tensor.array().reshape(-1)[:8]]

    def only_row(self, given: str, made: str) -> str | None:
        """Return what replaces the row of a list that has one."""
        joined = self._made(made, "CONCATENATION", 3)
        before, after = (self._made(n, "SLICE", 3) for n in (joined or [""] * 3)[::2])
        if joined is None or before is None or after is None:
            return None
        size, begins = self._constant(before[2]), self._constant(after[1])
        if not before[0] == after[0] == given or not size or not begins:
            return None
        empty = size[0] == 0 and begins[0] == self._body.tensors[given].declared[0]
        return joined[1] if empty and self._axis(made) == 0 else None

    def _axis(self, made: str) -> int:
        return int(self._makers[made].attributes.get("axis", 0))

    def update(self, given: str, made: str) -> Update | None:
        """Return the replacement of a row that makes one value of another."""
        joined = self._made(made, "CONCATENATION", 3)
        if joined is None or self._axis(made) != 0:
            return None
        before, after = (self._made(name, "SLICE", 3) for name in (joined[0], joined[2]))
        if before is None or after is None or not before[0] == after[0] == given:
            return None
        begins, rest = self._constant(before[1]), self._constant(after[2])
        if not begins or any(begins) or not rest or any(n != -1 for n in rest):
            return None
        index, end = self._first(before[2], -1), self._first(after[1], 0)
        if index is None or end is None or not self._follows(index, end):
            return None
        readers = [node for node in self._body.nodes if given in node.inputs]
        wanted = [self._makers[joined[0]], self._makers[joined[2]]]
        if any(reader not in wanted for reader in readers) or self._is_read(made):
            return None
        if self._body.outputs.count(made) > 1 or given in self._body.outputs:
            return None
        return Update(index, joined[1])

    def _first(self, name: str, others: int) -> str | None:
        """Return the number that is the first of a list, all others of which are equal."""
        parts = self._made(name, "CONCATENATION", 2)
        number = self._made(parts[0], "RESHAPE", 2) if parts else None
        rest = self._constant(parts[1]) if parts else None
        if number is None or rest is None or any(n != others for n in rest):
            return None
        return number[0]

    def _follows(self, index: str, end: str) -> bool:
        terms = self._made(end, "ADD", 2)
        return terms is not None and terms[0] == index and self._constant(terms[1]) == [1]

    def _is_read(self, name: str) -> bool:
        return any(name in node.inputs for node in self._body.nodes)
