"""The layer of MobileNetV2's blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core, _operators
from .._layer import Layer, frozen

if TYPE_CHECKING:
    from typing_extensions import Self

    from .._arguments import Activation, Array, IntOrPair, Padding
    from ..quantization import Quantization

__all__ = ["InvertedResidual"]


class InvertedResidual(_core.InvertedResidual, Layer):
    """MobileNetV2's block: pointwise expansion, depthwise, pointwise projection.

    The residual is an argument of the call, usually the input itself: ``layer(x, residual=x)``.
    The result has the same bits as that of the three layers one after the other.

    Parameters
    ----------
    expand_weight : numpy.ndarray of float32, shape (Cin, C) or (1, 1, Cin, C)
    depthwise_weight : numpy.ndarray of float32, shape (KH, KW, C) or (KH, KW, C, M)
    weight : numpy.ndarray of float32, shape (C*M, Cout) or (1, 1, C*M, Cout)
    expand_bias : numpy.ndarray of float32, shape (C,), optional
    depthwise_bias : numpy.ndarray of float32, shape (C*M,), optional
    bias : numpy.ndarray of float32, shape (Cout,), optional
        Of the projection.
    stride, padding, dilation
        Of the depthwise convolution, as for `DepthwiseConv2D`. Padding counts as zeros after the
        expansion and its activation.
    expand_activation, depthwise_activation, activation : str or tuple, optional
        After each of the three convolutions, as for `DepthwiseConv2D`.
    reduce_weight, excite_weight, reduce_bias, excite_bias, reduce_activation, excite_activation
        Squeeze-excite before the projection, as for `SeparableConv2D`.
    x_quantization : Quantization, optional
        What x stands for, which then is of int8 or uint8, as are weights; biases are of int32 or
        float32. See :doc:`/docs/quantization`.
    expand_weight_quantization, depthwise_weight_quantization, weight_quantization : Quantization
        Of the weights, with `x_quantization`.
    expand_quantization, depthwise_quantization : Quantization, optional
        What the outputs of the first two convolutions stand for, with `x_quantization`. That of the
        expansion may have a scale for each channel.
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
    dwsep.inverted_residual : The same for a single call.
    dwsep.layers : What a call takes, returns and raises.

    References
    ----------
    .. [1] M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018,
       arXiv:1801.04381.
    .. [2] J. Hu, L. Shen, G. Sun, "Squeeze-and-Excitation Networks", 2018, arXiv:1709.01507.

    Examples
    --------
    >>> import numpy as np
    >>> from dwsep import InvertedResidual
    >>> layer = InvertedResidual(
    ...     np.ones((8, 48), np.float32), np.ones((3, 3, 48), np.float32),
    ...     np.ones((48, 8), np.float32), expand_activation="relu6", depthwise_activation="relu6")
    >>> x = np.ones((1, 14, 14, 8), np.float32)
    >>> layer(x, residual=x).shape
    (1, 14, 14, 8)
    """

    __slots__ = ("__weakref__", "_values")
    _names = (
        "expand_weight",
        "depthwise_weight",
        "weight",
        "expand_bias",
        "depthwise_bias",
        "bias",
        "stride",
        "padding",
        "dilation",
        "expand_activation",
        "depthwise_activation",
        "activation",
        "reduce_weight",
        "reduce_bias",
        "reduce_activation",
        "excite_weight",
        "excite_bias",
        "excite_activation",
        "x_quantization",
        "expand_weight_quantization",
        "expand_quantization",
        "depthwise_weight_quantization",
        "depthwise_quantization",
        "weight_quantization",
        "quantization",
        "residual_quantization",
    )

    def __new__(
        cls,
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
    ) -> Self:
        values = frozen(
            _operators.inverted_residual(
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
        )
        return super().__new__(cls, *values)._keep(values)
