"""Reads FlatBuffers, the encoding of TFLite files; each distance is checked before it is followed.

A table starts with the distance back to its vtable, which has the place of each field; a field that
is not there has its default. Strings, vectors and tables are reached by distances ahead. (Code that
is generated from the schema follows whatever distances a file has.) All structures of the schema
nest to a fixed depth, so that no file can send a reader round in circles; but any number of
distances may lead to one place, so what is read altogether has a bound.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InvalidModelError

_FORMATS = {kind: struct.Struct(f"<{kind}") for kind in "bB?HiIfQ"}
_TWO_SIZES = struct.Struct("<HH")  # of a vtable, and of a table
_MOST_READ = 16  # times the bytes of a file; converters read vtables again for most tables


class _Bytes:
    """The bytes of a file."""

    __slots__ = ("_left", "_size", "data")

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self._size = len(data)
        self._left = _MOST_READ * self._size

    def number(self, kind: str, position: int) -> Any:
        """Return a number; `kind` is the letter of the struct module."""
        numbers = _FORMATS[kind]
        if position < 0 or position + numbers.size > self._size:
            raise damaged(position)
        return numbers.unpack_from(self.data, position)[0]

    def check(self, position: int, size: int) -> None:
        """Refuse a place that is not in the file."""
        if position < 0 or position + size > self._size:
            raise damaged(position)

    def take(self, position: int, size: int) -> None:
        """Refuse a place that is not in the file, or too much that is read again and again."""
        self.check(position, size)
        self._left -= size
        if self._left < 0:
            raise InvalidModelError(f"the file is damaged: byte {position} is read too often")


class Table:
    """A table of a file; its fields are numbered as the schema lists them."""

    __slots__ = ("_fields", "_file", "_position", "_size")

    def __init__(self, file: _Bytes, position: int) -> None:
        self._file = file
        self._position = position
        vtable = position - file.number("i", position)
        file.check(vtable, 4)
        size, self._size = _TWO_SIZES.unpack_from(file.data, vtable)
        if size < 4 or size % 2 or self._size < 4:
            raise damaged(vtable)
        file.take(vtable, size)
        file.check(position, self._size)
        self._fields = struct.unpack_from(f"<{(size - 4) // 2}H", file.data, vtable + 4)

    @classmethod
    def root(cls, data: memoryview) -> Table:
        """Return the table that a file is."""
        file = _Bytes(data)
        return cls(file, file.number("I", 0))

    def scalar(self, field: int, kind: str, default: Any) -> Any:
        """Return a number; `kind` is the letter of the struct module."""
        place = self._place(field, _FORMATS[kind].size)
        return default if place is None else self._file.number(kind, place)

    def table(self, field: int) -> Table | None:
        """Return a table, None if it is not there."""
        place = self._ahead(field)
        return None if place is None else Table(self._file, place)

    def string(self, field: int) -> str:
        """Return a text, empty if it is not there."""
        place = self._ahead(field)
        if place is None:
            return ""
        size = self._file.number("I", place)
        self._file.take(place + 4, size)
        return bytes(self._file.data[place + 4 : place + 4 + size]).decode("utf-8", "replace")

    def numbers(self, field: int, dtype: str) -> NDArray[Any]:
        """Return a vector of numbers as a view of the file, empty if it is not there."""
        place = self._ahead(field)
        if place is None:
            return np.empty(0, dtype)
        count = self._file.number("I", place)
        size = count * int(dtype[-1])
        if dtype == "u1":  # weights, which stay where they are
            self._file.check(place + 4, size)
        else:
            self._file.take(place + 4, size)
        return np.frombuffer(self._file.data, dtype, count, place + 4)

    def tables(self, field: int) -> list[Table]:
        """Return a vector of tables."""
        place = self._ahead(field)
        if place is None:
            return []
        places = self.numbers(field, "<u4").tolist()
        return [Table(self._file, place + 4 + 4 * i + n) for i, n in enumerate(places)]

    def _place(self, field: int, size: int) -> int | None:
        offset = self._fields[field] if field < len(self._fields) else 0
        if offset == 0:
            return None
        if offset < 4 or offset + size > self._size:
            raise damaged(self._position)
        return self._position + int(offset)

    def _ahead(self, field: int) -> int | None:
        place = self._place(field, 4)
        return None if place is None else place + int(self._file.number("I", place))


def damaged(position: int) -> InvalidModelError:
    return InvalidModelError(f"the file is damaged: what byte {position} says lies outside of it")
