"""Reads FlatBuffers, the encoding of TFLite files; each distance is checked before it is followed.

A table starts with the distance back to its vtable, which has the place of each field; a field that
is not there has its default. Strings, vectors and tables are reached by distances ahead. (Code that
is generated from the schema follows whatever distances a file has.) All structures of the schema
nest to a fixed depth, so that no file can send a reader round in circles.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InvalidModelError


class Table:
    """A table of a file; its fields are numbered as the schema lists them."""

    __slots__ = ("_data", "_fields", "_position", "_size")

    def __init__(self, data: memoryview, position: int) -> None:
        self._data = data
        self._position = position
        vtable = position - _unpack(data, "<i", position)
        size = _unpack(data, "<H", vtable)
        self._size = _unpack(data, "<H", vtable + 2)
        if size < 4 or size % 2 or self._size < 4:
            raise _damaged(vtable)
        _check(data, vtable, size)
        _check(data, position, self._size)
        self._fields = struct.unpack_from(f"<{(size - 4) // 2}H", data, vtable + 4)

    @classmethod
    def root(cls, data: memoryview) -> Table:
        """Return the table that a file is."""
        return cls(data, _unpack(data, "<I", 0))

    def scalar(self, field: int, kind: str, default: Any) -> Any:
        """Return a number; `kind` is the letter of the struct module."""
        place = self._place(field, struct.calcsize(f"<{kind}"))
        return default if place is None else _unpack(self._data, f"<{kind}", place)

    def table(self, field: int) -> Table | None:
        """Return a table, None if it is not there."""
        place = self._ahead(field)
        return None if place is None else Table(self._data, place)

    def string(self, field: int) -> str:
        """Return a text, empty if it is not there."""
        place = self._ahead(field)
        if place is None:
            return ""
        size = _unpack(self._data, "<I", place)
        _check(self._data, place + 4, size)
        return bytes(self._data[place + 4 : place + 4 + size]).decode("utf-8", "replace")

    def numbers(self, field: int, dtype: str) -> NDArray[Any]:
        """Return a vector of numbers as a view of the file, empty if it is not there."""
        place = self._ahead(field)
        if place is None:
            return np.empty(0, dtype)
        count, itemsize = _unpack(self._data, "<I", place), np.dtype(dtype).itemsize
        _check(self._data, place + 4, count * itemsize)
        return np.frombuffer(self._data, dtype, count, place + 4)

    def tables(self, field: int) -> list[Table]:
        """Return a vector of tables."""
        places = self.numbers(field, "<u4")
        if not places.size:
            return []
        start = (self._ahead(field) or 0) + 4
        return [Table(self._data, start + 4 * i + int(n)) for i, n in enumerate(places)]

    def _place(self, field: int, size: int) -> int | None:
        offset = self._fields[field] if field < len(self._fields) else 0
        if offset == 0:
            return None
        if offset < 4 or offset + size > self._size:
            raise _damaged(self._position)
        return self._position + int(offset)

    def _ahead(self, field: int) -> int | None:
        place = self._place(field, 4)
        return None if place is None else place + int(_unpack(self._data, "<I", place))


def _unpack(data: memoryview, kind: str, position: int) -> Any:
    _check(data, position, struct.calcsize(kind))
    return struct.unpack_from(kind, data, position)[0]


def _check(data: memoryview, position: int, size: int) -> None:
    if position < 0 or position + size > len(data):
        raise _damaged(position)


def _damaged(position: int) -> InvalidModelError:
    return InvalidModelError(f"the file is damaged: what byte {position} says lies outside of it")
