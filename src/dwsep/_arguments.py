"""Brings the arguments of functions and layers into the one form that the core takes.

What cannot be brought there is refused with the argument's name, what was wanted and what came.
The canonical forms: weights dense and with all their axes, strides and dilations as pairs, padding
as a name or four sizes, activations as None, a name, or a name with its numbers. They are
themselves valid arguments, so that a layer can be made again from them. `_operators` has a function
for all arguments of each operator.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ._checks import kind_of, shown

if TYPE_CHECKING:
    from typing import Protocol

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float32]

    class Quantized(Protocol):
        """What weights have that stand for real numbers: a `dwsep.Quantization`."""

        @property
        def dtype(self) -> str: ...


Pair: TypeAlias = "tuple[int, int]"
CanonicalPadding: TypeAlias = "str | tuple[Pair, Pair]"

IntOrPair: TypeAlias = "int | Sequence[int]"
Padding: TypeAlias = "str | int | Sequence[int] | Sequence[Sequence[int]]"
Activation: TypeAlias = "str | tuple[str, float] | tuple[str, float, float] | None"

PADDINGS = ("same", "same_lower", "valid")
_LARGEST_INT = 2**31 - 1  # sums and products of a few of them fit 64 bits


def integer(value: object, name: str, least: int, wanted: str = "", whole: object = None) -> int:
    """Return an int that is at least `least`; bools and floats are refused.

    The error's text says `wanted` (if it is more than an int) and shows the `whole` that the value
    is a part of (if it is not all).
    """
    error = f"{name}: need {wanted or 'an int'} from {least} to {_LARGEST_INT}"
    error += f", got {shown(value)}" + ("" if whole is None else f" in {whole!r}")
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise TypeError(error)
    try:
        n = operator.index(value)
    except TypeError:
        raise TypeError(error) from None
    if not least <= n <= _LARGEST_INT:
        raise ValueError(error)
    return n


def pair(value: object, name: str, least: int = 1) -> Pair:
    """Return (rows, columns) from an int for both or from two ints."""
    wanted = "an int or two"
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise ValueError(f"{name}: need {wanted}, got {shown(value)}")
        rows, columns = (integer(v, name, least, wanted, value) for v in value)
        return rows, columns
    n = integer(value, name, least, wanted)
    return n, n


def padding(value: object) -> CanonicalPadding:
    """Return one of the names, or ((top, bottom), (left, right))."""
    wanted = (
        "'same', 'same_lower', 'valid', an int, (rows, columns) or ((top, bottom), (left, right))"
    )
    if isinstance(value, str):
        if value not in PADDINGS:
            raise ValueError(f"padding: need {wanted}, got {value!r}")
        return str(value)
    if not isinstance(value, (tuple, list)):
        n = integer(value, "padding", 0, wanted)
        return (n, n), (n, n)
    if len(value) != 2:
        raise ValueError(f"padding: need {wanted}, got {shown(value)}")
    sides = []
    nested = any(isinstance(v, (tuple, list)) for v in value)
    for axis in value:
        both = axis if nested else (axis, axis)
        if not isinstance(both, (tuple, list)) or len(both) != 2:
            raise ValueError(f"padding: need {wanted}, got {shown(value)}")
        low, high = (integer(v, "padding", 0, wanted, value) for v in both)
        sides.append((low, high))
    return sides[0], sides[1]


def _is_masked(array: np.ndarray) -> bool:
    # Whoever holds a masked array has imported its module.
    return "numpy.ma" in sys.modules and isinstance(array, np.ma.MaskedArray)


def _readable(value: object, name: str) -> object:
    """Return a view of another library's array, and anything else as it is."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value
    from ._foreign import as_array

    return as_array(value, name)


def typed_array(value: object, name: str, dtype: str = "float32", note: str = "") -> Array:
    """Return the array itself; anything but a plain array of this type, native, is refused."""
    native = "" if dtype.endswith("int8") else "native "
    wanted = f"{name}: need a numpy.ndarray of {native}{dtype}{note}, got"
    value = _readable(value, name)
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{wanted} {kind_of(value)}")
    if type(value) is not np.ndarray and _is_masked(value):
        raise TypeError(f"{wanted} {kind_of(value)}, whose mask would be lost")
    if value.dtype.name != dtype or not value.dtype.isnative:
        raise TypeError(f"{wanted} dtype {value.dtype}")
    return value


def _dense(array: Array) -> Array:
    flags = array.flags
    return array if flags.c_contiguous and flags.aligned else np.array(array, order="C")


def _weights(
    value: object, name: str, axes: tuple[int, ...], wanted: str, q: Quantized | None
) -> Array:
    if q is None:
        w = typed_array(value, name, note=_without(value))
    else:
        w = typed_array(value, name, q.dtype, ", as its quantization says")
    if w.ndim not in axes:
        raise ValueError(f"{name}: need shape {wanted}, got {w.shape}")
    if w.size == 0:
        raise ValueError(f"{name}: need sizes of at least 1, got {w.shape}")
    return w


def _without(value: object) -> str:
    """Say what arrays of small integers miss."""
    small = isinstance(value, np.ndarray) and value.dtype.name in ("int8", "uint8")
    return " without x_quantization" if small else ""


def depthwise_weights(value: object, name: str, q: Quantized | None = None) -> Array:
    """Return weights of shape (KH, KW, C, M)."""
    w = _weights(value, name, (3, 4), "(KH, KW, C) or (KH, KW, C, M)", q)
    return _dense(w if w.ndim == 4 else w[..., np.newaxis])


def pointwise_weights(value: object, name: str, q: Quantized | None = None) -> Array:
    """Return weights of shape (Cin, Cout)."""
    wanted = "(Cin, Cout) or (1, 1, Cin, Cout)"
    w = _weights(value, name, (2, 4), wanted, q)
    if w.ndim == 4:
        if w.shape[:2] != (1, 1):
            raise ValueError(f"{name}: need shape {wanted}, got {w.shape}")
        w = w[0, 0]
    return _dense(w)


def standard_weights(value: object, name: str, groups: int, q: Quantized | None = None) -> Array:
    """Return weights of shape (KH, KW, Cin / groups, Cout)."""
    w = _weights(value, name, (4,), "(KH, KW, Cin / groups, Cout)", q)
    if w.shape[3] % groups != 0:
        raise ValueError(
            f"groups: need a divisor of the {w.shape[3]} output channels of {name} "
            f"{w.shape}, got {groups}"
        )
    return _dense(w)


def bias(value: object, name: str, channels: int, q: Quantized | None = None) -> Array | None:
    """Return None or an array of shape (channels,); next to int8 weights it may be of int32."""
    if value is None:
        return None
    if q is None:
        b = typed_array(value, name)
    else:
        value = _readable(value, name)
        integers = isinstance(value, np.ndarray) and value.dtype.name == "int32"
        b = typed_array(
            value, name, "int32" if integers else "float32", "" if integers else " or int32"
        )
    if b.shape != (channels,):
        raise ValueError(f"{name}: need shape ({channels},), got {b.shape}")
    return _dense(b)


def numbers(value: object, name: str, kinds: str, wanted: str) -> NDArray[Any]:
    """Return one number or a row of them, of the kinds of NumPy's types."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        array = np.asarray(None)
    if array.dtype.kind not in kinds:
        raise TypeError(f"{name}: need {wanted}, got {shown(value)}")
    if array.ndim > 1 or array.size == 0:
        raise ValueError(f"{name}: need {wanted}, got shape {array.shape}")
    return array
