"""Counts what papers count: parameters, and multiply-adds for one image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._checks import shown
from ._writer import import_onnx

if TYPE_CHECKING:
    import onnx


@dataclass(frozen=True)
class Count:
    """The size of a network.

    Attributes
    ----------
    parameters : int
        Numbers that training would learn: weights, biases, scales and shifts of norms.
    macs : int
        Multiplications with addition of all convolutions and matrix products, at batch 1.
    """

    parameters: int
    macs: int


def count(model: onnx.ModelProto) -> Count:
    """Count the parameters and multiply-adds of an ONNX network.

    Parameters
    ----------
    model : onnx.ModelProto
        Its inputs may leave the first axis open (counted as 1), no other.

    Returns
    -------
    Count
        Without the running statistics of batch norms and without single numbers, which are not
        learnt. Arithmetic other than convolutions and matrix products is not counted, as is usual.

    Raises
    ------
    ImportError
        If the package onnx is missing.
    TypeError
        If the model is none.
    ValueError
        If the shape of a value that is needed cannot be inferred.
    """
    onnx = import_onnx()
    if not isinstance(model, onnx.ModelProto):
        raise TypeError(f"model: need an onnx.ModelProto, got {shown(model)}")
    shapes = _shapes(onnx, model)
    statistics = {
        name
        for node in model.graph.node
        if node.op_type == "BatchNormalization"
        for name in node.input[3:5]
    }
    floats = (1, 10, 11, 16)  # TensorProto's float32, float16, float64, bfloat16
    parameters = sum(
        math.prod(tensor.dims)
        for tensor in model.graph.initializer
        if tensor.dims and tensor.data_type in floats and tensor.name not in statistics
    )
    return Count(parameters, sum(_macs(node, shapes) for node in model.graph.node))


class _Shapes(dict[str, tuple[int, ...]]):
    def __missing__(self, name: str) -> tuple[int, ...]:
        raise ValueError(f"model: need the shape of every value, got none for {name!r}")


def _shapes(onnx: Any, model: onnx.ModelProto) -> _Shapes:
    single = onnx.ModelProto()
    single.CopyFrom(model)
    for value in [*single.graph.input, *single.graph.output]:
        dims = value.type.tensor_type.shape.dim
        if dims and not dims[0].HasField("dim_value"):
            dims[0].dim_value = 1
    graph = onnx.shape_inference.infer_shapes(single, data_prop=True).graph
    shapes = _Shapes({t.name: tuple(t.dims) for t in graph.initializer})
    for value in [*graph.input, *graph.value_info, *graph.output]:
        dims = value.type.tensor_type.shape.dim
        if all(d.HasField("dim_value") for d in dims):
            shapes[value.name] = tuple(d.dim_value for d in dims)
    return shapes


def _macs(node: onnx.NodeProto, shapes: _Shapes) -> int:
    """Return outputs times terms of each sum; a transposed convolution goes the other way."""
    if node.op_type == "Conv":
        return math.prod(shapes[node.output[0]]) * math.prod(shapes[node.input[1]][1:])
    if node.op_type == "ConvTranspose":
        return math.prod(shapes[node.input[0]]) * math.prod(shapes[node.input[1]][1:])
    if node.op_type == "MatMul":
        return math.prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]
    if node.op_type == "Gemm":
        transposed = any(a.name == "transA" and a.i for a in node.attribute)
        return math.prod(shapes[node.output[0]]) * shapes[node.input[0]][0 if transposed else -1]
    return 0
