"""Convolutions as functions: each makes a layer, calls it and forgets it.

All take `x`, `residual`, `out` and `num_threads` as the call of a layer does (see `dwsep.layers`)
and give ``activation(convolution(x) + bias + residual)``: the residual is added before the
activation. Arrays may be those of other libraries here as well. Weights are packed anew at every
call; where the same ones are used often, a layer from `dwsep.layers` saves that. The layers also
say more about what both take: squeeze-excite, int8 and where the operators come from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _core, _operators

if TYPE_CHECKING:
    from ._arguments import Activation, Array, IntOrPair, Padding
    from .quantization import Quantization

__all__ = [
    "conv2d",
    "depthwise_conv2d",
    "inverted_residual",
    "pointwise_conv2d",
    "separable_conv2d",
]


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
        stride,
        padding,
        dilation,
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


def separable_conv2d(
    x: Array,
    depthwise_weight: Array,
    weight: Array,
    depthwise_bias: Array | None = None,
    bias: Array | None = None,
    *,
    stride: IntOrPair = 1,
    padding: Padding = "same",
    dilation: IntOrPair = 1,
    depthwise_activation: Activation = None,
    activation: Activation = None,
    reduce_weight: Array | None = None,
    reduce_bias: Array | None = None,
    reduce_activation: Activation = None,
    excite_weight: Array | None = None,
    excite_bias: Array | None = None,
    excite_activation: Activation = None,
    x_quantization: Quantization | None = None,
    depthwise_weight_quantization: Quantization | None = None,
    depthwise_quantization: Quantization | None = None,
    weight_quantization: Quantization | None = None,
    quantization: Quantization | None = None,
    residual_quantization: Quantization | None = None,
    residual: Array | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
) -> Array:
    """Convolve depthwise, then pointwise, without the tensor between them where that is faster.

    The result has the same bits as that of `depthwise_conv2d` followed by `pointwise_conv2d`.

    Parameters
    ----------
    x : numpy.ndarray of float32, shape (H, W, C) or (N, H, W, C)
    depthwise_weight : numpy.ndarray of float32, shape (KH, KW, C) or (KH, KW, C, M)
    weight : numpy.ndarray of float32, shape (C*M, Cout) or (1, 1, C*M, Cout)
    depthwise_bias : numpy.ndarray of float32, shape (C*M,), optional
    bias : numpy.ndarray of float32, shape (Cout,), optional
        Of the pointwise convolution.
    stride, padding, dilation
        Of the depthwise convolution, as for `depthwise_conv2d`.
    depthwise_activation, activation : str or tuple, optional
        After the depthwise and after the pointwise convolution, as for `depthwise_conv2d`.
    reduce_weight, excite_weight, reduce_bias, excite_bias, reduce_activation, excite_activation
        Squeeze-excite between the two, as for `SeparableConv2D`.
    x_quantization, quantization, residual_quantization : Quantization, optional
    depthwise_weight_quantization, depthwise_quantization, weight_quantization : optional
        For int8 and uint8, as for `SeparableConv2D`.
    residual : numpy.ndarray of float32, optional
        Array of the result's shape to add before the last activation.
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
    dwsep.SeparableConv2D : The layer, packed once.

    Examples
    --------
    >>> import numpy as np
    >>> import dwsep
    >>> x = np.ones((1, 112, 112, 32), np.float32)
    >>> depthwise_weight, weight = np.ones((3, 3, 32), np.float32), np.ones((32, 64), np.float32)
    >>> dwsep.separable_conv2d(x, depthwise_weight, weight, activation="relu6").shape
    (1, 112, 112, 64)
    """
    values = _operators.separable(
        depthwise_weight,
        weight,
        depthwise_bias,
        bias,
        stride,
        padding,
        dilation,
        depthwise_activation,
        activation,
        {
            "reduce_weight": reduce_weight,
            "reduce_bias": reduce_bias,
            "reduce_activation": reduce_activation,
            "excite_weight": excite_weight,
            "excite_bias": excite_bias,
            "excite_activation": excite_activation,
        },
        {
            "x_quantization": x_quantization,
            "depthwise_weight_quantization": depthwise_weight_quantization,
            "depthwise_quantization": depthwise_quantization,
            "weight_quantization": weight_quantization,
            "quantization": quantization,
            "residual_quantization": residual_quantization,
        },
    )
    return _core.SeparableConv2D(*values)(x, residual=residual, out=out, num_threads=num_threads)


def inverted_residual(
    x: Array,
    expand_weight: Array,
    depthwise_weight: Array,
    weight: Array,
    expand_bias: Array | None = None,
    depthwise_bias: Array | None = None,
    bias: Array | None = None,
    *,
    stride: IntOrPair = 1,
    padding: Padding = "same",
    dilation: IntOrPair = 1,
    expand_activation: Activation = None,
    depthwise_activation: Activation = None,
    activation: Activation = None,
    reduce_weight: Array | None = None,
    reduce_bias: Array | None = None,
    reduce_activation: Activation = None,
    excite_weight: Array | None = None,
    excite_bias: Array | None = None,
    excite_activation: Activation = None,
    x_quantization: Quantization | None = None,
    expand_weight_quantization: Quantization | None = None,
    expand_quantization: Quantization | None = None,
    depthwise_weight_quantization: Quantization | None = None,
    depthwise_quantization: Quantization | None = None,
    weight_quantization: Quantization | None = None,
    quantization: Quantization | None = None,
    residual_quantization: Quantization | None = None,
    residual: Array | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
) -> Array:
    """Apply MobileNetV2's block: pointwise expansion, depthwise, pointwise projection.

    The result has the same bits as that of the three convolutions one after the other.

    Parameters
    ----------
    x : numpy.ndarray of float32, shape (H, W, Cin) or (N, H, W, Cin)
    expand_weight : numpy.ndarray of float32, shape (Cin, C) or (1, 1, Cin, C)
    depthwise_weight : numpy.ndarray of float32, shape (KH, KW, C) or (KH, KW, C, M)
    weight : numpy.ndarray of float32, shape (C*M, Cout) or (1, 1, C*M, Cout)
    expand_bias : numpy.ndarray of float32, shape (C,), optional
    depthwise_bias : numpy.ndarray of float32, shape (C*M,), optional
    bias : numpy.ndarray of float32, shape (Cout,), optional
        Of the projection.
    stride, padding, dilation
        Of the depthwise convolution, as for `depthwise_conv2d`. Padding counts as zeros after the
        expansion and its activation.
    expand_activation, depthwise_activation, activation : str or tuple, optional
        After each of the three convolutions, as for `depthwise_conv2d`.
    reduce_weight, excite_weight, reduce_bias, excite_bias, reduce_activation, excite_activation
        Squeeze-excite before the projection, as for `SeparableConv2D`.
    x_quantization, quantization, residual_quantization : Quantization, optional
    expand_weight_quantization, depthwise_weight_quantization, weight_quantization : optional
    expand_quantization, depthwise_quantization : optional
        For int8 and uint8, as for `InvertedResidual`.
    residual : numpy.ndarray of float32, optional
        Array of the result's shape to add before the last activation, usually `x` itself. Nothing
        is added unless it is given.
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
    dwsep.InvertedResidual : The layer, packed once.

    Examples
    --------
    >>> import numpy as np
    >>> import dwsep
    >>> x = np.ones((1, 14, 14, 8), np.float32)
    >>> expand_weight, weight = np.ones((8, 48), np.float32), np.ones((48, 8), np.float32)
    >>> depthwise_weight = np.ones((3, 3, 48), np.float32)
    >>> dwsep.inverted_residual(x, expand_weight, depthwise_weight, weight, residual=x).shape
    (1, 14, 14, 8)
    """
    values = _operators.inverted_residual(
        expand_weight,
        depthwise_weight,
        weight,
        expand_bias,
        depthwise_bias,
        bias,
        stride,
        padding,
        dilation,
        expand_activation,
        depthwise_activation,
        activation,
        {
            "reduce_weight": reduce_weight,
            "reduce_bias": reduce_bias,
            "reduce_activation": reduce_activation,
            "excite_weight": excite_weight,
            "excite_bias": excite_bias,
            "excite_activation": excite_activation,
        },
        {
            "x_quantization": x_quantization,
            "expand_weight_quantization": expand_weight_quantization,
            "expand_quantization": expand_quantization,
            "depthwise_weight_quantization": depthwise_weight_quantization,
            "depthwise_quantization": depthwise_quantization,
            "weight_quantization": weight_quantization,
            "quantization": quantization,
            "residual_quantization": residual_quantization,
        },
    )
    return _core.InvertedResidual(*values)(x, residual=residual, out=out, num_threads=num_threads)


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
        stride,
        padding,
        dilation,
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
