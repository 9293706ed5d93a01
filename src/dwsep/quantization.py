"""What stored integers stand for: ``real = scale * (stored - zero_point)``.

`Quantization` describes an array of int8 or uint8 to functions and layers; `quantize_weight` makes
weights of int8 from float32. See docs/quantization.md for the arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeAlias

import numpy as np

from ._arguments import integer, numbers, typed_array
from ._checks import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._arguments import Array

    Scale: TypeAlias = "float | Sequence[float] | NDArray[Any]"
    ZeroPoint: TypeAlias = "int | Sequence[int] | NDArray[Any]"

__all__ = ["Quantization", "quantize_weight"]

_DTYPES = {"int8": np.dtype(np.int8), "uint8": np.dtype(np.uint8)}


class Quantization:
    """The scale and zero point of an array of integers; immutable.

    Parameters
    ----------
    scale : float or sequence of float
        Finite and positive in float32. One, or one for each channel: the output channels of
        weights, or the channels of the array between a convolution and the depthwise convolution
        that reads it.
    zero_point : int or sequence of int, default 0
        The stored number that stands for 0, in the range of `dtype`. One for all scales, or as
        many.
    dtype : {"int8", "uint8"}, default "int8"

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type or out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from dwsep import Quantization
    >>> q = Quantization.from_range(-1.0, 3.0, dtype="uint8")
    >>> q.zero_point
    64
    >>> stored = q.quantize(np.array([-1.0, 0.0, 3.0, 9.0], np.float32))
    >>> stored
    array([  0,  64, 255, 255], dtype=uint8)
    >>> q.dequantize(stored)[1]
    np.float32(0.0)
    """

    __slots__ = ("__weakref__", "_core", "_dtype", "_scales", "_zeros")

    _scales: NDArray[np.float32]
    _zeros: NDArray[np.int32]
    _dtype: np.dtype[Any]
    _core: tuple[str, tuple[float, ...], tuple[int, ...], bool]

    def __init__(
        self, scale: Scale, zero_point: ZeroPoint = 0, dtype: Literal["int8", "uint8"] = "int8"
    ) -> None:
        if not isinstance(dtype, str) or dtype not in _DTYPES:
            raise ValueError(f"dtype: need 'int8' or 'uint8', got {shown(dtype)}")
        scales = numbers(scale, "scale", "fiu", "a number or a row of numbers")
        zeros = numbers(zero_point, "zero_point", "iu", "an int or a row of ints")
        with np.errstate(all="ignore"):
            values = scales.astype(np.float32)
        if not np.all(np.isfinite(values) & (values > 0)):
            wrong = scales[~(np.isfinite(values) & (values > 0))] if scales.ndim else scales
            raise ValueError(
                "scale: need numbers that are finite and positive in float32, "
                f"got {np.ravel(wrong)[0]!s}"
            )
        if zeros.ndim == 1 and zeros.shape != scales.shape:
            raise ValueError(
                f"zero_point: need one, or as many as scales, {scales.size}, got {zeros.size}"
            )
        lowest = 0 if dtype == "uint8" else -128
        outside = (zeros < lowest) | (zeros > lowest + 255)
        if np.any(outside):
            raise ValueError(
                f"zero_point: need ints from {lowest} to {lowest + 255} for {dtype}, "
                f"got {zeros[outside][0] if zeros.ndim else zeros}"
            )
        whole = np.array(np.broadcast_to(zeros, scales.shape), np.int32)
        one = scales.ndim == 0
        values = np.array(values)
        for array in (values, whole):
            array.flags.writeable = False
        set_ = object.__setattr__
        set_(self, "_scales", values)
        set_(self, "_zeros", whole)
        set_(self, "_dtype", _DTYPES[dtype])
        core = (str(dtype), tuple(values.ravel().tolist()), tuple(whole.ravel().tolist()), one)
        set_(self, "_core", core)

    @classmethod
    def from_range(
        cls,
        lo: float,
        hi: float,
        *,
        dtype: Literal["int8", "uint8"] = "int8",
        symmetric: bool = False,
    ) -> Quantization:
        """Return the quantization that spreads the range from `lo` to `hi` over all integers.

        Parameters
        ----------
        lo, hi : float
            Finite, lo <= hi. The range is widened to hold 0, which is stored exactly.
        dtype : {"int8", "uint8"}, default "int8"
        symmetric : bool, default False
            Whether the zero point is 0 (128 in uint8) and the range as wide on both sides.
        """
        if not isinstance(dtype, str) or dtype not in _DTYPES:
            raise ValueError(f"dtype: need 'int8' or 'uint8', got {shown(dtype)}")
        for name, value in (("lo", lo), ("hi", hi)):
            if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
                raise TypeError(f"{name}: need a number, got {shown(value)}")
            if not np.isfinite(value) or abs(float(value)) > float(np.finfo(np.float32).max):
                raise ValueError(f"{name}: need a finite number of float32, got {shown(value)}")
        if lo > hi:
            raise ValueError(f"lo: need at most hi, {hi}, got {lo}")
        low, high = min(float(lo), 0.0), max(float(hi), 0.0)
        lowest = 0 if dtype == "uint8" else -128
        tiny = float(np.finfo(np.float32).tiny)
        if symmetric:
            return cls(max(max(-low, high) / 127, tiny), lowest + 128, dtype)
        scale = max((high - low) / 255, tiny) if high > low else 1.0
        return cls(scale, lowest + round(-low / scale), dtype)

    @property
    def scale(self) -> float | NDArray[np.float32]:
        """A float, or a read-only array of float32."""
        return self._scales if self._scales.ndim else float(self._scales)

    @property
    def zero_point(self) -> int | NDArray[np.int32]:
        """An int, or a read-only array of int32 with as many."""
        return self._zeros if self._zeros.ndim else int(self._zeros)

    @property
    def dtype(self) -> str:
        """The type of stored numbers: "int8" or "uint8"."""
        return self._dtype.name

    def _along(self, array: NDArray[Any], name: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return scales and zero points in the shape that lies along the array's last axes."""
        n = self._scales.size
        if self._scales.ndim == 0 or array.shape[-1:] == (n,):
            return self._scales, self._zeros
        if array.ndim == 4 and array.shape[2] * array.shape[3] == n:  # of depthwise weights
            last = array.shape[2:]
            return self._scales.reshape(last), self._zeros.reshape(last)
        raise ValueError(
            f"{name}: need {n} channels on the last axis, as many as there are scales, "
            f"got shape {array.shape}"
        )

    def quantize(self, x: Array) -> NDArray[Any]:
        """Return the stored numbers next to x: half to even, as x / scale + zero_point in float32.

        What is out of range becomes the nearest stored number, NaN the zero point.

        Parameters
        ----------
        x : numpy.ndarray of float32
            With several scales: its last axis, or the last two of depthwise weights
            (KH, KW, C, M), are the channels.

        Returns
        -------
        numpy.ndarray of `dtype`
        """
        x = typed_array(x, "x")
        scales, zeros = self._along(x, "x")
        info = np.iinfo(self._dtype)
        with np.errstate(all="ignore"):
            steps = np.rint(x / scales)
        steps = np.where(np.isnan(steps), np.float32(0), steps)
        low, high = (info.min - zeros).astype(np.float32), (info.max - zeros).astype(np.float32)
        stored: NDArray[Any] = np.clip(steps, low, high).astype(np.int32) + zeros
        return stored.astype(self._dtype)

    def dequantize(self, v: NDArray[Any]) -> Array:
        """Return the real numbers that stored ones stand for, rounded to float32 once.

        Parameters
        ----------
        v : numpy.ndarray of `dtype`

        Returns
        -------
        numpy.ndarray of float32
        """
        if not isinstance(v, np.ndarray) or v.dtype != self._dtype:
            got = f"dtype {v.dtype}" if isinstance(v, np.ndarray) else shown(v)
            raise TypeError(f"v: need a numpy.ndarray of {self.dtype}, got {got}")
        scales, zeros = self._along(v, "v")
        real: Array = (v.astype(np.int32) - zeros).astype(np.float32) * scales
        return real

    def __eq__(self, other: object) -> bool:
        return self._core == other._core if isinstance(other, Quantization) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._core)

    def __repr__(self) -> str:
        if self._scales.ndim == 0:
            return f"Quantization({self.scale!r}, {self.zero_point!r}, {self.dtype!r})"
        zeros = self._zeros
        shown_zeros = str(zeros[0]) if np.all(zeros == zeros[0]) else f"<{zeros.size} zero points>"
        return f"Quantization(<{zeros.size} scales>, {shown_zeros}, {self.dtype!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        scale = self._scales if self._scales.ndim else float(self._scales)
        zero = self._zeros if self._zeros.ndim else int(self._zeros)
        return Quantization, (scale, zero, self.dtype)

    def __copy__(self) -> Quantization:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Quantization:
        return self

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"Quantization is immutable: cannot set {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"Quantization is immutable: cannot delete {name!r}")


