"""The networks of one file, and what their inputs and outputs are called and hold.

Most sizes that a file leaves open are one network's, some need another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._record import Record

if TYPE_CHECKING:
    from . import _core
    from ._core import _ValueInfo
    from .quantization import Quantization

    Shapes = Sequence[Sequence[int]]

MOST = 8  # networks that are kept


class Memory(Record):
    """What a model holds between two calls.

    Attributes
    ----------
    weights : int
        Bytes of all weights, as they are packed. Models of one file share them.
    plans : int
        How many plans are kept for the next calls with such shapes: up to eight for each network of
        the file, which together take up to 256 MB.
    arenas : int
        Bytes that the plans have for values between the steps, and for scratch. What calls use that
        run now comes on top.
    """

    weights: int
    plans: int
    arenas: int


class Networks:
    """Finds the network for a call.

    Parameters
    ----------
    first : Network
    remade : callable, optional
        Makes a network for inputs of other shapes, which the first does not admit.
    """

    def __init__(
        self, first: _core.Network, remade: Callable[[Shapes], _core.Network] | None = None
    ) -> None:
        self.first = first
        self._remade = remade
        self._all: tuple[_core.Network, ...] = (first,)  # the last used first

    @property
    def is_single(self) -> bool:
        """Whether the first network serves all sizes."""
        return self._remade is None

    def of(self, arrays: Sequence[Any]) -> _core.Network:
        """Return the network for inputs like these."""
        if self._remade is None:
            return self.first
        return self.of_shapes([np.shape(array) for array in arrays])

    def of_shapes(self, shapes: Shapes) -> _core.Network:
        """Return the network for inputs of these shapes; of unfit ones the first, which says so."""
        if self._remade is None:
            return self.first
        known = self._all
        try:
            for network in known:
                if network.admits(shapes):
                    if network is not known[0]:
                        self._put(network)
                    return network
        except ValueError:  # other sizes than open ones are wrong
            return self.first
        try:
            network = self._remade(shapes)
        except ValueError as error:
            sizes = ", ".join(str(tuple(shape)) for shape in shapes)
            raise ValueError(f"inputs: shapes {sizes}: {error}") from None
        if not network.admits(shapes):
            return self.first
        self._put(network)
        return network

    def memory(self) -> Memory:
        """Return what the networks hold between two calls."""
        plans = [plan for network in self._all for plan in network.plans()]
        weights = max(network.weight_bytes for network in self._all)
        return Memory(weights, len(plans), sum(size for _, size in plans))

    def trim(self) -> None:
        """Delete all plans."""
        for network in self._all:
            network.trim()

    def _put(self, network: _core.Network) -> None:
        others = [n for n in self._all if n is not network]
        self._all = (network, *others[: MOST - 1])

    def __iter__(self) -> Iterator[_core.Network]:
        return iter(self._all)


# The keys of what the metadata of few networks say of these: `_metadata` reads it.
STATES_AND_LENGTHS = frozenset({"states", "lengths"})


class ValueInfo(Record):
    """An input or output of a network.

    Attributes
    ----------
    name : str
    shape : tuple of int or None
        None is a size that the call decides.
    dtype : str
        NumPy's name of the data type.
    quantization : Quantization or None
        Of int8 and uint8 that stand for real numbers: ``info.quantization.quantize(x)`` is what
        goes in. None for all else.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"
    quantization: Quantization | None = None


def infos(values: Iterable[_ValueInfo]) -> tuple[ValueInfo, ...]:
    return tuple(
        ValueInfo(
            name,
            tuple(None if n == -1 else n for n in shape),
            dtype,
            _quantization(dtype, quantization),
        )
        for name, shape, dtype, quantization in values
    )


def shape_text(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("N" if size is None else str(size) for size in shape) + ")"


def _quantization(
    dtype: str, core: tuple[Sequence[float], Sequence[int], int] | None
) -> Quantization | None:
    """Return scales and zero points of the core, of an array's axis or (-1) of all of it."""
    if core is None or dtype not in ("int8", "uint8"):
        return None
    from .quantization import Quantization

    scales, zeros, axis = core
    kind: Any = dtype
    return (
        Quantization(scales[0], zeros[0], kind) if axis < 0 else Quantization(scales, zeros, kind)
    )
