"""The layer of depthwise-separable convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core, _operators
from .._layer import Layer, frozen

if TYPE_CHECKING:
    from typing_extensions import Self

    from .._arguments import Activation, Array, IntOrPair, Padding
    from ..quantization import Quantization

__all__ = ["SeparableConv2D"]


class SeparableConv2D(_core.SeparableConv2D, Layer):
    """Depthwise, then pointwise convolution, without the tensor between them where that is faster.

    The result has the same bits as that of a `DepthwiseConv2D` followed by a `PointwiseConv2D`.

    Parameters
    ----------
    depthwise_weight : numpy.ndarray of float32, shape (KH, KW, C) or (KH, KW, C, M)
    weight : numpy.ndarray of float32, shape (C*M, Cout) or (1, 1, C*M, Cout)
    depthwise_bias : numpy.ndarray of float32, shape (C*M,), optional
    bias : numpy.ndarray of float32, shape (Cout,), optional
        Of the pointwise convolution.
    stride, padding, dilation
        Of the depthwise convolution, as for `DepthwiseConv2D`.
    depthwise_activation, activation : str or tuple, optional
        After the depthwise and after the pointwise convolution, as for `DepthwiseConv2D`.
    reduce_weight : numpy.ndarray of float32, shape (C*M, R) or (1, 1, C*M, R), optional
    excite_weight : numpy.ndarray of float32, shape (R, C*M) or (1, 1, R, C*M), optional
        Squeeze-excite, with both or neither: the pointwise convolution reads the depthwise output
        times ``excite_activation(excite(reduce_activation(reduce(mean))))``, a factor for each
        channel of an image from the mean of its pixels.
    reduce_bias : numpy.ndarray of float32, shape (R,), optional
    excite_bias : numpy.ndarray of float32, shape (C*M,), optional
    reduce_activation, excite_activation : str or tuple, optional
        After each of the two layers, as for `DepthwiseConv2D`.
    x_quantization : Quantization, optional
        What x stands for, which then is of int8 or uint8, as are weights; biases are of int32 or
        float32. See :doc:`/docs/quantization`.
    depthwise_weight_quantization, weight_quantization : Quantization, optional
        Of the weights, with `x_quantization`.
    depthwise_quantization : Quantization, optional
        What the output of the depthwise convolution stands for, with `x_quantization`.
    quantization : Quantization, optional
        What the result is to stand for; its type is float32 without.
    residual_quantization : Quantization, optional
        What the residual stands for, if there is one next to `x_quantization`.

    Raises
    ------
    TypeError
        If an argument is of the wrong type, an array not one of native float32.
    ValueError
        If a shape or a value does not fit.

    See Also
    --------
    dwsep.separable_conv2d : The same for a single call.
    dwsep.layers : What a call takes, returns and raises.

    References
    ----------
    .. [1] F. Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", 2017,
       arXiv:1610.02357.
    .. [2] A. G. Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile
       Vision Applications", 2017, arXiv:1704.04861.
    .. [3] J. Hu, L. Shen, G. Sun, "Squeeze-and-Excitation Networks", 2018, arXiv:1709.01507.

    Examples
    --------
    >>> import numpy as np
    >>> from dwsep import SeparableConv2D
    >>> layer = SeparableConv2D(np.ones((3, 3, 8), np.float32), np.ones((8, 16), np.float32))
    >>> layer(np.ones((32, 32, 8), np.float32)).shape
    (32, 32, 16)
    """

    __slots__ = ("__weakref__", "_values")
    _names = (
        "depthwise_weight",
        "weight",
        "depthwise_bias",
        "bias",
        "stride",
        "padding",
        "dilation",
        "depthwise_activation",
        "activation",
        "reduce_weight",
        "reduce_bias",
        "reduce_activation",
        "excite_weight",
        "excite_bias",
        "excite_activation",
        "x_quantization",
        "depthwise_weight_quantization",
        "depthwise_quantization",
        "weight_quantization",
        "quantization",
        "residual_quantization",
    )

    def __new__(
        cls,
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
    ) -> Self:
        values = frozen(
            _operators.separable(
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
        )
        return super().__new__(cls, *values)._keep(values)
