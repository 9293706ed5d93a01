"""What the classes in `layers` share: arguments, explanations, pickling, immutability."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar, cast

import numpy as np

from . import _core
from ._plan import Plan

if TYPE_CHECKING:
    from typing_extensions import Self

    Shape = tuple[int, ...]

Values = TypeVar("Values", bound=tuple[Any, ...])


def frozen(values: Values) -> Values:
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


class Immutable:
    """What objects share that are made of arguments and never change: copies, pickles, a repr."""

    __slots__ = ()

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The constructor's arguments by name, arrays read-only; makes the same layer again."""
        raise NotImplementedError

    def _shown(self) -> str:
        parts = []
        for name, value in self.arguments.items():
            if isinstance(value, np.ndarray):
                parts.append(f"{name}: {value.shape}")
            elif value is not None:
                parts.append(f"{name}={value!r}")
        return ", ".join(parts)

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


class Layer(Immutable, _core.Layer):
    """What all layers share; calling is inherited from the class of the core."""

    __slots__ = ()

    _names: ClassVar[tuple[str, ...]]
    _values: tuple[Any, ...]

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The constructor's arguments by name, arrays read-only; makes the same layer again."""
        return MappingProxyType(dict(zip(self._names, self._values, strict=True)))

    def explain(self, x_shape: Shape | None = None, num_threads: int | None = None) -> Plan:
        """Return the plan of a call without running it.

        Parameters
        ----------
        x_shape : tuple of int, optional
            Shape of the input, (H, W, C) or (N, H, W, C). By default an image of 56 x 56 pixels,
            or more where the window is larger.
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
        x_shape = self._usual_shape() if x_shape is None else x_shape
        plan = self.plan(x_shape, num_threads)
        quantization = self.arguments.get("quantization")
        dtype = "float32" if quantization is None else quantization.dtype
        output = self.output_shape(x_shape)
        return Plan(type(self).__name__, tuple(x_shape), output, plan, dtype)

    def _usual_shape(self) -> Shape:
        """Return the shape of 56 x 56 pixels, or more where the window is larger."""
        windows = [v.shape[:2] for v in self._values if isinstance(v, np.ndarray) and v.ndim == 4]
        (kh, kw), (dh, dw) = (
            windows[0] if windows else (1, 1),
            self.arguments.get("dilation", (1, 1)),
        )
        return max(56, (kh - 1) * dh + 1), max(56, (kw - 1) * dw + 1), self.channels

    def _usual_kernel(self, rows: int | None = None) -> str:
        """Return the kernel for an image of the usual shape, or of that many rows of it."""
        h, w, channels = self._usual_shape()
        try:
            return self.plan((rows or h, w, channels))["kernel"]
        except ValueError:  # so large a window that the image would not fit 64 bits
            return "unknown"

    def _keep(self, values: tuple[Any, ...]) -> Self:
        """Take the arguments that the layer was made of, once, and return the layer."""
        object.__setattr__(self, "_values", values)
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shown()}, kernel={self._usual_kernel()!r})"
