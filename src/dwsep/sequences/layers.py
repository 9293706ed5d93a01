"""Layers of sequences, each of which has a layer of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..layers import Conv2D, DepthwiseConv2D, SeparableConv2D
from ._layer import Layer1D
from ._rows import filters_of, geometry_of, weight_of

if TYPE_CHECKING:
    from .._arguments import Activation, Array
    from ..quantization import Quantization
    from ._rows import Padding

__all__ = ["Conv1D", "DepthwiseConv1D", "SeparableConv1D"]


class DepthwiseConv1D(Layer1D):
    """Depthwise convolution of sequences: each channel has its own filters.

    ``y[n, i, c*M + m] = activation(sum over q of x[n, i*stride + q*dilation - left, c]
    * weight[q, c, m] + bias[c*M + m])``

    Parameters
    ----------
    weight : numpy.ndarray of float32, shape (K, C) or (K, C, M)
        Filters, M of them for each channel (M = 1 for two axes).
    bias : numpy.ndarray of float32, shape (C*M,), optional
    stride : int, default 1
    padding : str, int or pair of int, default "same"
        "same" (the odd step behind, as in TensorFlow), "same_lower" (in front), "valid", "causal"
        (all in front), an int for both sides, or (left, right).
    dilation : int, default 1
    activation : str or tuple, optional
        As for `DepthwiseConv2D`.
    x_quantization, weight_quantization, quantization : Quantization, optional
        Of int8 and uint8 sequences, as for `DepthwiseConv2D`.

    Raises
    ------
    TypeError, ValueError
        As for `DepthwiseConv2D`.

    Examples
    --------
    >>> import numpy as np
    >>> from dwsep import DepthwiseConv1D
    >>> layer = DepthwiseConv1D(np.ones((9, 8), np.float32), stride=2, padding="causal")
    >>> layer(np.ones((1, 100, 8), np.float32)).shape
    (1, 50, 8)
    """

    __slots__ = ()

    def __init__(
        self,
        weight: Array,
        bias: Array | None = None,
        *,
        stride: int = 1,
        padding: Padding = "same",
        dilation: int = 1,
        activation: Activation = None,
        x_quantization: Quantization | None = None,
        weight_quantization: Quantization | None = None,
        quantization: Quantization | None = None,
    ) -> None:
        filters = filters_of(weight, "weight", (2, 3), "(K, C) or (K, C, M)", weight_quantization)
        geometry = geometry_of(filters.shape[1], stride, padding, dilation)
        same: dict[str, Any] = {
            "activation": activation,
            "x_quantization": x_quantization,
            "weight_quantization": weight_quantization,
            "quantization": quantization,
        }
        layer = DepthwiseConv2D(filters, bias, **geometry, **same)
        arguments = {"weight": filters, "bias": bias, "stride": stride, "padding": padding}
        super().__init__(layer, {**arguments, "dilation": dilation, **same})


class SeparableConv1D(Layer1D):
    """Depthwise, then pointwise convolution of sequences.

    Parameters
    ----------
    depthwise_weight : numpy.ndarray of float32, shape (K, C) or (K, C, M)
    weight : numpy.ndarray of float32, shape (C*M, Cout) or (1, C*M, Cout)
    depthwise_bias : numpy.ndarray of float32, shape (C*M,), optional
    bias : numpy.ndarray of float32, shape (Cout,), optional
        Of the pointwise convolution.
    stride, padding, dilation
        Of the depthwise convolution, as for `DepthwiseConv1D`.
    depthwise_activation, activation : str or tuple, optional
        After each of the two.
    x_quantization, weight_quantization, quantization, residual_quantization, \
    depthwise_weight_quantization, depthwise_quantization : Quantization, optional
        Of int8 and uint8 sequences, as for `SeparableConv2D`.

    Raises
    ------
    TypeError, ValueError
        As for `SeparableConv2D`.

    Examples
    --------
    >>> import numpy as np
    >>> from dwsep import SeparableConv1D
    >>> layer = SeparableConv1D(np.ones((3, 8), np.float32), np.ones((8, 16), np.float32))
    >>> layer(np.ones((100, 8), np.float32)).shape
    (100, 16)
    """

    __slots__ = ()

    def __init__(
        self,
        depthwise_weight: Array,
        weight: Array,
        depthwise_bias: Array | None = None,
        bias: Array | None = None,
        *,
        stride: int = 1,
        padding: Padding = "same",
        dilation: int = 1,
        depthwise_activation: Activation = None,
        activation: Activation = None,
        x_quantization: Quantization | None = None,
        depthwise_weight_quantization: Quantization | None = None,
        depthwise_quantization: Quantization | None = None,
        weight_quantization: Quantization | None = None,
        quantization: Quantization | None = None,
        residual_quantization: Quantization | None = None,
    ) -> None:
        wanted, of_matrix = "(K, C) or (K, C, M)", "(C*M, Cout) or (1, C*M, Cout)"
        q = depthwise_weight_quantization
        filters = filters_of(depthwise_weight, "depthwise_weight", (2, 3), wanted, q)
        matrix = weight_of(weight, "weight", (2, 3), of_matrix, weight_quantization)
        matrix = matrix if matrix.ndim == 2 else matrix[np.newaxis]
        geometry = geometry_of(filters.shape[1], stride, padding, dilation)
        same: dict[str, Any] = {
            "depthwise_activation": depthwise_activation,
            "activation": activation,
            "x_quantization": x_quantization,
            "depthwise_weight_quantization": depthwise_weight_quantization,
            "depthwise_quantization": depthwise_quantization,
            "weight_quantization": weight_quantization,
            "quantization": quantization,
            "residual_quantization": residual_quantization,
        }
        layer = SeparableConv2D(filters, matrix, depthwise_bias, bias, **geometry, **same)
        arguments = {
            "depthwise_weight": filters,
            "weight": matrix,
            "depthwise_bias": depthwise_bias,
            "bias": bias,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
        }
        super().__init__(layer, arguments | same)


class Conv1D(Layer1D):
    """Convolution of sequences, in groups of channels if wanted.

    Parameters
    ----------
    weight : numpy.ndarray of float32, shape (K, Cin / groups, Cout)
    bias : numpy.ndarray of float32, shape (Cout,), optional
    stride, padding, dilation
        As for `DepthwiseConv1D`.
    groups : int, default 1
        A divisor of Cin and Cout.
    activation : str or tuple, optional
    x_quantization, weight_quantization, quantization, residual_quantization : \
    Quantization, optional
        Of int8 and uint8 sequences, as for `Conv2D`.

    Raises
    ------
    TypeError, ValueError
        As for `Conv2D`.

    Examples
    --------
    >>> import numpy as np
    >>> from dwsep import Conv1D
    >>> Conv1D(np.ones((5, 8, 16), np.float32))(np.ones((100, 8), np.float32)).shape
    (100, 16)
    """

    __slots__ = ()

    def __init__(
        self,
        weight: Array,
        bias: Array | None = None,
        *,
        stride: int = 1,
        padding: Padding = "same",
        dilation: int = 1,
        groups: int = 1,
        activation: Activation = None,
        x_quantization: Quantization | None = None,
        weight_quantization: Quantization | None = None,
        quantization: Quantization | None = None,
        residual_quantization: Quantization | None = None,
    ) -> None:
        filters = filters_of(weight, "weight", (3,), "(K, Cin / groups, Cout)", weight_quantization)
        geometry = geometry_of(filters.shape[1], stride, padding, dilation)
        same: dict[str, Any] = {
            "groups": groups,
            "activation": activation,
            "x_quantization": x_quantization,
            "weight_quantization": weight_quantization,
            "quantization": quantization,
            "residual_quantization": residual_quantization,
        }
        layer = Conv2D(filters, bias, **geometry, **same)
        arguments = {"weight": filters, "bias": bias, "stride": stride, "padding": padding}
        super().__init__(layer, {**arguments, "dilation": dilation, **same})
