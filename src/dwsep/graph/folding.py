"""The values of nodes whose inputs are known, found by the core: it defines what nodes mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dwsep import _core

from ..errors import ShapeError
from .ir import AnyArray, Node, Quantization, dtype_of
from .lowering import add_step
from .ops import OPS
from .sizes import Shape, is_open

__all__ = ["cost", "foldable", "value_of"]


def foldable(node: Node, inputs: Sequence[AnyArray], *, channels_last: bool) -> bool:
    """Return whether `value_of` finds the value of a node for these inputs."""
    spec = OPS[node.kind]
    if not spec.folds or (spec.image and not channels_last):
        return False
    if any(isinstance(v, tuple) and any(map(is_open, v)) for v in node.attributes.values()):
        return False
    if spec.integer and node.attributes.get("to") is not None:
        return False  # arrays say nothing of scales
    return all(array.ndim <= spec.most_axes for array in inputs)


def cost(node: Node, input_shapes: Sequence[Shape]) -> int:
    """Estimate how many multiplications or moves the value of a node takes."""
    return OPS[node.kind].cost(node, input_shapes)


def value_of(
    node: Node, inputs: Sequence[AnyArray], meanings: Sequence[Quantization] | None = None
) -> AnyArray:
    """Compute a node by itself, on one thread.

    Parameters
    ----------
    node : Node
        One that is `foldable`; images are NHWC.
    inputs : sequence of ndarray
        Of types and shapes for which `infer` has found the type of the node.
    meanings : sequence of Quantization, optional
        What inputs that are all integers stand for.

    Raises
    ------
    ShapeError
        If an input is empty; values have one element at least.
    ValueError
        If the core refuses the node.
    """
    if node.kind == "concat":
        inputs = [array for array in inputs if array.size]
    if any(array.size == 0 for array in inputs):
        raise ShapeError(f"{node.kind} {node.name or node.output!r}: an input is empty")
    builder = _core.NetworkBuilder()
    types = [dtype_of(array) for array in inputs]
    cores = [None] * len(inputs) if meanings is None else [meaning.core for meaning in meanings]
    numbers = [
        builder.input(str(i), array.shape, type_.value, core)
        for i, (array, type_, core) in enumerate(zip(inputs, types, cores, strict=True))
    ]
    builder.output("y", add_step(builder, node, numbers))
    arrays = [np.asarray(array, t.numpy, order="C") for array, t in zip(inputs, types, strict=True)]
    (result,) = builder.finish().run(arrays, 1)
    return result
