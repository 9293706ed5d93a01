"""What a model consists of, as it was read."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InvalidModelError
from ..importing.node import FileNode
from .schema import TYPES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .flatbuffer import Table

# Data classes take 0.2 ms each to make, which is much of the time in which small files load.


class Quantization:
    """real = scale * (stored - zero_point), for the tensor or for each index along an axis."""

    __slots__ = ("axis", "scale", "zero_point")

    def __init__(
        self, scale: NDArray[np.float32], zero_point: NDArray[np.int64], axis: int
    ) -> None:
        self.scale, self.zero_point, self.axis = scale, zero_point, axis


class Tensor:
    """A tensor of the file; the arguments are what it has.

    Parameters
    ----------
    name : str
        A unique one.
    shape : tuple of int
        -1 where the file leaves a size open.
    declared : tuple of int
        The shape with a number there, 1 as a rule.
    type : str
    data : ndarray of uint8, or None
        None for what the network computes.
    quantization : Quantization or None
    sparsity : Table or None
    """

    __slots__ = ("data", "declared", "name", "quantization", "shape", "sparsity", "type")

    def __init__(
        self,
        name: str,
        shape: tuple[int, ...],
        declared: tuple[int, ...],
        type_: str,
        data: NDArray[np.uint8] | None,
        quantization: Quantization | None,
        sparsity: Table | None,
    ) -> None:
        self.name, self.shape, self.declared, self.type = name, shape, declared, type_
        self.data, self.quantization, self.sparsity = data, quantization, sparsity

    def array(self) -> NDArray[Any]:
        """Return the constant that a tensor is."""
        if self.data is None or self.sparsity is not None:
            raise InvalidModelError(f"tensor {self.name!r} is no dense constant")
        elements = self.elements()
        if math.prod(self.declared) != elements.size:
            raise InvalidModelError(
                f"tensor {self.name!r}: need {math.prod(self.declared)} elements for the shape "
                f"{self.declared}, got {elements.size}"
            )
        return elements.reshape(self.declared)

    def elements(self) -> NDArray[Any]:
        """Return what is stored of a constant, all of it or what is not zero."""
        assert self.data is not None
        if self.type not in TYPES:
            raise InvalidModelError(f"tensor {self.name!r} is {self.type}")
        dtype = np.dtype(self.type)
        if self.data.size % dtype.itemsize:
            raise InvalidModelError(
                f"tensor {self.name!r}: {self.data.size} bytes are no {self.type} numbers"
            )
        return self.data.view(dtype)


class Subgraph:
    """What operators refer to: a branch, or what initializes variables."""

    __slots__ = ("inputs", "nodes", "outputs", "tensors")

    def __init__(
        self,
        tensors: dict[str, Tensor],
        inputs: list[str],
        outputs: list[str],
        nodes: list[FileNode],
    ) -> None:
        self.tensors, self.nodes = tensors, nodes
        self.inputs, self.outputs = inputs, outputs


class File(Subgraph):
    """A model as it was read: one subgraph; `others` gives those that operators name by numbers.

    `name` is for messages, `network` what the file calls the network.
    """

    __slots__ = ("name", "network", "others")

    def __init__(
        self,
        name: str,
        network: str,
        graph: Subgraph,
        others: Callable[[int], Subgraph],
    ) -> None:
        super().__init__(graph.tensors, graph.inputs, graph.outputs, graph.nodes)
        self.name, self.network, self.others = name, network, others
