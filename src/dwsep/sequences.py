"""Convolutions of sequences, (W, C) or (N, W, C): those of images of one row.

Layers and functions have the semantics of their namesakes in `dwsep.layers` and
`dwsep.functional`, and run on the same kernels; nothing is copied on the way. Strides, dilations
and paddings are numbers of steps along W. Padding "causal" puts all of it in front, so that an
output sees no input behind it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ._arguments import PADDINGS, integer, kind_of, shown
from ._foreign import as_array
from ._layer import Immutable
from ._plan import Plan
from .layers import Conv2D, DepthwiseConv2D, SeparableConv2D

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._arguments import Activation, Array, CanonicalPadding

    Padding = str | int | Sequence[int]
    Shape = tuple[int, ...]

__all__ = [
    "Conv1D",
    "DepthwiseConv1D",
    "SeparableConv1D",
    "conv1d",
    "depthwise_conv1d",
    "separable_conv1d",
]


class _Layer1D(Immutable):
    """A layer of images of one row, called with sequences; immutable, as all layers."""

    __slots__ = ("__weakref__", "_arguments", "_layer")
    _arguments: dict[str, Any]
    _layer: Any

    def __init__(self, layer: Any, arguments: dict[str, Any]) -> None:
        # Arrays are those that the layer of images has copied, without their row.
        for name, value in layer.arguments.items():
            if isinstance(arguments.get(name), np.ndarray):
                arguments[name] = value[0] if value.ndim > 2 else value
        object.__setattr__(self, "_layer", layer)
        object.__setattr__(self, "_arguments", arguments)

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The constructor's arguments by name, arrays read-only; makes the same layer again."""
        return MappingProxyType(self._arguments)

    @property
    def channels(self) -> int:
        """How many channels an input has."""
        return int(self._layer.channels)

    def __call__(
        self,
        x: Array,
        residual: Array | None = None,
        *,
        out: Array | None = None,
        num_threads: int | None = None,
    ) -> Array:
        """Return ``activation(convolution(x) + bias + residual)``.

        Parameters
        ----------
        x : numpy.ndarray of float32, shape (W, C) or (N, W, C)
        residual : numpy.ndarray of float32, optional
            Array of the result's shape to add before the activation; not for `DepthwiseConv1D`.
        out : numpy.ndarray of float32, optional
            Writeable array of the result's shape to write to and return.
        num_threads : int, optional
            Threads of this call, instead of `get_num_threads()`.
        """
        arrays: dict[str, Any] = {}
        if residual is not None:
            arrays["residual"] = _image(residual, "residual")
        if out is not None:
            arrays["out"] = _image(out, "out")
        y = self._layer(_image(x, "x"), num_threads=num_threads, **arrays)
        return y[..., 0, :, :] if out is None else out

    def output_shape(self, x_shape: Shape) -> Shape:
        """Return the shape of the result for an input of shape (W, C) or (N, W, C)."""
        shape = self._layer.output_shape(_image_shape(x_shape))
        return (*shape[:-3], *shape[-2:])

    def explain(self, x_shape: Shape, num_threads: int | None = None) -> Plan:
        """Return the plan of a call without running it, see `DepthwiseConv2D.explain`."""
        image = _image_shape(x_shape)
        plan = self._layer.plan(image, num_threads)
        return Plan(type(self).__name__, tuple(x_shape), self.output_shape(x_shape), plan)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shown()})"


class DepthwiseConv1D(_Layer1D):
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
    ) -> None:
        filters = _filters(weight, "weight", (2, 3), "(K, C) or (K, C, M)")
        geometry = _geometry(filters.shape[1], stride, padding, dilation)
        layer = DepthwiseConv2D(filters, bias, **geometry, activation=activation)
        arguments = {"weight": filters, "bias": bias, "stride": stride, "padding": padding}
        super().__init__(layer, {**arguments, "dilation": dilation, "activation": activation})


class SeparableConv1D(_Layer1D):
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
    ) -> None:
        filters = _filters(depthwise_weight, "depthwise_weight", (2, 3), "(K, C) or (K, C, M)")
        matrix = _array(weight, "weight", (2, 3), "(C*M, Cout) or (1, C*M, Cout)")
        matrix = matrix if matrix.ndim == 2 else matrix[np.newaxis]
        geometry = _geometry(filters.shape[1], stride, padding, dilation)
        layer = SeparableConv2D(
            filters,
            matrix,
            depthwise_bias,
            bias,
            **geometry,
            depthwise_activation=depthwise_activation,
            activation=activation,
        )
        arguments = {
            "depthwise_weight": filters,
            "weight": matrix,
            "depthwise_bias": depthwise_bias,
            "bias": bias,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "depthwise_activation": depthwise_activation,
            "activation": activation,
        }
        super().__init__(layer, arguments)


