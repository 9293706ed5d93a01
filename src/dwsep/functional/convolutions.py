"""One convolution, called once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core, _operators

if TYPE_CHECKING:
    from .._arguments import Activation, Array, IntOrPair, Padding
    from ..quantization import Quantization

__all__ = ["conv2d", "depthwise_conv2d", "pointwise_conv2d"]


def depthwise_conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: IntOrPair = 1,
    padding: Padding = "same",
    dilation: IntOrPair = 1,
    activation: Activation = None,
    x_quantization: Quantization | None = None,
    weight_quantization: Quantization | None = None,
    quantization: Quantization | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
) -> Array:
    """Convolve each channel with its own filters.

    ``y[n, i, j, c*M + m] = activation(sum over p, q of x[n, i*sh + p*dh - top, j*sw + q*dw - left,
    c] * weight[p, q, c, m] + bias[c*M + m])``

    Parameters
    ----------
    x : numpy.ndarray of float32, shape (H, W, C) or (N, H, W, C)
        Read in place if its channels are adjacent in memory, whatever its other strides.
    weight : numpy.ndarray of float32, shape (KH, KW, C) or (KH, KW, C, M)
        Filters, M of them for each channel (M = 1 for three axes).
    bias : numpy.ndarray of float32, shape (C*M,), optional
    stride : int or pair of int, default 1
        Pixels between windows, for both axes or (rows, columns).
    padding : str, int or tuple, default "same"
        "same" (the odd pixel at the bottom and the right, as in TensorFlow), "same_lower" (at the
        top and the left), "valid", an int, (rows, columns) or ((top, bottom), (left, right)).
        A weight over padding contributes nothing, not even if it is infinite.
    dilation : int or pair of int, default 1
        Pixels between the taps of a window.
    activation : str or tuple, optional
        "relu", "relu6", "leaky_relu" (slope 0.01) or ("leaky_relu", slope), "hard_swish",
        "hard_sigmoid", "sigmoid", "silu" (also "swish"), "tanh", "gelu" or ("clip", lo, hi).
    x_quantization, weight_quantization, quantization : Quantization, optional
        For int8 and uint8, as for `DepthwiseConv2D`.
    out : numpy.ndarray of float32, optional
        Writeable array of the result's shape to write to; may be a view and may overlap inputs.
    num_threads : int, optional
        Threads of this call, instead of `get_num_threads()`. Does not change a bit of the result.

    Returns
    -------
    numpy.ndarray of float32, shape (H', W', C*M) or (N, H', W', C*M)
        `out` if given, else a new array.

    Raises
    ------
    TypeError
        If an argument is of the wrong type, an array not one of native float32, or `out` read-only.
    ValueError
        If a shape or a value does not fit.

    See Also
    --------
    dwsep.DepthwiseConv2D : The layer, packed once.

    Examples
    --------
    >>> import numpy as np
    >>> import dwsep
    >>> x = np.ones((1, 5, 5, 2), np.float32)
    >>> dwsep.depthwise_conv2d(x, np.ones((3, 3, 2), np.float32), stride=2)[0, :, :, 0]
    array([[4., 6., 4.],
           [6., 9., 6.],
           [4., 6., 4.]], dtype=float32)
    """
    values = _operators.depthwise(
        weight,
        bias,
        (stride, padding, dilation),
        activation,
        {
            "x_quantization": x_quantization,
            "weight_quantization": weight_quantization,
            "quantization": quantization,
        },
    )
    return _core.DepthwiseConv2D(*values)(x, out=out, num_threads=num_threads)


def pointwise_conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    activation: Activation = None,
    x_quantization: Quantization | None = None,
    weight_quantization: Quantization | None = None,
    quantization: Quantization | None = None,
    residual_quantization: Quantization | None = None,
    residual: Array | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
) -> Array:
    """Multiply every pixel's channels by a matrix (1x1 convolution).

    ``y[n, i, j, o] = activation(sum over c of x[n, i, j, c] * weight[c, o] + bias[o]
    + residual[n, i, j, o])``

    Parameters
    ----------
    x : numpy.ndarray of float32, shape (H, W, Cin) or (N, H, W, Cin)
    weight : numpy.ndarray of float32, shape (Cin, Cout) or (1, 1, Cin, Cout)
    bias : numpy.ndarray of float32, shape (Cout,), optional
    activation : str or tuple, optional
        As for `depthwise_conv2d`.
    x_quantization, weight_quantization, quantization, residual_quantization : optional
        For int8 and uint8, as for `PointwiseConv2D`.
    residual : numpy.ndarray of float32, optional
        Array of the result's shape to add before the activation.
    out, num_threads : optional
        As for `depthwise_conv2d`.

    Returns
    -------
    numpy.ndarray of float32, shape (H, W, Cout) or (N, H, W, Cout)
        `out` if given, else a new array.

    Raises
    ------
    TypeError
        If an argument is of the wrong type, an array not one of native float32, or `out` read-only.
    ValueError
        If a shape or a value does not fit.

    See Also
    --------
    dwsep.PointwiseConv2D : The layer, packed once.

    Examples
    --------
    >>> import numpy as np
    >>> import dwsep
    >>> x = np.array([[[1, 2, 3]]], np.float32)
    >>> dwsep.pointwise_conv2d(x, np.array([[1, 0], [0, 1], [1, 1]], np.float32))
    array([[[4., 5.]]], dtype=float32)
    """
    values = _operators.pointwise(
        weight,
        bias,
        activation,
        {
            "x_quantization": x_quantization,
            "weight_quantization": weight_quantization,
            "quantization": quantization,
            "residual_quantization": residual_quantization,
        },
    )
    return _core.PointwiseConv2D(*values)(x, residual=residual, out=out, num_threads=num_threads)


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: IntOrPair = 1,
    padding: Padding = "same",
    dilation: IntOrPair = 1,
    groups: int = 1,
    activation: Activation = None,
    x_quantization: Quantization | None = None,
    weight_quantization: Quantization | None = None,
    quantization: Quantization | None = None,
    residual_quantization: Quantization | None = None,
    residual: Array | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
) -> Array:
    """Convolve as usual, in groups of channels if wanted.

    ``y[n, i, j, o] = activation(sum over p, q, c of x[n, i*sh + p*dh - top, j*sw + q*dw - left, c]
    * weight[p, q, c, o] + bias[o] + residual[n, i, j, o])``; with groups, output channel ``o`` sees
    the ``Cin / groups`` input channels of its group only.

    Parameters
    ----------
    x : numpy.ndarray of float32, shape (H, W, Cin) or (N, H, W, Cin)
    weight : numpy.ndarray of float32, shape (KH, KW, Cin / groups, Cout)
    bias : numpy.ndarray of float32, shape (Cout,), optional
    stride, padding, dilation
        As for `depthwise_conv2d`.
    groups : int, default 1
        A divisor of Cin and Cout.
    activation : str or tuple, optional
        As for `depthwise_conv2d`.
    x_quantization, weight_quantization, quantization, residual_quantization : optional
        For int8 and uint8, as for `Conv2D`.
    residual : numpy.ndarray of float32, optional
        Array of the result's shape to add before the activation.
    out, num_threads : optional
        As for `depthwise_conv2d`.

    Returns
    -------
    numpy.ndarray of float32, shape (H', W', Cout) or (N, H', W', Cout)
        `out` if given, else a new array.

    Raises
    ------
    TypeError
        If an argument is of the wrong type, an array not one of native float32, or `out` read-only.
    ValueError
        If a shape or a value does not fit.

    See Also
    --------
    dwsep.Conv2D : The layer, packed once.

    Examples
    --------
    >>> import numpy as np
    >>> import dwsep
    >>> x = np.ones((1, 224, 224, 3), np.float32)
    >>> dwsep.conv2d(x, np.ones((3, 3, 3, 32), np.float32), stride=2).shape
    (1, 112, 112, 32)
    """
    values = _operators.standard(
        weight,
        bias,
        (stride, padding, dilation),
        groups,
        activation,
        {
            "x_quantization": x_quantization,
            "weight_quantization": weight_quantization,
            "quantization": quantization,
            "residual_quantization": residual_quantization,
        },
    )
    return _core.Conv2D(*values)(x, residual=residual, out=out, num_threads=num_threads)
