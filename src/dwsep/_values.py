"""What the inputs and outputs of a network are called, and what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ._record import Record

if TYPE_CHECKING:
    from ._core import _ValueInfo
    from .quantization import Quantization

__all__ = ["STATES_AND_LENGTHS", "ValueInfo", "infos", "shape_text"]

# The keys of what the metadata of few networks say of these: `_metadata` reads it.
STATES_AND_LENGTHS = frozenset({"states", "lengths"})


class ValueInfo(Record):
    """An input or output of a network.

    Attributes
    ----------
    name : str
    shape : tuple of int or None
        None is a size that the call decides.
    dtype : str
        NumPy's name of the data type.
    quantization : Quantization or None
        Of int8 and uint8 that stand for real numbers: ``info.quantization.quantize(x)`` is what
        goes in. None for all else.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"
    quantization: Quantization | None = None


def infos(values: Iterable[_ValueInfo]) -> tuple[ValueInfo, ...]:
    return tuple(
        ValueInfo(
            name,
            tuple(None if n == -1 else n for n in shape),
            dtype,
            _quantization(dtype, quantization),
        )
        for name, shape, dtype, quantization in values
    )


def shape_text(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("N" if size is None else str(size) for size in shape) + ")"


def _quantization(
    dtype: str, core: tuple[Sequence[float], Sequence[int], int] | None
) -> Quantization | None:
    """Return scales and zero points of the core, of an array's axis or (-1) of all of it."""
    if core is None or dtype not in ("int8", "uint8"):
        return None
    from .quantization import Quantization

    scales, zeros, axis = core
    kind: Any = dtype
    return (
        Quantization(scales[0], zeros[0], kind) if axis < 0 else Quantization(scales, zeros, kind)
    )