class Conv1D(_Layer1D):
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
    ) -> None:
        filters = _filters(weight, "weight", (3,), "(K, Cin / groups, Cout)")
        geometry = _geometry(filters.shape[1], stride, padding, dilation)
        layer = Conv2D(filters, bias, **geometry, groups=groups, activation=activation)
        arguments = {"weight": filters, "bias": bias, "stride": stride, "padding": padding}
        more = {"dilation": dilation, "groups": groups, "activation": activation}
        super().__init__(layer, arguments | more)


def depthwise_conv1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Any,
) -> Array:
    """Convolve each channel of sequences with its own filters, as a `DepthwiseConv1D` does.

    Parameters
    ----------
    x : numpy.ndarray of float32, shape (W, C) or (N, W, C)
    weight : numpy.ndarray of float32, shape (K, C) or (K, C, M)
    bias : numpy.ndarray of float32, shape (C*M,), optional
    out, num_threads : optional
        As for `depthwise_conv2d`.
    **options
        `stride`, `padding`, `dilation` and `activation` of `DepthwiseConv1D`.

    Examples
    --------
    >>> import numpy as np
    >>> import dwsep
    >>> x = np.arange(6, dtype=np.float32).reshape(6, 1)
    >>> dwsep.depthwise_conv1d(x, np.ones((3, 1), np.float32), padding="causal").ravel()
    array([ 0.,  1.,  3.,  6.,  9., 12.], dtype=float32)
    """
    return DepthwiseConv1D(weight, bias, **options)(x, out=out, num_threads=num_threads)


def separable_conv1d(
    x: Array,
    depthwise_weight: Array,
    weight: Array,
    depthwise_bias: Array | None = None,
    bias: Array | None = None,
    *,
    residual: Array | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Any,
) -> Array:
    """Convolve sequences depthwise, then pointwise, as a `SeparableConv1D` does.

    Parameters
    ----------
    x : numpy.ndarray of float32, shape (W, C) or (N, W, C)
    depthwise_weight, weight, depthwise_bias, bias
        As for `SeparableConv1D`.
    residual, out, num_threads : optional
        As for `separable_conv2d`.
    **options
        `stride`, `padding`, `dilation`, `depthwise_activation` and `activation`.
    """
    layer = SeparableConv1D(depthwise_weight, weight, depthwise_bias, bias, **options)
    return layer(x, residual, out=out, num_threads=num_threads)


def conv1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    residual: Array | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Any,
) -> Array:
    """Convolve sequences, as a `Conv1D` does.

    Parameters
    ----------
    x : numpy.ndarray of float32, shape (W, Cin) or (N, W, Cin)
    weight : numpy.ndarray of float32, shape (K, Cin / groups, Cout)
    bias : numpy.ndarray of float32, shape (Cout,), optional
    residual, out, num_threads : optional
        As for `conv2d`.
    **options
        `stride`, `padding`, `dilation`, `groups` and `activation` of `Conv1D`.
    """
    layer = Conv1D(weight, bias, **options)
    return layer(x, residual, out=out, num_threads=num_threads)


def _array(value: object, name: str, axes: tuple[int, ...], wanted: str) -> Any:
    """Return an array with one of these numbers of axes; the layer of images checks the rest."""
    array = as_array(value, name)
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name}: need a numpy.ndarray of native float32, got {kind_of(value)}")
    if array.ndim not in axes:
        raise ValueError(f"{name}: need shape {wanted}, got {array.shape}")
    return array


def _image(value: object, name: str) -> Any:
    """Return a sequence as an image of one row, without a copy."""
    array = _array(value, name, (2, 3), "(W, C) or (N, W, C)")
    return array[..., np.newaxis, :, :]


def _filters(value: object, name: str, axes: tuple[int, ...], wanted: str) -> Any:
    """Return filters with a row."""
    return _array(value, name, axes, wanted)[np.newaxis]


def _image_shape(x_shape: Shape) -> Shape:
    if not isinstance(x_shape, (tuple, list)) or len(x_shape) not in (2, 3):
        raise ValueError(f"x_shape: need 2 or 3 sizes, got {shown(x_shape)}")
    return (*x_shape[:-2], 1, *x_shape[-2:])


def _geometry(kernel: int, stride: object, padding: object, dilation: object) -> dict[str, Any]:
    """Return the options of the layer of images."""
    step = integer(dilation, "dilation", 1)
    return {
        "stride": (1, integer(stride, "stride", 1)),
        "padding": _padding(padding, (kernel - 1) * step),
        "dilation": (1, step),
    }


def _padding(padding: object, reach: int) -> CanonicalPadding:
    wanted = "'same', 'same_lower', 'valid', 'causal', an int or (left, right)"
    if isinstance(padding, str):
        if padding == "causal":
            return (0, 0), (reach, 0)
        if padding in PADDINGS:
            return str(padding)
        raise ValueError(f"padding: need {wanted}, got {padding!r}")
    if isinstance(padding, (tuple, list)):
        if len(padding) != 2:
            raise ValueError(f"padding: need {wanted}, got {shown(padding)}")
        left, right = (integer(n, "padding", 0, wanted, padding) for n in padding)
        return (0, 0), (left, right)
    both = integer(padding, "padding", 0, wanted)
    return (0, 0), (both, both)
