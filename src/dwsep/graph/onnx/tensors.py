"""Constants of the file as NumPy arrays; every length is checked before anything is made of it."""

from __future__ import annotations

import math
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...errors import InvalidModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# TensorProto.DataType: NumPy's type and the field with the elements, if they are not raw bytes
_TYPES: dict[int, tuple[str, str]] = {
    1: ("float32", "float_data"),
    2: ("uint8", "int32_data"),
    3: ("int8", "int32_data"),
    4: ("uint16", "int32_data"),
    5: ("int16", "int32_data"),
    6: ("int32", "int32_data"),
    7: ("int64", "int64_data"),
    9: ("bool", "int32_data"),
    10: ("float16", "int32_data"),
    11: ("float64", "double_data"),
    12: ("uint32", "uint64_data"),
    13: ("uint64", "uint64_data"),
}
# Two elements a byte, the first in the lower bits; NumPy has them as bytes that say so.
HALF_BYTES = {
    21: np.dtype("uint8", metadata={"bits": 4}),
    22: np.dtype("int8", metadata={"bits": 4}),
}
_OTHER_TYPES = {
    0: "no tensor of known type",
    8: "string",
    14: "complex64",
    15: "complex128",
    16: "bfloat16",
}
_MOST_AXES = 32  # NumPy 1 has no more
_EXTERNAL = 1


class Folder(NamedTuple):
    """Where a model's file lies: by its path, and with links resolved.

    A cache may have links in a folder for each version, to files that lie together elsewhere.
    """

    path: Path
    real: Path

    @classmethod
    def of(cls, file: Path) -> Folder:
        """Return the folder of a file."""
        return cls(file.absolute().parent, Path(os.path.realpath(file)).parent)


def type_name(data_type: int) -> str:
    """Return the name of an element type for messages."""
    if data_type in _TYPES:
        return _TYPES[data_type][0]
    return _OTHER_TYPES.get(data_type, f"type {data_type}")


def is_readable(data_type: int) -> bool:
    """Return whether there are arrays of an element type."""
    return data_type in _TYPES or data_type in HALF_BYTES


def to_array(tensor: Any, folder: Folder | None) -> NDArray[Any]:
    """Return the elements of a TensorProto.

    Parameters
    ----------
    tensor : TensorProto
        Its elements lie in it or in a file of `folder`.
    folder : Folder or None
        Where the model's file lies; None if the model came as bytes.

    Raises
    ------
    InvalidModelError
        If elements are missing or too many, if their type has no array, or if the file with them
        is none or is not inside the folder.
    """
    name = f"tensor {tensor.name!r}"
    dims = tuple(tensor.dims)
    if tensor.data_type in HALF_BYTES:
        return _of_half_bytes(tensor, dims, name, folder)
    if tensor.data_type not in _TYPES:
        raise InvalidModelError(f"{name}: elements of {type_name(tensor.data_type)} not supported")
    type_, field = _TYPES[tensor.data_type]
    dtype = np.dtype(type_).newbyteorder("<")
    if not _has_array(dims, dtype.itemsize) or tensor.HasField("segment"):
        raise InvalidModelError(f"{name}: no array has the shape {dims}")
    count = math.prod(dims)
    if tensor.data_location == _EXTERNAL:
        raw: Any = _external(tensor, count * dtype.itemsize, folder)
    elif tensor.HasField("raw_data"):
        raw = tensor.raw_data
    else:
        return _from_field(getattr(tensor, field), np.dtype(type_), dims, name)
    if len(raw) != count * dtype.itemsize:
        raise InvalidModelError(
            f"{name}: {dims} of {type_} are {count * dtype.itemsize} bytes, it has {len(raw)}"
        )
    if type_ == "bool":
        return np.asarray(np.frombuffer(raw, np.uint8) != 0).reshape(dims)
    return np.frombuffer(raw, dtype).astype(type_, copy=False).reshape(dims)


def _of_half_bytes(
    tensor: Any, dims: tuple[int, ...], name: str, folder: Folder | None
) -> NDArray[Any]:
    if not _has_array(dims, 1) or tensor.HasField("segment"):
        raise InvalidModelError(f"{name}: no array has the shape {dims}")
    count = math.prod(dims)
    size = -(-count // 2)
    if tensor.data_location == _EXTERNAL:
        raw = _external(tensor, size, folder)
    elif tensor.HasField("raw_data"):
        raw = np.frombuffer(tensor.raw_data, np.uint8)
    else:
        raw = np.array(tensor.int32_data, np.int64).astype(np.uint8)
    if raw.size != size:
        raise InvalidModelError(f"{name}: {dims} are {size} bytes, it has {raw.size}")
    array = np.stack((raw & 15, raw >> 4), -1).reshape(-1)[:count].reshape(dims)
    dtype = HALF_BYTES[tensor.data_type]
    return np.asarray((array ^ 8).view(np.int8) - 8 if dtype.kind == "i" else array).view(dtype)


def _has_array(dims: tuple[int, ...], itemsize: int) -> bool:
    if len(dims) > _MOST_AXES or any(n < 0 for n in dims):
        return False
    # NumPy leaves out sizes of 0: even an array without elements has to be addressable
    return math.prod(n or 1 for n in dims) * itemsize < 2**63


def _from_field(elements: Any, dtype: Any, dims: tuple[int, ...], name: str) -> NDArray[Any]:
    count = math.prod(dims)
    if len(elements) != count:
        raise InvalidModelError(f"{name}: {dims} are {count} elements, it has {len(elements)}")
    if dtype == np.float16:
        return np.array(elements, np.int64).astype(np.uint16).view(np.float16).reshape(dims)
    array = np.array(elements, np.uint64 if dtype.kind == "u" and dtype.itemsize > 2 else None)
    return array.astype(dtype, copy=False).reshape(dims)


def _external(tensor: Any, size: int, folder: Folder | None) -> NDArray[np.uint8]:
    """Return the bytes that a file in the model's folder has for a tensor."""
    name = f"tensor {tensor.name!r}"
    if folder is None:
        raise InvalidModelError(f"{name}: lies in another file; give the path of the model's file")
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    offset = _number(entries.get("offset", "0"), f"{name}: offset")
    length = _number(entries.get("length", str(size)), f"{name}: length")
    if length != size:
        raise InvalidModelError(f"{name}: {size} bytes of elements, but a length of {length}")
    path = _inside(folder, location, name)
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would never end
            raise InvalidModelError(f"{name}: {location!r} is not a regular file")
        if path.stat().st_size < offset + length:
            raise InvalidModelError(f"{name}: {location!r} is too short for {offset} + {length}")
        return np.fromfile(path, np.uint8, length, offset=offset)
    except OSError as error:
        raise InvalidModelError(f"{name}: cannot read {location!r}: {error.strerror}") from None


def _inside(folder: Folder, location: str, name: str) -> Path:
    """Return the path of a file in the model's directory, links resolved."""
    if not location or "\0" in location or os.path.isabs(location):
        raise InvalidModelError(f"{name}: {location!r} is not a file in the model's folder")
    root = Path(os.path.realpath(folder.path))
    path = Path(os.path.realpath(root / location))
    if root not in path.parents and folder.real not in path.parents:
        raise InvalidModelError(f"{name}: {location!r} is outside the model's directory")
    return path


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidModelError(f"{name}: need a number, got {text!r}")
    return int(text)