def quantize_weight(
    w: Array, axis: int | Sequence[int] = -1
) -> tuple[NDArray[np.int8], Quantization]:
    """Quantise weights symmetrically, with a scale for each output channel.

    Parameters
    ----------
    w : numpy.ndarray of float32
        Weights as functions and layers take them.
    axis : int or sequence of int, default -1
        Where the output channels are. -1: the last axis, and of (KH, KW, C, 1), depthwise weights,
        the last two. Depthwise weights (KH, KW, C, M) need (2, 3), which gives C * M scales.

    Returns
    -------
    stored : numpy.ndarray of int8
        From -127 to 127; the largest of a channel is 127 or -127.
    quantization : Quantization
        Scales of the largest value / 127; 1 for channels of zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from dwsep import quantize_weight
    >>> stored, q = quantize_weight(np.array([[1.0, 0.5], [-2.0, 0.25]], np.float32))
    >>> stored
    array([[  64,  127],
           [-127,   64]], dtype=int8)
    """
    w = typed_array(w, "w")
    if w.size == 0 or w.ndim == 0:
        raise ValueError(f"w: need sizes of at least 1, got {w.shape}")
    if not np.all(np.isfinite(w)):
        raise ValueError("w: need finite numbers, got infinities or NaN")
    given = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    if given == (-1,) and w.ndim == 4 and w.shape[-1] == 1:
        given = (2, 3)
    kept = set()
    for a in given:
        n = integer(a, "axis", -w.ndim, f"axes of shape {w.shape}")
        if n >= w.ndim:
            raise ValueError(f"axis: need axes of shape {w.shape}, got {axis}")
        kept.add(n % w.ndim)
    if sorted(kept) != list(range(w.ndim - len(kept), w.ndim)) and len(kept) > 1:
        raise ValueError(f"axis: need the last axes of shape {w.shape}, got {axis}")
    others = tuple(i for i in range(w.ndim) if i not in kept)
    largest = np.max(np.abs(w), axis=others, keepdims=True)
    tiny = np.finfo(np.float32).tiny
    scales = np.where(largest > 0, np.maximum(largest / np.float32(127), tiny), np.float32(1))
    stored = np.clip(np.rint(w / scales), -127, 127).astype(np.int8)
    return stored, Quantization(scales.ravel())
