"""Sequences as images of one row: their arrays, shapes, strides and padding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._arguments import PADDINGS, integer, typed_array
from .._checks import shown
from .._foreign import as_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._arguments import CanonicalPadding

    Padding = str | int | Sequence[int]
    Shape = tuple[int, ...]


def array_of(
    value: object, name: str, axes: tuple[int, ...], wanted: str, q: Any = None, note: str = ""
) -> Any:
    """Return an array with one of these numbers of axes; the layer of images checks the rest."""
    array: Any = as_array(value, name)
    if not isinstance(array, np.ndarray):
        typed_array(array, name, getattr(q, "dtype", "float32"), "" if q is None else note)
    if array.ndim not in axes:
        raise ValueError(f"{name}: need shape {wanted}, got {array.shape}")
    return array


def image_of(value: object, name: str, q: Any) -> Any:
    """Return a sequence as an image of one row, without a copy."""
    array = array_of(value, name, (2, 3), "(W, C) or (N, W, C)", q)
    return array[..., np.newaxis, :, :]


def weight_of(value: object, name: str, axes: tuple[int, ...], wanted: str, q: Any) -> Any:
    return array_of(value, name, axes, wanted, q, ", as its quantization says")


def filters_of(value: object, name: str, axes: tuple[int, ...], wanted: str, q: Any) -> Any:
    """Return filters with a row."""
    return weight_of(value, name, axes, wanted, q)[np.newaxis]


def image_shape(x_shape: Shape) -> Shape:
    if not isinstance(x_shape, (tuple, list)) or len(x_shape) not in (2, 3):
        raise ValueError(f"x_shape: need 2 or 3 sizes, got {shown(x_shape)}")
    return (*x_shape[:-2], 1, *x_shape[-2:])


def sequence_shape(image: Shape) -> Shape:
    return (*image[:-3], *image[-2:])


def geometry_of(kernel: int, stride: object, padding: object, dilation: object) -> dict[str, Any]:
    """Return the options of the layer of images."""
    step = integer(dilation, "dilation", 1)
    return {
        "stride": (1, integer(stride, "stride", 1)),
        "padding": _padding(padding, (kernel - 1) * step),
        "dilation": (1, step),
    }


def _padding(padding: object, reach: int) -> CanonicalPadding:
    wanted = "'same', 'same_lower', 'valid', 'causal', an int or (left, right)"
    if isinstance(padding, str):
        if padding == "causal":
            return (0, 0), (reach, 0)
        if padding in PADDINGS:
            return str(padding)
        raise ValueError(f"padding: need {wanted}, got {padding!r}")
    if isinstance(padding, (tuple, list)):
        if len(padding) != 2:
            raise ValueError(f"padding: need {wanted}, got {shown(padding)}")
        left, right = (integer(n, "padding", 0, wanted, padding) for n in padding)
        return (0, 0), (left, right)
    both = integer(padding, "padding", 0, wanted)
    return (0, 0), (both, both)
