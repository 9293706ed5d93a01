"""Lets nodes compute with integers that read what was dequantized and write what is quantized.

dequantize, then a convolution with weights that were integers, an activation, then quantize becomes
one convolution of int8, which rounds once. Where the result is not quantized, or read by others as
well, a convolution writes float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ir import Graph, Node
from ..ops import OPS
from ..types import DType, Quantization
from ._edit import Edit
from ._integers import integers_of, only_rounded_by, output_of, quantization_of

_LARGEST_SUM = 2**31 - 1
_CONVOLUTIONS = ("depthwise", "pointwise", "standard")


def run(graph: Graph) -> bool:
    """Rewrite every node whose kind the core computes with integers."""
    edit = Edit(graph)
    for node in edit.nodes():
        if OPS[node.kind].integer and node.attributes.get("to") is None:
            _ = _convolution(edit, node) if node.kind in _CONVOLUTIONS else _other(edit, node)
    return edit.finish()


def _inputs(edit: Edit, node: Node) -> list[str] | None:
    """Return the integers that a node's inputs stand for, all of a type that its kind takes."""
    values = [integers_of(edit, value) for value in node.inputs]
    found = [value for value in values if value is not None]
    taken = OPS[node.kind].integer
    fits = len(found) == len(values) and all(edit.graph.types[v].dtype in taken for v in found)
    return found if fits and found else None


def _other(edit: Edit, node: Node) -> bool:
    inputs, rounding = _inputs(edit, node), only_rounded_by(edit, node.output)
    if inputs is None or rounding is None:
        return False
    attributes = {**node.attributes, **output_of(rounding)}
    edit.become(rounding, node.kind, inputs, attributes, node.weights, node.name)
    return True


def _convolution(edit: Edit, node: Node) -> bool:
    inputs = _inputs(edit, node)
    if inputs is None:
        return False
    weights = _integer_weights(node, quantization_of(edit, inputs[0]))
    if weights is None:
        return False
    rounding = only_rounded_by(edit, node.output)
    if rounding is None:
        edit.become(node, node.kind, inputs, node.attributes, weights)
        return True
    attributes = {**node.attributes, **output_of(rounding)}
    edit.become(rounding, node.kind, inputs, attributes, weights, node.name)
    return True


def _integer_weights(node: Node, x: Quantization) -> dict[str, Any] | None:
    """Return int8 weights that the real ones were made of, None where there are none."""
    weight, scale = node.weights["weight"], node.weights.get("weight_scale")
    if scale is None:
        return None
    zero = node.weights.get("weight_zero_point", np.zeros(1, np.int32))
    channels = weight.shape[2:] if node.kind == "depthwise" else weight.shape[-1:]
    along, from_zero = (a if a.size == 1 else a.reshape(channels) for a in (scale, zero))
    with np.errstate(all="ignore"):
        steps = np.rint(weight / along)
        same = np.array_equal(steps * along, weight)
    stored = steps + from_zero
    if not same or stored.min() < -128 or stored.max() > 127:
        return None
    if not _sums_fit(node, np.abs(steps).reshape(-1, *channels), x, along):
        return None
    return {**node.weights, "weight": stored.astype(np.int8)}


def _sums_fit(node: Node, magnitudes: Any, x: Quantization, scale: Any) -> bool:
    """Return whether no input makes a sum leave int32, as the core demands."""
    zero = x.zero_point[0] - (128 if x.dtype is DType.UINT8 else 0)
    sums = magnitudes.sum(axis=0, dtype=np.float64) * max(128 + zero, 127 - zero)
    bias = node.weights.get("bias")
    unit = np.float32(x.scale[0]) * scale
    if bias is not None:
        with np.errstate(all="ignore"):
            sums = sums + np.abs(np.rint(bias.astype(np.float64).reshape(sums.shape) / unit))
    return bool(np.all(np.isfinite(unit) & (unit > 0)) and np.all(sums <= _LARGEST_SUM))
