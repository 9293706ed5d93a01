"""The layer of standard convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core, _operators
from .._layer import Layer, frozen

if TYPE_CHECKING:
    from typing_extensions import Self

    from .._arguments import Activation, Array, IntOrPair, Padding
    from ..quantization import Quantization

__all__ = ["Conv2D"]


class Conv2D(_core.Conv2D, Layer):
    """Standard convolution, in groups of channels if wanted.

    ``y[n, i, j, o] = activation(sum over p, q, c of x[n, i*sh + p*dh - top, j*sw + q*dw - left, c]
    * weight[p, q, c, o] + bias[o] + residual[n, i, j, o])``; with groups, output channel ``o`` sees
    the ``Cin / groups`` input channels of its group only.

    Parameters
    ----------
    weight : numpy.ndarray of float32, shape (KH, KW, Cin / groups, Cout)
        Filters, in any memory layout.
    bias : numpy.ndarray of float32, shape (Cout,), optional
    stride, padding, dilation
        As for `DepthwiseConv2D`.
    groups : int, default 1
        A divisor of Cin and Cout.
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
    dwsep.conv2d : The same for a single call.
    dwsep.layers : What a call takes, returns and raises.

    References
    ----------
    .. [1] V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning", 2016,
       arXiv:1603.07285.

    Examples
    --------
    >>> import numpy as np
    >>> from dwsep import Conv2D
    >>> layer = Conv2D(np.ones((3, 3, 3, 32), np.float32), stride=2)
    >>> layer(np.ones((1, 224, 224, 3), np.float32)).shape
    (1, 112, 112, 32)
    """

    __slots__ = ("__weakref__", "_values")
    _names = (
        "weight",
        "bias",
        "stride",
        "padding",
        "dilation",
        "groups",
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
        stride: IntOrPair = 1,
        padding: Padding = "same",
        dilation: IntOrPair = 1,
        groups: int = 1,
        activation: Activation = None,
        x_quantization: Quantization | None = None,
        weight_quantization: Quantization | None = None,
        quantization: Quantization | None = None,
        residual_quantization: Quantization | None = None,
    ) -> Self:
        values = frozen(
            _operators.standard(
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
        )
        return super().__new__(cls, *values)._keep(values)
