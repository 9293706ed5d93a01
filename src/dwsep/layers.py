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

A call raises TypeError if an argument is not an array of native float32 (nothing is converted
silently), or `out` is read-only, ValueError if a shape does not fit, and MemoryError if there is no
room for the result. Without `out` the result is a new array whose memory, once it dies, serves a
later call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar, cast

import numpy as np

from . import _arguments, _core
from ._plan import Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Self

    from ._arguments import Activation, IntOrPair, Padding

    Array = NDArray[np.float32]
    Shape = tuple[int, ...]

Values = TypeVar("Values", bound=tuple[Any, ...])

__all__ = [
    "Conv2D",
    "DepthwiseConv2D",
    "InvertedResidual",
    "Plan",
    "PointwiseConv2D",
    "SeparableConv2D",
]


def _frozen(values: Values) -> Values:
    """Return the values with read-only copies in place of arrays."""
    copies = []
    for value in values:
        if isinstance(value, np.ndarray):
            value = np.array(value, order="C", copy=True, subok=False)
            value.flags.writeable = False
        copies.append(value)
    return cast("Values", tuple(copies))


def _make_again(kind: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    return kind(**arguments)


class _Layer(_core.Layer):
    """What all layers share; calling is inherited from the class of the core."""

    __slots__ = ()

    _names: ClassVar[tuple[str, ...]]
    _values: tuple[Any, ...]

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The constructor's arguments by name, arrays read-only; makes the same layer again."""
        return MappingProxyType(dict(zip(self._names, self._values, strict=True)))

    def explain(self, x_shape: Shape, num_threads: int | None = None) -> Plan:
        """Tell what a call would do, without doing it.

        Parameters
        ----------
        x_shape : tuple of int
            Shape of the input, (H, W, C) or (N, H, W, C).
        num_threads : int, optional
            As for a call.

        Returns
        -------
        Plan
            Algorithm, kernel, split, threads, flops, bytes and the limit they set; prints as a
            table.

        Raises
        ------
        TypeError, ValueError
            If `x_shape` is no shape of an input, or `num_threads` no positive int.

        Examples
        --------
        >>> import numpy as np
        >>> from dwsep import PointwiseConv2D
        >>> layer = PointwiseConv2D(np.ones((16, 32), np.float32))
        >>> plan = layer.explain((56, 56, 16))
        >>> plan.flops
        3211264.0
        >>> plan.limit.bound in ("compute", "memory")
        True
        """
        plan = self.plan(x_shape, num_threads)
        return Plan(type(self).__name__, tuple(x_shape), self.output_shape(x_shape), plan)

    def _usual_kernel(self) -> str:
        """Return the kernel for an image of 56 x 56 pixels, or more where the window is larger."""
        windows = [v.shape[:2] for v in self._values if isinstance(v, np.ndarray) and v.ndim == 4]
        (kh, kw), (dh, dw) = (
            windows[0] if windows else (1, 1),
            self.arguments.get("dilation", (1, 1)),
        )
        h, w = max(56, (kh - 1) * dh + 1), max(56, (kw - 1) * dw + 1)
        try:
            return self.plan((h, w, self.channels))["kernel"]
        except ValueError:  # so large a window that the image would not fit 64 bits
            return "unknown"

    def _keep(self, values: tuple[Any, ...]) -> Self:
        object.__setattr__(self, "_values", values)
        return self

    def __repr__(self) -> str:
        parts = []
        for name, value in self.arguments.items():
            if isinstance(value, np.ndarray):
                parts.append(f"{name}: {value.shape}")
            elif value is not None:
                parts.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(parts)}, kernel={self._usual_kernel()!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _make_again, (type(self), dict(self.arguments))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot set {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot delete {name!r}")


class DepthwiseConv2D(_core.DepthwiseConv2D, _Layer):
    """Depthwise convolution: each channel has its own filters.

    ``y[n, i, j, c*M + m] = activation(sum over p, q of x[n, i*sh + p*dh - top, j*sw + q*dw - left,
    c] * w[p, q, c, m] + bias[c*M + m])``

    Parameters
    ----------
    w : numpy.ndarray of float32, shape (KH, KW, C) or (KH, KW, C, M)
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
    _names = ("w", "bias", "stride", "padding", "dilation", "activation")

    def __new__(
        cls,
        w: Array,
        bias: Array | None = None,
        *,
        stride: IntOrPair = 1,
        padding: Padding = "same",
        dilation: IntOrPair = 1,
        activation: Activation = None,
    ) -> Self:
        values = _frozen(_arguments.depthwise(w, bias, stride, padding, dilation, activation))
        return super().__new__(cls, *values)._keep(values)


class PointwiseConv2D(_core.PointwiseConv2D, _Layer):
    """Pointwise (1x1) convolution: every pixel's channels times a matrix.

    ``y[n, i, j, o] = activation(sum over c of x[n, i, j, c] * w[c, o] + bias[o]
    + residual[n, i, j, o])``

    Parameters
    ----------
    w : numpy.ndarray of float32, shape (Cin, Cout) or (1, 1, Cin, Cout)
        The matrix, in any memory layout.
    bias : numpy.ndarray of float32, shape (Cout,), optional
    activation : str or tuple, optional
        As for `DepthwiseConv2D`.

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
    _names = ("w", "bias", "activation")

    def __new__(cls, w: Array, bias: Array | None = None, *, activation: Activation = None) -> Self:
        values = _frozen(_arguments.pointwise(w, bias, activation))
        return super().__new__(cls, *values)._keep(values)


class SeparableConv2D(_core.SeparableConv2D, _Layer):
    """Depthwise, then pointwise convolution, without the tensor between them where that is faster.

    The result has the same bits as that of a `DepthwiseConv2D` followed by a `PointwiseConv2D`.

    Parameters
    ----------
    w_depthwise : numpy.ndarray of float32, shape (KH, KW, C) or (KH, KW, C, M)
    w_pointwise : numpy.ndarray of float32, shape (C*M, Cout) or (1, 1, C*M, Cout)
    bias_depthwise : numpy.ndarray of float32, shape (C*M,), optional
    bias : numpy.ndarray of float32, shape (Cout,), optional
        Of the pointwise convolution.
    stride, padding, dilation
        Of the depthwise convolution, as for `DepthwiseConv2D`.
    depthwise_activation, activation : str or tuple, optional
        After the depthwise and after the pointwise convolution, as for `DepthwiseConv2D`.

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
        "w_depthwise",
        "w_pointwise",
        "bias_depthwise",
        "bias",
        "stride",
        "padding",
        "dilation",
        "depthwise_activation",
        "activation",
    )

    def __new__(
        cls,
        w_depthwise: Array,
        w_pointwise: Array,
        bias_depthwise: Array | None = None,
        bias: Array | None = None,
        *,
        stride: IntOrPair = 1,
        padding: Padding = "same",
        dilation: IntOrPair = 1,
        depthwise_activation: Activation = None,
        activation: Activation = None,
    ) -> Self:
        values = _frozen(
            _arguments.separable(
                w_depthwise,
                w_pointwise,
                bias_depthwise,
                bias,
                stride,
                padding,
                dilation,
                depthwise_activation,
                activation,
            )
        )
        return super().__new__(cls, *values)._keep(values)


class InvertedResidual(_core.InvertedResidual, _Layer):
    """MobileNetV2's block: pointwise expansion, depthwise, pointwise projection.

    The residual is an argument of the call, usually the input itself: ``layer(x, residual=x)``.
    The result has the same bits as that of the three layers one after the other.

    Parameters
    ----------
    w_expand : numpy.ndarray of float32, shape (Cin, C) or (1, 1, Cin, C)
    w_depthwise : numpy.ndarray of float32, shape (KH, KW, C) or (KH, KW, C, M)
    w_project : numpy.ndarray of float32, shape (C*M, Cout) or (1, 1, C*M, Cout)
    bias_expand : numpy.ndarray of float32, shape (C,), optional
    bias_depthwise : numpy.ndarray of float32, shape (C*M,), optional
    bias : numpy.ndarray of float32, shape (Cout,), optional
        Of the projection.
    stride, padding, dilation
        Of the depthwise convolution, as for `DepthwiseConv2D`. Padding counts as zeros after the
        expansion and its activation.
    expand_activation, depthwise_activation, activation : str or tuple, optional
        After each of the three convolutions, as for `DepthwiseConv2D`.

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
        "w_expand",
        "w_depthwise",
        "w_project",
        "bias_expand",
        "bias_depthwise",
        "bias",
        "stride",
        "padding",
        "dilation",
        "expand_activation",
        "depthwise_activation",
        "activation",
    )

    def __new__(
        cls,
        w_expand: Array,
        w_depthwise: Array,
        w_project: Array,
        bias_expand: Array | None = None,
        bias_depthwise: Array | None = None,
        bias: Array | None = None,
        *,
        stride: IntOrPair = 1,
        padding: Padding = "same",
        dilation: IntOrPair = 1,
        expand_activation: Activation = None,
        depthwise_activation: Activation = None,
        activation: Activation = None,
    ) -> Self:
        values = _frozen(
            _arguments.inverted_residual(
                w_expand,
                w_depthwise,
                w_project,
                bias_expand,
                bias_depthwise,
                bias,
                stride,
                padding,
                dilation,
                expand_activation,
                depthwise_activation,
                activation,
            )
        )
        return super().__new__(cls, *values)._keep(values)


class Conv2D(_core.Conv2D, _Layer):
    """Standard convolution, in groups of channels if wanted.

    ``y[n, i, j, o] = activation(sum over p, q, c of x[n, i*sh + p*dh - top, j*sw + q*dw - left, c]
    * w[p, q, c, o] + bias[o] + residual[n, i, j, o])``; with groups, output channel ``o`` sees the
    ``Cin / groups`` input channels of its group only.

    Parameters
    ----------
    w : numpy.ndarray of float32, shape (KH, KW, Cin / groups, Cout)
        Filters, in any memory layout.
    bias : numpy.ndarray of float32, shape (Cout,), optional
    stride, padding, dilation
        As for `DepthwiseConv2D`.
    groups : int, default 1
        A divisor of Cin and Cout.
    activation : str or tuple, optional
        As for `DepthwiseConv2D`.

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
    _names = ("w", "bias", "stride", "padding", "dilation", "groups", "activation")

    def __new__(
        cls,
        w: Array,
        bias: Array | None = None,
        *,
        stride: IntOrPair = 1,
        padding: Padding = "same",
        dilation: IntOrPair = 1,
        groups: int = 1,
        activation: Activation = None,
    ) -> Self:
        values = _frozen(
            _arguments.standard(w, bias, stride, padding, dilation, groups, activation)
        )
        return super().__new__(cls, *values)._keep(values)
