"""Integers that depend on the batch: shapes are computed with while its size is unknown.

An array of shape arithmetic is an int64 array, or, if any element is a `Dim`, an object array of
ints and `Dim`s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..sizes import is_open, plain, whole
from .values import UNKNOWN, Known, Unsupported, is_symbolic

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LIMIT = 2**63  # beyond it int64 would have overflown, and ints would grow without end


class Dim:
    """The number `times * N + plus`, N the unknown size of the batch, at least 0."""

    __slots__ = ("plus", "times")

    def __init__(self, times: int, plus: int = 0) -> None:
        self.times = times
        self.plus = plus

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Dim):
            return made(self.times + other.times, self.plus + other.plus)
        return made(self.times, self.plus + _int(other))

    def __neg__(self) -> Dim:
        return Dim(-self.times, -self.plus)

    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        return made(self.times * _int(other), self.plus * _int(other))

    def __floordiv__(self, other: Any) -> Any:
        if isinstance(other, Dim):
            if other.times == 0 or self.times % other.times:
                raise Unsupported(UNKNOWN)
            ratio = self.times // other.times
            if self.plus != ratio * other.plus:
                raise Unsupported(UNKNOWN)
            return ratio
        divisor = _int(other)
        if divisor == 0 or self.times % divisor or self.plus % divisor:
            raise Unsupported(UNKNOWN)
        return made(self.times // divisor, self.plus // divisor)

    def __eq__(self, other: object) -> bool:
        difference = self - other
        if not isinstance(difference, Dim):
            return bool(difference == 0)
        # times * N = -plus has no solution among the sizes of a batch
        n, rest = divmod(-difference.plus, difference.times)
        if n < 0 or rest:
            return False
        raise Unsupported(UNKNOWN)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((self.times, self.plus))

    def _unknown(self, *_: Any) -> Any:
        raise Unsupported(UNKNOWN)

    def __abs__(self) -> Dim:
        return self if min(self.times, self.plus) >= 0 else self._unknown()

    __radd__ = __add__
    __rmul__ = __mul__
    __lt__ = __le__ = __gt__ = __ge__ = __rfloordiv__ = __mod__ = __rmod__ = _unknown
    __int__ = __index__ = __float__ = __bool__ = __pow__ = __rpow__ = _unknown


def made(times: int, plus: int) -> Dim | int:
    """Return a Dim, or an int if the batch has cancelled out."""
    if max(abs(plain(times)), abs(plain(plus))) >= _LIMIT:
        raise Unsupported("its arithmetic on shapes overflows")
    return Dim(times, plus) if times else plus


def _int(value: Any) -> int:
    if isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_)):
        return whole(value)
    raise Unsupported(UNKNOWN)


def held(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array whose elements are numbers, unless some depend on the batch.

    Open sizes are held to their example.
    """
    if not is_symbolic(array):
        return array
    if any(isinstance(e, Dim) for e in array.ravel().tolist()):
        return array
    return array.astype(np.int64)


def settled(value: Any) -> NDArray[Any]:
    """Return an object array as int64 (or bool) if none of its elements depends on the batch."""
    array: NDArray[Any] = np.asarray(value)
    if array.dtype != object:
        return array
    elements = array.ravel().tolist()
    if any(isinstance(e, Dim) or is_open(e) for e in elements):
        return array
    if elements and all(isinstance(e, (bool, np.bool_)) for e in elements):
        return array.astype(bool)
    if any(not -_LIMIT <= _int(e) < _LIMIT for e in elements):
        raise Unsupported("its arithmetic on shapes overflows")
    return array.astype(np.int64)


def of_shape(shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Return a shape as an array, the batch as a Dim."""
    array = np.empty(len(shape), object)
    array[:] = [Dim(1) if n is None else n for n in shape]
    return settled(array) if shape else np.empty(0, np.int64)


class FloatOfSize(Known):
    """An open size as float32: who asks for the number holds the size to its example."""

    def __init__(self, size: Any, shape: tuple[int, ...], name: str = "") -> None:
        self.size, self._shape, self.name, self.quantization = size, shape, name, None

    def __getattr__(self, name: str) -> Any:
        """Make the array when it is first wanted."""
        if name != "array":
            raise AttributeError(name)
        self.array = np.full(self._shape, int(self.size), np.float32)
        return self.array
