"""Depthwise and pointwise convolutions as one, called once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core, _operators

if TYPE_CHECKING:
    from .._arguments import Activation, Array, IntOrPair, Padding
    from ..quantization import Quantization

__all__ = ["inverted_residual", "separable_conv2d"]


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
        (depthwise_weight, weight),
        (depthwise_bias, bias),
        (stride, padding, dilation),
        (depthwise_activation, activation),
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
        (expand_weight, depthwise_weight, weight),
        (expand_bias, depthwise_bias, bias),
        (stride, padding, dilation),
        (expand_activation, depthwise_activation, activation),
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
