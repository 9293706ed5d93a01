"""Naive NHWC convolutions: the loops one writes first, one output at a time.

They are the oracle of the exact tests and the baseline of every speed-up that dwsep prints.
Nothing here is tuned and nothing is held back: contiguous memory, typed loops in Cython, no Python
object inside, the compiler's ordinary optimisation (``-O2``) without ``-ffast-math``.
"""

from collections.abc import Callable
from operator import index
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import _loops

_Array: TypeAlias = NDArray[np.float32]
_Pair: TypeAlias = tuple[int, int]
_Accumulate: TypeAlias = Literal["float32", "float64"]


def standard_conv2d(
    x: _Array,
    weight: _Array,
    bias: _Array | None = None,
    *,
    stride: _Pair = (1, 1),
    padding: tuple[_Pair, _Pair] = ((0, 0), (0, 0)),
    dilation: _Pair = (1, 1),
    accumulate: _Accumulate = "float32",
) -> _Array:
    """Convolve `x` with `weight`, summing over the taps and all input channels.

    Parameters
    ----------
    x : ndarray of float32, shape (N, H, W, Cin)
    weight : ndarray of float32, shape (KH, KW, Cin, Cout)
    bias : ndarray of float32, shape (Cout,), optional
    stride, dilation : (int, int)
    padding : ((int, int), (int, int))
        Rows above and below, columns left and right. A tap there contributes nothing.
    accumulate : {"float32", "float64"}
        "float64" sums in double precision and rounds once, at the end.

    Returns
    -------
    ndarray of float32, shape (N, OH, OW, Cout)

    Examples
    --------
    >>> import numpy as np
    >>> from dwsep.reference import standard_conv2d
    >>> x = np.ones((1, 3, 3, 2), np.float32)
    >>> weight = np.ones((3, 3, 2, 1), np.float32)
    >>> float(standard_conv2d(x, weight)[0, 0, 0, 0])
    18.0
    """
    x, weight = _operands(x, weight)
    window = (stride, padding, dilation)
    return _run(_loops.standard, x, weight, bias, weight.shape[3], window, accumulate)


def depthwise_conv2d(
    x: _Array,
    weight: _Array,
    bias: _Array | None = None,
    *,
    stride: _Pair = (1, 1),
    padding: tuple[_Pair, _Pair] = ((0, 0), (0, 0)),
    dilation: _Pair = (1, 1),
    accumulate: _Accumulate = "float32",
) -> _Array:
    """Convolve every channel of `x` with its own M filters.

    Parameters
    ----------
    x : ndarray of float32, shape (N, H, W, C)
    weight : ndarray of float32, shape (KH, KW, C, M)
        Filter m of channel c makes output channel c * M + m.
    bias : ndarray of float32, shape (C * M,), optional
    stride, padding, dilation, accumulate
        As for :func:`standard_conv2d`.

    Returns
    -------
    ndarray of float32, shape (N, OH, OW, C * M)

    Examples
    --------
    >>> import numpy as np
    >>> from dwsep.reference import depthwise_conv2d
    >>> x = np.ones((1, 3, 3, 2), np.float32)
    >>> weight = np.ones((3, 3, 2, 1), np.float32)
    >>> depthwise_conv2d(x, weight).ravel().tolist()
    [9.0, 9.0]
    """
    x, weight = _operands(x, weight)
    channels = weight.shape[2] * weight.shape[3]
    window = (stride, padding, dilation)
    return _run(_loops.depthwise, x, weight, bias, channels, window, accumulate)


def _run(
    loops: Callable[..., None],
    x: _Array,
    weight: _Array,
    bias: _Array | None,
    out_channels: int,
    window: tuple[_Pair, tuple[_Pair, _Pair], _Pair],
    accumulate: _Accumulate,
) -> _Array:
    strides, padding, dilations = window
    stride, dilation = _whole(strides), _whole(dilations)
    pads = (_whole(padding[0]), _whole(padding[1]))
    batch, height, width, _ = x.shape
    kernel = weight.shape[:2]
    out_height = _output_size(height, kernel[0], stride[0], pads[0], dilation[0])
    out_width = _output_size(width, kernel[1], stride[1], pads[1], dilation[1])
    start = _as_bias(bias, out_channels, accumulate)
    y = np.empty((batch, out_height, out_width, out_channels), np.float32)
    # What `Problem` of _loops.pyx has, in its order.
    problem = np.array(
        [*x.shape, *y.shape[1:], *kernel, *stride, pads[0][0], pads[1][0], *dilation], np.intp
    )
    if y.size:
        addresses = [array.ctypes.data for array in (x, weight, start, y, problem)]
        loops(*addresses, accumulate == "float64")
    return y


def _operands(x: _Array, weight: _Array) -> tuple[_Array, _Array]:
    x = _as_float32("x", x, 4)
    weight = _as_float32("weight", weight, 4)
    if weight.shape[2] != x.shape[3]:
        raise ValueError(f"weight: need shape (KH, KW, {x.shape[3]}, ...), got {weight.shape}")
    return x, weight


def _as_float32(name: str, value: _Array, ndim: int) -> _Array:
    array = np.asarray(value)
    if array.dtype != np.float32:
        raise TypeError(f"{name}: need dtype float32, got {array.dtype}")
    if array.ndim != ndim:
        raise ValueError(f"{name}: need {ndim} axes, got shape {array.shape}")
    return np.ascontiguousarray(array)


def _as_bias(bias: _Array | None, channels: int, accumulate: _Accumulate) -> NDArray[Any]:
    if accumulate not in ("float32", "float64"):
        raise ValueError(f"accumulate: need 'float32' or 'float64', got {accumulate!r}")
    if bias is None:
        return np.zeros(channels, accumulate)
    bias = _as_float32("bias", bias, 1)
    if bias.shape[0] != channels:
        raise ValueError(f"bias: need shape ({channels},), got {bias.shape}")
    return bias.astype(accumulate)


def _whole(pair: _Pair) -> _Pair:
    first, second = pair
    return index(first), index(second)


def _output_size(size: int, kernel: int, stride: int, pads: _Pair, dilation: int) -> int:
    if stride < 1 or dilation < 1 or min(pads) < 0 or max(stride, dilation, *pads) >= 2**31:
        raise ValueError(
            "stride, dilation, padding: need at least 1, 1 and 0, and less than 2^31, "
            f"got {stride}, {dilation} and {pads}"
        )
    free = size + sum(pads) - (kernel - 1) * dilation - 1
    return max(0, free // stride + 1)
