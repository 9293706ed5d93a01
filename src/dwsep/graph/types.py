"""The type of a value: its shape, the data type of its elements, and what they stand for."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import InvalidModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DType", "Quantization", "Shape", "TensorType", "dtype_of"]

Shape = tuple[int | None, ...]  # None for the batch, whose size may be unknown


class DType(str, Enum):
    """The data types of values, in the order of their numbers in files, by NumPy's names."""

    FLOAT32 = "float32"
    INT8 = "int8"
    UINT8 = "uint8"
    INT32 = "int32"
    FLOAT16 = "float16"
    INT64 = "int64"
    BOOL = "bool"

    @property
    def is_float(self) -> bool:
        return self in (DType.FLOAT32, DType.FLOAT16)

    @property
    def numpy(self) -> np.dtype[Any]:
        return np.dtype(self.value)


def dtype_of(array: NDArray[Any]) -> DType:
    """Return the data type of an array."""
    try:
        return DType(array.dtype.name)
    except ValueError:
        raise InvalidModelError(f"values of type {array.dtype} are not supported") from None


class Quantization(NamedTuple):
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


class TensorType(NamedTuple):
    """Shape, data type and quantization of a value; the quantization is None for floats."""

    shape: Shape
    dtype: DType = DType.FLOAT32
    quantization: Quantization | None = None

    @classmethod
    def of(cls, array: NDArray[Any]) -> TensorType:
        """Return the type of an array that is not quantized."""
        return cls(tuple(array.shape), dtype_of(array))

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
