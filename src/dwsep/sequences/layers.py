"""Layers of sequences, each of which has a layer of images."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from .._layer import Immutable
from .._plan import Plan
from ..layers import Conv2D, DepthwiseConv2D, SeparableConv2D
from ._rows import array_of, filters_of, geometry_of, image_of, image_shape, sequence_shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._arguments import Activation, Array
    from ..quantization import Quantization
    from ._rows import Padding, Shape

__all__ = ["Conv1D", "DepthwiseConv1D", "SeparableConv1D"]


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
        x : numpy.ndarray of float32, int8 or uint8, shape (W, C) or (N, W, C)
        residual : numpy.ndarray, optional
            Array of the result's shape to add before the activation; not for `DepthwiseConv1D`.
        out : numpy.ndarray, optional
            Writeable array of the result's shape to write to and return.
        num_threads : int, optional
            Threads of this call, instead of `get_num_threads()`.
        """
        image = image_of(x, "x")
        arrays: dict[str, Any] = {}
        if residual is not None:
            arrays["residual"] = image_of(residual, "residual")
        if out is not None:
            arrays["out"] = image_of(out, "out")
        try:
            y = self._layer(image, num_threads=num_threads, **arrays)
        except ValueError:
            self._check_shapes(sequence_shape(image.shape), arrays)
            raise
        except TypeError as e:
            raise TypeError(str(e).replace("Conv2D(", "Conv1D(")) from None
        return y[..., 0, :, :] if out is None else out

    def _check_shapes(self, x_shape: Shape, arrays: dict[str, Any], name: str = "x") -> None:
        """Refuse what the layer of images has refused, with the shapes of sequences."""
        c = self.channels
        if x_shape[-1] != c:
            raise ValueError(f"{name}: need shape (W, {c}) or (N, W, {c}), got {x_shape}")
        for other, array in arrays.items():
            wanted, got = self.output_shape(x_shape), sequence_shape(array.shape)
            if got != wanted:
                raise ValueError(f"{other}: need the output's shape {wanted}, got {got}")

    def output_shape(self, x_shape: Shape) -> Shape:
        """Return the shape of the result for an input of shape (W, C) or (N, W, C)."""
        image = image_shape(x_shape)
        try:
            return sequence_shape(self._layer.output_shape(image))
        except ValueError:
            self._check_shapes(tuple(x_shape), {}, "x_shape")
            raise

    def explain(self, x_shape: Shape | None = None, num_threads: int | None = None) -> Plan:
        """Return the plan of a call without running it, see `DepthwiseConv2D.explain`."""
        x_shape = self._layer._usual_shape()[1:] if x_shape is None else x_shape
        output = self.output_shape(x_shape)
        plan = self._layer.plan(image_shape(x_shape), num_threads)
        quantization = self._arguments["quantization"]
        dtype = "float32" if quantization is None else quantization.dtype
        return Plan(type(self).__name__, tuple(x_shape), output, plan, dtype)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shown()}, kernel={self._layer._usual_kernel(1)!r})"


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
        filters = filters_of(weight, "weight", (2, 3), "(K, C) or (K, C, M)")
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
        filters = filters_of(depthwise_weight, "depthwise_weight", (2, 3), "(K, C) or (K, C, M)")
        matrix = array_of(weight, "weight", (2, 3), "(C*M, Cout) or (1, C*M, Cout)")
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
        filters = filters_of(weight, "weight", (3,), "(K, Cin / groups, Cout)")
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
