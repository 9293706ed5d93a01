"""The layer of pointwise convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core, _operators
from .._layer import Layer, frozen

if TYPE_CHECKING:
    from typing_extensions import Self

    from .._arguments import Activation, Array
    from ..quantization import Quantization

__all__ = ["PointwiseConv2D"]


class PointwiseConv2D(_core.PointwiseConv2D, Layer):
    """Pointwise (1x1) convolution: every pixel's channels times a matrix.

    ``y[n, i, j, o] = activation(sum over c of x[n, i, j, c] * weight[c, o] + bias[o]
    + residual[n, i, j, o])``

    Parameters
    ----------
    weight : numpy.ndarray of float32, shape (Cin, Cout) or (1, 1, Cin, Cout)
        The matrix, in any memory layout.
    bias : numpy.ndarray of float32, shape (Cout,), optional
    activation : str or tuple, optional
        As for `DepthwiseConv2D`.
    x_quantization, weight_quantization : Quantization, optional
        What x and weight stand for, which then are of int8 or uint8, as these say; bias is of int32
        or float32. See :doc:`/docs/quantization`.
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
    dwsep.pointwise_conv2d : The same for a single call.
    dwsep.layers : What a call takes, returns and raises.

    References
    ----------
    .. [1] A. G. Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile
       Vision Applications", 2017, arXiv:1704.04861.

    Examples
    --------
    >>> import numpy as np
    >>> from dwsep import PointwiseConv2D
    >>> layer = PointwiseConv2D(np.ones((8, 16), np.float32), np.zeros(16, np.float32))
    >>> layer(np.ones((1, 32, 32, 8), np.float32)).shape
    (1, 32, 32, 16)
    """

    __slots__ = ("__weakref__", "_values")
    _names = (
        "weight",
        "bias",
        "activation",
        "x_quantization",
        "weight_quantization",
        "quantization",
        "residual_quantization",
    )

    def __new__(
        cls,
        weight: Array,
        bias: Array | None = None,
        *,
        activation: Activation = None,
        x_quantization: Quantization | None = None,
        weight_quantization: Quantization | None = None,
        quantization: Quantization | None = None,
        residual_quantization: Quantization | None = None,
    ) -> Self:
        values = frozen(
            _operators.pointwise(
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
        )
        return super().__new__(cls, *values)._keep(values)
