"""Weights from PyTorch's axes to those of dwsep (TensorFlow's) and back.

Every function returns a new C-contiguous array of the dtype given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ._arguments import integer
from ._checks import kind_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "conv2d_weights_from_torch",
    "conv2d_weights_to_torch",
    "depthwise_weights_from_torch",
    "depthwise_weights_to_torch",
    "pointwise_weights_from_torch",
    "pointwise_weights_to_torch",
]

Scalar = TypeVar("Scalar", bound=np.generic)


def _check(weight: Any, axes: tuple[int, ...], wanted: str) -> None:
    if not isinstance(weight, np.ndarray):
        raise TypeError(f"weight: need a numpy.ndarray, got {kind_of(weight)}")
    if weight.ndim not in axes:
        raise ValueError(f"weight: need shape {wanted}, got {weight.shape}")


def _refuse(weight: NDArray[Scalar], wanted: str) -> None:
    raise ValueError(f"weight: need shape {wanted}, got {weight.shape}")


def _new(weight: NDArray[Scalar]) -> NDArray[Scalar]:
    return np.array(weight, order="C", copy=True)


def depthwise_weights_from_torch(weight: NDArray[Scalar], multiplier: int = 1) -> NDArray[Scalar]:
    """Turn depthwise weights (C*M, 1, KH, KW) into (KH, KW, C, M).

    Parameters
    ----------
    weight : numpy.ndarray, shape (C*M, 1, KH, KW)
        Weights of a ``torch.nn.Conv2d(C, C*M, (KH, KW), groups=C)``.
    multiplier : int, default 1
        M, output channels for each input channel.

    Returns
    -------
    numpy.ndarray, shape (KH, KW, C, M)

    Raises
    ------
    TypeError, ValueError
        If `weight` is no array of that shape, or `multiplier` no divisor of its first size.

    Examples
    --------
    >>> import numpy as np
    >>> import dwsep
    >>> dwsep.depthwise_weights_from_torch(np.ones((64, 1, 3, 5)), multiplier=2).shape
    (3, 5, 32, 2)
    """
    wanted = "(C*M, 1, KH, KW)"
    _check(weight, (4,), wanted)
    if weight.shape[1] != 1:
        _refuse(weight, wanted)
    m = integer(multiplier, "multiplier", 1)
    if weight.shape[0] % m != 0:
        raise ValueError(
            f"multiplier: need a divisor of the {weight.shape[0]} output channels, got {m}"
        )
    channels, _, kh, kw = weight.shape
    return _new(weight.reshape(channels // m, m, kh, kw).transpose(2, 3, 0, 1))


def depthwise_weights_to_torch(weight: NDArray[Scalar]) -> NDArray[Scalar]:
    """Turn depthwise weights (KH, KW, C) or (KH, KW, C, M) into (C*M, 1, KH, KW).

    Parameters
    ----------
    weight : numpy.ndarray, shape (KH, KW, C) or (KH, KW, C, M)

    Returns
    -------
    numpy.ndarray, shape (C*M, 1, KH, KW)

    Raises
    ------
    TypeError, ValueError
        If `weight` is no array of that shape.

    Examples
    --------
    >>> import numpy as np
    >>> import dwsep
    >>> dwsep.depthwise_weights_to_torch(np.ones((3, 5, 32, 2))).shape
    (64, 1, 3, 5)
    """
    _check(weight, (3, 4), "(KH, KW, C) or (KH, KW, C, M)")
    kh, kw = weight.shape[:2]
    channels = weight.shape[2] * (weight.shape[3] if weight.ndim == 4 else 1)
    return _new(weight.reshape(kh, kw, channels, 1).transpose(2, 3, 0, 1))


def pointwise_weights_from_torch(weight: NDArray[Scalar]) -> NDArray[Scalar]:
    """Turn pointwise weights (Cout, Cin, 1, 1) or (Cout, Cin) into (Cin, Cout).

    Parameters
    ----------
    weight : numpy.ndarray, shape (Cout, Cin, 1, 1) or (Cout, Cin)
        Weights of a ``torch.nn.Conv2d(Cin, Cout, 1)`` or a ``torch.nn.Linear(Cin, Cout)``.

    Returns
    -------
    numpy.ndarray, shape (Cin, Cout)

    Raises
    ------
    TypeError, ValueError
        If `weight` is no array of that shape.

    Examples
    --------
    >>> import numpy as np
    >>> import dwsep
    >>> dwsep.pointwise_weights_from_torch(np.ones((64, 32, 1, 1))).shape
    (32, 64)
    """
    wanted = "(Cout, Cin) or (Cout, Cin, 1, 1)"
    _check(weight, (2, 4), wanted)
    if weight.shape[2:] not in ((), (1, 1)):
        _refuse(weight, wanted)
    return _new(weight.reshape(weight.shape[:2]).T)


def pointwise_weights_to_torch(weight: NDArray[Scalar]) -> NDArray[Scalar]:
    """Turn pointwise weights (Cin, Cout) or (1, 1, Cin, Cout) into (Cout, Cin, 1, 1).

    Parameters
    ----------
    weight : numpy.ndarray, shape (Cin, Cout) or (1, 1, Cin, Cout)

    Returns
    -------
    numpy.ndarray, shape (Cout, Cin, 1, 1)

    Raises
    ------
    TypeError, ValueError
        If `weight` is no array of that shape.

    Examples
    --------
    >>> import numpy as np
    >>> import dwsep
    >>> dwsep.pointwise_weights_to_torch(np.ones((32, 64))).shape
    (64, 32, 1, 1)
    """
    wanted = "(Cin, Cout) or (1, 1, Cin, Cout)"
    _check(weight, (2, 4), wanted)
    if weight.shape[:-2] not in ((), (1, 1)):
        _refuse(weight, wanted)
    return _new(weight.reshape(weight.shape[-2:]).T[:, :, np.newaxis, np.newaxis])


def conv2d_weights_from_torch(weight: NDArray[Scalar]) -> NDArray[Scalar]:
    """Turn standard weights (Cout, Cin / groups, KH, KW) into (KH, KW, Cin / groups, Cout).

    Parameters
    ----------
    weight : numpy.ndarray, shape (Cout, Cin / groups, KH, KW)
        Weights of a ``torch.nn.Conv2d``.

    Returns
    -------
    numpy.ndarray, shape (KH, KW, Cin / groups, Cout)

    Raises
    ------
    TypeError, ValueError
        If `weight` is no array of that shape.

    Examples
    --------
    >>> import numpy as np
    >>> import dwsep
    >>> dwsep.conv2d_weights_from_torch(np.ones((32, 3, 5, 7))).shape
    (5, 7, 3, 32)
    """
    _check(weight, (4,), "(Cout, Cin / groups, KH, KW)")
    return _new(weight.transpose(2, 3, 1, 0))


def conv2d_weights_to_torch(weight: NDArray[Scalar]) -> NDArray[Scalar]:
    """Turn standard weights (KH, KW, Cin / groups, Cout) into (Cout, Cin / groups, KH, KW).

    Parameters
    ----------
    weight : numpy.ndarray, shape (KH, KW, Cin / groups, Cout)

    Returns
    -------
    numpy.ndarray, shape (Cout, Cin / groups, KH, KW)

    Raises
    ------
    TypeError, ValueError
        If `weight` is no array of that shape.

    Examples
    --------
    >>> import numpy as np
    >>> import dwsep
    >>> dwsep.conv2d_weights_to_torch(np.ones((5, 7, 3, 32))).shape
    (32, 3, 5, 7)
    """
    _check(weight, (4,), "(KH, KW, Cin / groups, Cout)")
    return _new(weight.transpose(3, 2, 0, 1))
