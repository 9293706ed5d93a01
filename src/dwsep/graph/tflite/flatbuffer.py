"""Reads FlatBuffers, the encoding of TFLite files; each distance is checked before it is followed.

A table starts with the distance back to its vtable, which has the place of each field; a field that
is not there has its default. Strings, vectors and tables are reached by distances ahead. (Code that
is generated from the schema follows whatever distances a file has.) All structures of the schema
nest to a fixed depth, so that no file can send a reader round in circles; but any number of
distances may lead to one place, so what is read altogether has a bound.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InvalidModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FORMATS = {kind: struct.Struct(f"<{kind}") for kind in "bB?HiIfQ"}
_DISTANCE, _SIGNED, _VTABLE = struct.Struct("<I"), struct.Struct("<i"), struct.Struct("<H")
_MOST_READ = 16  # times the bytes of a file
_ABSENT = (0,) * 16  # fields that a table lacks; those of the schema that are read have less


class _Bytes:
    """The bytes of a file, and the vtables read so far: tables of one kind share them."""

    __slots__ = ("data", "left", "size", "vtables")

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.size = len(data)
        self.left = _MOST_READ * self.size
        self.vtables: dict[int, tuple[int, ...]] = {}

    def take(self, position: int, size: int) -> None:
        """Refuse a place that is not in the file, or too much that is read again and again."""
        if position < 0 or position + size > self.size:
            raise damaged(position)
        self.left -= size
        if self.left < 0:
            raise InvalidModelError(f"the file is damaged: byte {position} is read too often")

    def vtable(self, position: int) -> tuple[int, ...]:
        """Return the size of a table, and where each of its fields lies in it, 0 for nowhere."""
        self.take(position, 4)
        (size,) = _VTABLE.unpack_from(self.data, position)
        if size < 4 or size % 2:
            raise damaged(position)
        self.take(position, size)
        fields = struct.unpack_from(f"<{size // 2 - 1}H", self.data, position + 2)
        if fields[0] < 4 or any(0 < place < 4 for place in fields):
            raise damaged(position)
        self.vtables[position] = fields = fields + _ABSENT
        return fields


class Table:
    """A table of a file; its fields are numbered as the schema lists them.

    Files have thousands of fields, so that each method checks and reads without another's help.
    """

    __slots__ = ("_fields", "_file", "_position")

    def __init__(self, file: _Bytes, position: int) -> None:
        if position + 4 > file.size:
            raise damaged(position)
        vtable = position - _SIGNED.unpack_from(file.data, position)[0]
        self._file = file
        self._position = position
        self._fields = file.vtables.get(vtable) or file.vtable(vtable)
        if position + self._fields[0] > file.size:
            raise damaged(position)

    @classmethod
    def root(cls, data: memoryview) -> Table:
        """Return the table that a file is."""
        file = _Bytes(data)
        file.take(0, 4)
        return cls(file, _DISTANCE.unpack_from(data)[0])

    def scalar(self, field: int, kind: str, default: Any) -> Any:
        """Return a number; `kind` is the letter of the struct module."""
        offset = self._fields[field + 1]
        if not offset:
            return default
        numbers = _FORMATS[kind]
        if offset + numbers.size > self._fields[0]:
            raise damaged(self._position)
        return numbers.unpack_from(self._file.data, self._position + offset)[0]

    def table(self, field: int) -> Table | None:
        """Return a table, None if it is not there."""
        offset = self._fields[field + 1]
        if not offset:
            return None
        if offset + 4 > self._fields[0]:
            raise damaged(self._position)
        place = self._position + offset
        return Table(self._file, place + _DISTANCE.unpack_from(self._file.data, place)[0])

    def string(self, field: int) -> str:
        """Return a text, empty if it is not there."""
        first, size = self._vector(field, 1)
        return str(self._file.data[first : first + size], "utf-8", "replace")

    def ints(self, field: int, most: int = 2**30) -> tuple[int, ...]:
        """Return the first numbers of a vector of 32 bits each, empty if it is not there."""
        if not self._fields[field + 1]:
            return ()
        first, count = self._vector(field, 4, most)
        return struct.unpack_from(f"<{count}i", self._file.data, first)

    def numbers(self, field: int, dtype: str) -> NDArray[Any]:
        """Return a vector of numbers as a view of the file, empty if it is not there."""
        if not self._fields[field + 1]:
            return np.empty(0, dtype)
        first, count = self._vector(field, int(dtype[-1]))
        return np.frombuffer(self._file.data, dtype, count, first) if count else np.empty(0, dtype)

    def bytes(self, field: int) -> NDArray[np.uint8] | None:
        """Return a vector of bytes as a view of the file, None if it is not there or empty."""
        first, count = self._vector(field, 0)
        if first + count > self._file.size:  # they stay where they are: others may be them too
            raise damaged(first)
        return np.frombuffer(self._file.data, np.uint8, count, first) if count else None

    def tables(self, field: int) -> list[Table]:
        """Return a vector of tables."""
        file, (first, count) = self._file, self._vector(field, 4)
        places = struct.unpack_from(f"<{count}I", file.data, first)
        return [Table(file, first + 4 * i + n) for i, n in enumerate(places)]

    def _vector(self, field: int, width: int, most: int = 2**32) -> tuple[int, int]:
        """Return where a vector's first element lies, and how many it has; 0 if it is not there.

        With a `width`, the bytes of an element, they are in the file, and count as read.
        """
        offset = self._fields[field + 1]
        if not offset:
            return 0, 0
        if offset + 4 > self._fields[0]:
            raise damaged(self._position)
        file, place = self._file, self._position + offset
        place += _DISTANCE.unpack_from(file.data, place)[0]
        if place + 4 > file.size:
            raise damaged(place)
        (count,) = _DISTANCE.unpack_from(file.data, place)
        if count > most:
            count = most
        file.take(place + 4, width * count)
        return place + 4, count


def damaged(position: int) -> InvalidModelError:
    return InvalidModelError(f"the file is damaged: what byte {position} says lies outside of it")
