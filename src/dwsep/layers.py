"""Prepacked layers: the weights are copied and packed once, then the layer is called often.

A layer is immutable and may be called from any number of threads at once. It pickles as its
arguments, so it can be sent to another machine, where it is packed for the processor found there.

Calling a layer
---------------
``layer(x, residual=None, *, out=None, num_threads=None)`` gives
``activation(convolution(x) + bias + residual)``: the residual is added before the activation.
A `DepthwiseConv2D` takes no residual.

x : numpy.ndarray of float32, shape (H, W, C) or (N, H, W, C)
    Read in place if its channels are adjacent in memory, whatever its other strides; anything else
    is copied once. The result has the same number of axes.
residual : numpy.ndarray of float32, optional
    Array of the result's shape to add before the activation.
out : numpy.ndarray of float32, optional
    Writeable array of the result's shape to write to and return. It may be a view and may overlap
    `x` and `residual`, but no two of its elements may share memory.
num_threads : int, optional
    Threads of this call, instead of `get_num_threads()`. Does not change a bit of the result.

`x`, `residual` and the arrays that layers are made of may be arrays of other libraries, such as
tensors of PyTorch: what speaks DLPack and lies in the CPU's memory, or has `__array_interface__`,
is read in place. `out` and the result are arrays of NumPy.

A layer made with `x_quantization` takes `x` and `residual` of int8 or uint8, as their quantizations
say, and gives int8, uint8 or float32.

A call raises TypeError if an argument is not an array of the layer's type (nothing is converted
silently), or `out` is read-only, ValueError if a shape does not fit, and MemoryError if there is no
room for the result. Without `out` the result is a new array whose memory, once it dies, serves a
later call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _core, _operators
from ._layer import Layer, frozen
from ._plan import Plan

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._arguments import Activation, Array, IntOrPair, Padding
    from .quantization import Quantization

__all__ = [
    "Conv2D",
    "DepthwiseConv2D",
    "InvertedResidual",
    "Plan",
    "PointwiseConv2D",
    "SeparableConv2D",
]


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
        )
        return super().__new__(cls, *values)._keep(values)


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
        )
        return super().__new__(cls, *values)._keep(values)


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
    reduce_weight : numpy.ndarray of float32, shape (C*M, R) or (1, 1, C*M, R), optional
    excite_weight : numpy.ndarray of float32, shape (R, C*M) or (1, 1, R, C*M), optional
        Squeeze-excite, with both or neither: the last convolution reads the depthwise output
        times ``excite_activation(excite(reduce_activation(reduce(mean))))``, a factor for each
        channel of an image from the mean of its pixels.
    reduce_bias : numpy.ndarray of float32, shape (R,), optional
    excite_bias : numpy.ndarray of float32, shape (C*M,), optional
    reduce_activation, excite_activation : str or tuple, optional
        After each of the two layers, as for `DepthwiseConv2D`.
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
        )
        return super().__new__(cls, *values)._keep(values)


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
        )
        return super().__new__(cls, *values)._keep(values)
