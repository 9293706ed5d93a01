"""What a name of the file stands for while it is imported."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from dwsep import _core

from ...errors import InvalidModelError
from ..ir import DType, Quantization, TensorType
from ..sizes import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LARGEST_EMPTY = 2**16
OTHER_FLOATS = "ed"  # NumPy's letters of float16 and float64, which are float32 to the network
UNKNOWN = "depends on the size of the batch; give the input's shape with input_shapes"
WITHOUT_ELEMENTS = "has no elements, and sizes that are open; give the shape with input_shapes"


class Unsupported(Exception):
    """Why one node cannot be imported; collected, and reported for all nodes together."""


class Known:
    """A value that is known now: a weight, or shape arithmetic (see `symbols`).

    `quantization` is that of the integers that the array was made of.
    """

    def __init__(
        self, array: NDArray[Any], name: str = "", quantization: Quantization | None = None
    ) -> None:
        self.array = array
        self.name = name
        self.quantization = quantization
        # Empty arrays with huge axes are refused: a sum over the empty one would not be empty.
        if self.array.size == 0 and math.prod(n for n in self.array.shape if n) > _LARGEST_EMPTY:
            raise InvalidModelError(f"{self.name!r} is an empty array of shape {self.array.shape}")


class Empty(Known):
    """A value without elements, some of whose sizes are open: joins leave it out.

    `array` has 1 for those; `sizes` is the shape.
    """

    def __init__(self, array: NDArray[Any], sizes: Shape) -> None:
        super().__init__(array)
        self.sizes = sizes


class Computed:
    """A value that the network computes, by its name in the graph.

    `floats` are the same numbers in float32, where integers were made of such.
    """

    __slots__ = ("floats", "name", "type")

    def __init__(self, name: str, type_: TensorType) -> None:
        self.name = name
        self.type = type_
        self.floats: Computed | None = None

    @property
    def shape(self) -> Shape:
        return self.type.shape


Value: TypeAlias = "Known | Computed"


def type_of(value: Value) -> TensorType:
    """Return the type of a value; floating-point constants are float32 to the network."""
    if isinstance(value, Computed):
        return value.type
    array = value.array
    if array.dtype.char in OTHER_FLOATS:
        return TensorType(array.shape)
    if array.dtype.hasobject:  # see `symbols`
        return TensorType(tuple(array.shape), DType.INT64)
    return TensorType.of(array)


def dtype_of(value: Value) -> str:
    """Return NumPy's name of the type of a value's elements."""
    return value.type.dtype.value if isinstance(value, Computed) else value.array.dtype.name


def shape_of(value: Value) -> Shape:
    """Return the shape of a value."""
    if isinstance(value, Computed):
        return value.shape
    return value.sizes if isinstance(value, Empty) else value.array.shape


def as_float32(array: NDArray[Any]) -> NDArray[np.float32]:
    """Return numbers as float32; float16 by the core, which takes half as long as NumPy."""
    halves = array.dtype == np.float16 and array.dtype.isnative and array.size > 0
    # Folding may have left a scalar, which is no array.
    return _core.floats(array) if halves and type(array) is np.ndarray else array.astype(np.float32)


def is_symbolic(array: NDArray[Any]) -> bool:
    """Return whether an array has elements that depend on the batch or on open sizes."""
    return array.dtype.hasobject


def weight_scales(value: Value, axis: int) -> dict[str, NDArray[Any]]:
    """Return scales and zero points of weights that were integers, as convolutions keep them.

    `axis` is that of the output channels; there are none if the scales lie along another.
    """
    return scales_along(value.quantization, axis) if isinstance(value, Known) else {}


def scales_along(q: Quantization | None, axis: int) -> dict[str, NDArray[Any]]:
    """Return them as arrays; zero points are those of int8, where they are not all 0."""
    if q is None or q.axis not in (None, axis) or q.dtype not in (DType.INT8, DType.UINT8):
        return {}
    zeros = np.array(q.zero_point, np.int32) - (128 if q.dtype is DType.UINT8 else 0)
    scales: dict[str, NDArray[Any]] = {"weight_scale": np.array(q.scale, np.float32)}
    return {**scales, "weight_zero_point": zeros} if np.any(zeros) else scales
