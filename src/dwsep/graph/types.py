"""The type of a value: its shape, the data type of its elements, and what they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .._record import Record
from ..errors import InvalidModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DType", "Quantization", "Shape", "TensorType", "dtype_of"]

Shape = tuple[int | None, ...]  # None for the batch, whose size may be unknown


class DType(str):
    """The data types of values, by NumPy's names; there is one object of each."""

    FLOAT32: ClassVar[DType]
    INT8: ClassVar[DType]
    UINT8: ClassVar[DType]
    INT32: ClassVar[DType]
    FLOAT16: ClassVar[DType]
    INT64: ClassVar[DType]
    BOOL: ClassVar[DType]
    all: ClassVar[dict[str, DType]] = {}  # by their names, in the order of their numbers in files

    value: str  # the name, as the core takes it
    numpy: np.dtype[Any]
    is_float: bool

    def __new__(cls, name: str) -> DType:
        """Return the type of a name; ValueError where it is none."""
        if name not in cls.all:
            raise ValueError(f"{name!r} is no data type")
        return cls.all[name]

    @classmethod
    def _add(cls, name: str) -> None:
        made = str.__new__(cls, name)
        made.value, made.numpy = name, np.dtype(name)
        made.is_float = made.numpy.kind == "f"
        cls.all[name] = made
        setattr(cls, name.upper(), made)

    def __repr__(self) -> str:
        return f"DType.{self.upper()}"


for _name in ("float32", "int8", "uint8", "int32", "float16", "int64", "bool"):
    DType._add(_name)


_TYPES = {type_.numpy: type_ for type_ in DType.all.values()}


def dtype_of(array: NDArray[Any]) -> DType:
    """Return the data type of an array."""
    if (known := _TYPES.get(array.dtype)) is not None:
        return known
    try:
        return DType(array.dtype.name)  # of another order of bytes
    except ValueError:
        raise InvalidModelError(f"values of type {array.dtype} are not supported") from None


class Quantization(Record):
    """What integers stand for: real = scale * (integer - zero_point).

    Attributes
    ----------
    scale : tuple of float
        One for the whole tensor, or one for each index along `axis`.
    zero_point : tuple of int
        As many as scales.
    axis : int or None
        The axis of the scales, None if there is one scale.
    dtype : DType
        Of the integers.
    """

    scale: tuple[float, ...]
    zero_point: tuple[int, ...] = (0,)
    axis: int | None = None
    dtype: DType = DType.INT8

    @property
    def attributes(self) -> dict[str, Any]:
        """The scales, zero points and axis as attributes of nodes."""
        return {"scale": self.scale, "zero_point": self.zero_point, "axis": self.axis}

    @property
    def core(self) -> tuple[list[float], list[int], int]:
        """The scales, zero points and axis as the core takes them."""
        axis = -1 if self.axis is None else self.axis
        return list(self.scale), list(self.zero_point), axis


class TensorType(Record):
    """Shape, data type and quantization of a value; the quantization is None for floats."""

    shape: Shape
    dtype: DType = DType.FLOAT32
    quantization: Quantization | None = None

    @classmethod
    def of(cls, array: NDArray[Any]) -> TensorType:
        """Return the type of an array that is not quantized."""
        return cls(array.shape, dtype_of(array))

    @property
    def core_quantization(self) -> tuple[list[float], list[int], int] | None:
        """The quantization as the core takes it."""
        return None if self.quantization is None else self.quantization.core

    def with_shape(self, shape: Shape) -> TensorType:
        """Return the same type with another shape, where scales along an axis have no place."""
        quantization = self.quantization
        if quantization is not None and quantization.axis is not None and shape != self.shape:
            quantization = None
        return self._replace(shape=shape, quantization=quantization)

    def permuted(self, perm: tuple[int, ...]) -> TensorType:
        """Return the type after a transposition: axis k is what was axis perm[k]."""
        quantization = self.quantization
        if quantization is not None and quantization.axis is not None:
            quantization = quantization._replace(axis=perm.index(quantization.axis))
        return TensorType(tuple(self.shape[axis] for axis in perm), self.dtype, quantization)
