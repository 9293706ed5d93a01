"""The layer of depthwise convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core, _operators
from .._layer import Layer, frozen

if TYPE_CHECKING:
    from typing_extensions import Self

    from .._arguments import Activation, Array, IntOrPair, Padding
    from ..quantization import Quantization

__all__ = ["DepthwiseConv2D"]


class DepthwiseConv2D(_core.DepthwiseConv2D, Layer):
    """Depthwise convolution: each channel has its own filters.

    ``y[n, i, j, c*M + m] = activation(sum over p, q of x[n, i*sh + p*dh - top, j*sw + q*dw - left,
    c] * weight[p, q, c, m] + bias[c*M + m])``

    Parameters
    ----------
    weight : numpy.ndarray of float32, shape (KH, KW, C) or (KH, KW, C, M)
        Filters, M of them for each channel (M = 1 for three axes), in any memory layout.
    bias : numpy.ndarray of float32, shape (C*M,), optional
    stride : int or pair of int, default 1
        Pixels between windows, for both axes or (rows, columns).
    padding : str, int or tuple, default "same"
        Zeros around the input. "same": as many as give ``ceil(size / stride)`` outputs, the odd
        one at the bottom and the right, as TensorFlow does; "same_lower": the odd one at the top
        and the left; "valid": none; an int for all sides; (rows, columns) for both sides of each
        axis; ((top, bottom), (left, right)). A weight over padding contributes nothing, not even
        if it is infinite.
    dilation : int or pair of int, default 1
        Pixels between the taps of a window.
    activation : str or tuple, optional
        "relu", "relu6", "leaky_relu" (slope 0.01) or ("leaky_relu", slope), "hard_swish",
        "hard_sigmoid", "sigmoid", "silu" (also "swish"), "tanh", "gelu" or ("clip", lo, hi).
    x_quantization, weight_quantization : Quantization, optional
        What x and weight stand for, which then are of int8 or uint8, as these say; bias is of int32
        or float32. x may have a scale for each channel. See :doc:`/docs/quantization`.
    quantization : Quantization, optional
        What the result is to stand for; its type is float32 without.

    Raises
    ------
    TypeError
        If an argument is of the wrong type, an array not one of native float32.
    ValueError
        If a shape or a value does not fit.

    See Also
    --------
    dwsep.depthwise_conv2d : The same for a single call.
    dwsep.layers : What a call takes, returns and raises.

    References
    ----------
    .. [1] A. G. Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile
       Vision Applications", 2017, arXiv:1704.04861.
    .. [2] TensorFlow, "tf.nn: notes on padding convolution operations".

    Examples
    --------
    >>> import numpy as np
    >>> from dwsep import DepthwiseConv2D
    >>> layer = DepthwiseConv2D(np.ones((3, 3, 8), np.float32), stride=2, activation="relu6")
    >>> layer(np.ones((1, 32, 32, 8), np.float32)).shape
    (1, 16, 16, 8)
    """

    __slots__ = ("__weakref__", "_values")
    _names = (
        "weight",
        "bias",
        "stride",
        "padding",
        "dilation",
        "activation",
        "x_quantization",
        "weight_quantization",
        "quantization",
    )

    def __new__(
        cls,
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
    ) -> Self:
        values = frozen(
            _operators.depthwise(
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
        )
        return super().__new__(cls, *values)._keep(values)
