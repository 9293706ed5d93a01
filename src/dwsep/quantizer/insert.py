"""Writes integers into a graph: conversions around what is stored, and weights on their grid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.ir import Array, Graph, Node, Quantization, TensorType
from ..graph.ops import OPS
from ..graph.replaced import replaced
from .places import Places

__all__ = [
    "Inserted",
    "copied",
    "grid_bias",
    "grid_weight",
    "insert",
    "weight_scales",
    "with_integer_inputs",
]

_MOST_BIAS = 2.0**30  # of the products' units: half of what int32 holds, the other half for sums


@dataclass(frozen=True)
class Inserted:
    """A graph with rounded values and weights.

    Attributes
    ----------
    graph : Graph
    units : dict of str to ndarray
        By the names of steps' values: what one of products of input and weights stands for, for
        each output channel.
    """

    graph: Graph
    units: dict[str, NDArray[np.float32]]


def copied(graph: Graph) -> Graph:
    """Return a graph whose nodes may be rewritten; weights and constants are shared."""
    return replaced(
        graph,
        inputs=[*graph.inputs],
        outputs=[*graph.outputs],
        nodes=[replaced(n, inputs=[*n.inputs], weights={**n.weights}) for n in graph.nodes],
        constants={**graph.constants},
        types={**graph.types},
        states={**graph.states},
    )


def insert(
    graph: Graph,
    places: Places,
    quantizations: Mapping[str, Quantization],
    *,
    per_channel: bool = True,
) -> Inserted:
    """Return a graph in which values are rounded to integers where they are stored.

    Parameters
    ----------
    graph : Graph
        As `simplify` leaves it.
    places : Places
    quantizations : mapping of str to Quantization
        Of each value in `places.stored`.
    per_channel : bool
        Whether weights have a scale for each output channel.
    """
    units: dict[str, NDArray[np.float32]] = {}
    result = copied(graph)
    result.nodes = []
    stored: dict[str, str] = {}  # by values, what their readers read
    for name in (*graph.inputs, *graph.constants):
        if name in places.stored:
            stored[name] = _round(result, name, name, quantizations[name])
    for node in graph.nodes:
        node = replaced(node, inputs=[stored.get(v, v) for v in node.inputs])
        if node.output in places.steps:
            x = quantizations[_rounded(graph, places, node.output)]
            x_scale = _x_scales(node, x)
            scales = weight_scales(node, x_scale, node.weights.get("bias"), per_channel)
            units[node.output] = (x_scale * scales).astype(np.float32)
            node.weights = _weights(node, scales, units[node.output])
        elif node.output in places.gates:
            node.weights = _bytes(node, per_channel)
        result.nodes.append(node)
        if node.output in places.stored:
            name = node.name or node.output
            stored[node.output] = _round(result, node.output, name, quantizations[node.output])
    return Inserted(result, units)


def with_integer_inputs(graph: Graph) -> Graph:
    """Return a graph that takes the integers of inputs that are rounded first."""
    result, readers = copied(graph), graph.users()
    for name in graph.inputs:
        first = [node for node in readers.get(name, []) if name not in graph.outputs]
        if [node.kind for node in first] != ["quantize"]:
            continue
        integers = first[0].output
        result.types[name] = result.types.pop(integers)
        result.nodes = [node for node in result.nodes if node.output != integers]
        for node in result.nodes:
            node.inputs = [name if value == integers else value for value in node.inputs]
    return result


def _rounded(graph: Graph, places: Places, output: str) -> str:
    """Return the value whose scale a step's input has."""
    x = places.steps[output].inputs[0]
    makers = {node.output: node for node in graph.nodes}
    while x not in places.stored:
        x = makers[x].inputs[0]  # a step that moves values
    return x


def _round(graph: Graph, value: str, name: str, q: Quantization) -> str:
    """Add the two conversions and return the name of the rounded value."""
    scales: dict[str, Any] = {"scale": q.scale, "zero_point": q.zero_point, "axis": q.axis}
    integers, real = (_fresh(graph, f"{value}_{suffix}") for suffix in ("quantized", "rounded"))
    shape = graph.shape(value)
    quantize = Node("quantize", [value], integers, {"to": q.dtype.value, **scales}, name=name)
    graph.nodes += [quantize, Node("dequantize", [integers], real, scales, name=name)]
    graph.types[integers] = TensorType(shape, q.dtype, q)
    graph.types[real] = TensorType(shape)
    return real


def _fresh(graph: Graph, like: str) -> str:
    return next(name for name in _names(like) if name not in graph.types)


def _names(like: str) -> Iterator[str]:
    yield like
    number = 1
    while True:
        yield f"{like}_{number}"
        number += 1


def _weights(
    node: Node, scales: NDArray[np.float32], units: NDArray[np.float32]
) -> dict[str, Array]:
    result = {**node.weights, "weight": grid_weight(node, scales)}
    if "weight_scale" in OPS[node.kind].weights:
        result["weight_scale"] = scales
    if "bias" in result:
        result["bias"] = grid_bias(result["bias"], units)
    return result


def _bytes(node: Node, per_channel: bool) -> dict[str, Array]:
    """Return weights of int8 of a step that computes with real numbers."""
    scales = weight_scales(node, np.float32(1), None, per_channel)
    weight: Array = np.rint(grid_weight(node, scales) / scales).astype(np.int8)
    return {**node.weights, "weight": weight, "weight_scale": scales}


def _x_scales(node: Node, x: Quantization) -> NDArray[np.float32]:
    """Return the scale of the input of each output channel, or of all."""
    scale = np.asarray(x.scale, np.float32)
    return scale if scale.size == 1 else np.repeat(scale, node.weights["weight"].shape[3])


def weight_scales(
    node: Node, x_scale: NDArray[np.float32] | np.float32, bias: Array | None, per_channel: bool
) -> NDArray[np.float32]:
    """Return scales of a step's weights, one for each output channel."""
    rows = np.abs(_rows(node))
    largest = rows.max(axis=0) if per_channel else np.full(rows.shape[1], rows.max())
    scales = (largest / np.float32(127)).astype(np.float32)
    positive = scales[scales > 0]
    least = positive.min() if positive.size else np.float32(1)
    scales = np.where(scales > 0, np.maximum(scales, np.finfo(np.float32).tiny), least)
    if bias is not None:  # weights of almost nothing would leave no room for the bias
        scales = np.maximum(scales, np.abs(bias) / (x_scale * np.float32(_MOST_BIAS)))
    result: NDArray[np.float32] = scales.astype(np.float32)
    return result


def _rows(node: Node) -> Array:
    """Return weights as a matrix with a column for each output channel."""
    weight = node.weights["weight"]
    made = weight.shape[2] * weight.shape[3] if node.kind == "depthwise" else weight.shape[-1]
    return weight.reshape(-1, made)


def grid_weight(node: Node, scales: NDArray[np.float32]) -> Array:
    """Return weights rounded to whole multiples of their scales."""
    whole = np.clip(np.rint(_rows(node) / scales), -127, 127)
    result: Array = (whole * scales).astype(np.float32)
    return result.reshape(node.weights["weight"].shape)


def grid_bias(bias: Array, unit: NDArray[np.float32]) -> Array:
    """Return a bias rounded to whole multiples of the products' units."""
    whole = np.rint(bias.astype(np.float64) / unit)
    return (np.clip(whole, -_MOST_BIAS, _MOST_BIAS) * unit.astype(np.float64)).astype(np.float32)
