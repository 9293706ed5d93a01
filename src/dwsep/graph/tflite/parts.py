"""What a model consists of, as it was read."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._core import FlatBuffer
from ...errors import InvalidModelError
from ..importing.node import FileNode
from .schema import MODEL, TYPES, Fields

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

# Data classes take 0.2 ms each to make, which is much of the time in which small files load.


class Content:
    """The bytes of a file, and its tables, each a tuple of what `schema` lists.

    The core reads tables: each distance is checked before it is followed.
    """

    def __init__(self, data: memoryview) -> None:
        self.data = data
        flat = FlatBuffer(data)
        self.row: Callable[[int, Fields], tuple[Any, ...]] = flat.row
        self.codes, self.graphs, self.buffers, self.signatures = flat.row(flat.root(), MODEL)

    def numbers(self, vector: tuple[int, int], dtype: DTypeLike) -> NDArray[Any]:
        """Return a vector of numbers as a view of the file."""
        first, count = vector
        return np.frombuffer(self.data, dtype, count, first) if count else np.empty(0, dtype)


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
    sparsity : (Content, tuple) or None
        Where it was read, and its row.

    `stored` is the type that `data` has: float16 of some float32.
    """

    __slots__ = ("data", "declared", "name", "quantization", "shape", "sparsity", "stored", "type")

    def __init__(
        self,
        name: str,
        shape: tuple[int, ...],
        declared: tuple[int, ...],
        type_: str,
        data: NDArray[np.uint8] | None,
        quantization: Quantization | None,
        sparsity: tuple[Content, Any] | None,
    ) -> None:
        self.name, self.shape, self.declared, self.type = name, shape, declared, type_
        self.data, self.quantization, self.sparsity = data, quantization, sparsity
        self.stored = type_

    def array(self) -> NDArray[Any]:
        """Return the constant that a tensor is, as it is stored."""
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
        if self.stored not in TYPES:
            raise InvalidModelError(f"tensor {self.name!r} is {self.stored}")
        dtype = np.dtype(self.stored)
        if self.data.size % dtype.itemsize:
            raise InvalidModelError(
                f"tensor {self.name!r}: {self.data.size} bytes are no {self.stored} numbers"
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
