"""What layers of sequences share: a layer of images, called with their rows."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from .._layer import Immutable
from .._plan import Plan
from ._rows import image_of, image_shape, sequence_shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._arguments import Array
    from ._rows import Shape

__all__ = ["Layer1D"]


class Layer1D(Immutable):
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
        of = self._arguments.get
        image = image_of(x, "x", of("x_quantization"))
        arrays: dict[str, Any] = {}
        if residual is not None:
            arrays["residual"] = image_of(residual, "residual", of("residual_quantization"))
        if out is not None:
            arrays["out"] = image_of(out, "out", of("quantization"))
        try:
            y = self._layer(image, num_threads=num_threads, **arrays)
        except ValueError as error:
            raise self._refusal(error, sequence_shape(image.shape), arrays) from None
        except TypeError as e:
            raise TypeError(str(e).replace("Conv2D(", "Conv1D(")) from None
        return y[..., 0, :, :] if out is None else out

    def _refusal(
        self, error: ValueError, x_shape: Shape, arrays: dict[str, Any], name: str = "x"
    ) -> ValueError:
        """Return why the layer of images has refused, with the shapes of sequences."""
        c = self.channels
        if x_shape[-1] != c:
            return ValueError(f"{name}: need shape (W, {c}) or (N, W, {c}), got {x_shape}")
        for other, array in arrays.items():
            try:
                wanted, got = self.output_shape(x_shape), sequence_shape(array.shape)
            except ValueError as no_output:
                return no_output
            if got != wanted:
                return ValueError(f"{other}: need the output's shape {wanted}, got {got}")
        return error

    def output_shape(self, x_shape: Shape) -> Shape:
        """Return the shape of the result for an input of shape (W, C) or (N, W, C)."""
        image = image_shape(x_shape)
        try:
            return sequence_shape(self._layer.output_shape(image))
        except ValueError as error:
            raise self._refusal(error, tuple(x_shape), {}, "x_shape") from None

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
