"""Constants of a file as the importers of operators take them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ..importing.builder import Builder
from ..importing.values import Known, as_float32
from .parts import Subgraph, Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray


def constants_of(graph: Subgraph, builder: Builder, used: Collection[str]) -> dict[str, Known]:
    """Return the constants of a graph that are used."""
    return {
        name: Known(_constant(tensor, builder), name)
        for name, tensor in graph.tensors.items()
        if tensor.data is not None and name in used
    }


def _constant(tensor: Tensor, builder: Builder) -> NDArray[Any]:
    if tensor.sparsity is not None:
        from .densify import dense_array

        return dense_array(tensor, *tensor.sparsity)
    array = tensor.array()
    if tensor.stored != tensor.type:
        builder.charge(array.shape)
        array = as_float32(array)
    return array
