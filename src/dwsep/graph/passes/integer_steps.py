"""Lets nodes compute with integers that read what was dequantized and write what is quantized.

dequantize, then a convolution with weights that were integers, an activation, then quantize becomes
one convolution of int8, which rounds once. Where the result is not quantized, or read by others as
well, a convolution writes float32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ShapeError
from ..ir import DType, Graph, Node, Quantization
from ..ops import OPS
from ._edit import Edit
from ._integers import integers_of, only_rounded_by, ordinary, output_of, quantization_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONVOLUTIONS = ("depthwise", "pointwise", "standard")
_LARGEST_SUM = 2**31 - 1
_CONVERSIONS = ("quantize", "dequantize", "cast", "identity", "table", "reinterpret")


def run(graph: Graph) -> bool:
    """Rewrite every node whose kind the core computes with integers."""
    edit = Edit(graph)
    for node in edit.nodes():
        if _may_compute_with_integers(node):
            rewrite = _convolution if node.kind in CONVOLUTIONS else _other
            rewrite(edit, node)
    return edit.finish()


def float_steps(graph: Graph) -> dict[str, str]:
    """Return why steps of a quantized network compute with float32, by their names."""
    edit = Edit(graph)
    reasons: dict[str, str] = {}
    if not any(node.attributes.get("to") in ("int8", "uint8") for node in graph.nodes):
        return reasons
    for node in graph.nodes:
        types = [graph.types[value].dtype for value in (*node.inputs, node.output)]
        moves = OPS[node.kind].moves(node) or node.kind in _CONVERSIONS
        if set(types) == {DType.FLOAT32} and not moves:
            reasons[node.name or node.output] = _reason(edit, node)
    return reasons


def _may_compute_with_integers(node: Node) -> bool:
    return bool(OPS[node.kind].integer) and node.attributes.get("to") is None


def _reason(edit: Edit, node: Node) -> str:
    if not OPS[node.kind].integer:
        return f"{node.kind} is computed with float32 only"
    if node.kind in CONVOLUTIONS and node.weights["weight"].dtype != np.float32:
        return "its weights alone are int8"
    if _inputs(edit, node) is None:
        missing = [v for v in node.inputs if integers_of(edit, v, per_channel=True) is None]
        return f"input {missing[0]!r} is not quantized" if missing else "scales of its inputs"
    if node.kind in CONVOLUTIONS:
        return "its weights are no integers, or sums could leave int32"
    if only_rounded_by(edit, node.output) is None:
        return "its result is not quantized"
    return "it is computed with float32 only"


def _inputs(edit: Edit, node: Node) -> list[str] | None:
    """Return the integers that a node's inputs stand for, all of a type that its kind takes.

    The channels of a depthwise convolution's input may have a scale each.
    """
    values = [
        integers_of(edit, value, per_channel=node.kind == "depthwise" and place == 0)
        for place, value in enumerate(node.inputs)
    ]
    found = [value for value in values if value is not None]
    taken = OPS[node.kind].integer
    fits = len(found) == len(values) and all(edit.graph.types[v].dtype in taken for v in found)
    if not fits or not all(ordinary(quantization_of(edit, v).scale) for v in found):
        return None
    return found or None


def _other(edit: Edit, node: Node) -> None:
    inputs, rounding = _inputs(edit, node), only_rounded_by(edit, node.output)
    if inputs is None or (rounding is not None and not ordinary(rounding.attributes["scale"])):
        return
    spec, attributes = OPS[node.kind], dict(node.attributes)
    if rounding is not None and "to" in spec.attributes:
        attributes |= {k: v for k, v in output_of(rounding).items() if k != "axis"}
        if edit.graph.fixed_point and attributes.get("function") in ("add", "sub"):
            attributes["fixed_point"] = True
        if edit.graph.zero_first:
            attributes |= _zero_first(edit, node)
    target = node if rounding is None else rounding
    new = Node(node.kind, inputs, target.output, attributes, node.weights, node.name)
    try:
        type_ = spec.dtype(new, [edit.graph.types[value] for value in inputs])
    except ShapeError:
        return
    made = edit.graph.types[target.output]
    if type_ != (made.dtype, made.quantization):
        return
    edit.become(target, node.kind, inputs, attributes, node.weights, node.name)


def _zero_first(edit: Edit, node: Node) -> dict[str, Any]:
    """Return the attributes that let a node round as onnxruntime does."""
    if node.attributes.get("function") in ("add", "mul", "mean"):
        return {"zero_first": True}
    windows = node.kind == "pool" and node.attributes["function"] == "average"
    if windows and tuple(node.attributes["kernel"]) != edit.shape(node.inputs[0])[1:3]:
        return {"ties": "zero_first"}  # one of the whole image is a mean over axes to it
    return {}


def _convolution(edit: Edit, node: Node) -> None:
    if node.weights["weight"].dtype != np.float32:
        return  # what it reads is real on purpose
    inputs = _inputs(edit, node)
    weights = None if inputs is None else _integer_weights(node, quantization_of(edit, inputs[0]))
    if inputs is None or weights is None:
        return
    each = len(inputs) == 1  # one scale for each channel takes no sum with a residual
    rounding = only_rounded_by(edit, node.output, per_channel=each)
    if rounding is None or not ordinary(rounding.attributes["scale"]):
        edit.become(node, node.kind, inputs, node.attributes, weights)
        return
    attributes = {**node.attributes, **output_of(rounding)}
    edit.become(rounding, node.kind, inputs, attributes, weights, node.name)


def _integer_weights(node: Node, x: Quantization) -> dict[str, NDArray[Any]] | None:
    """Return int8 weights that the real ones were made of, None where there are none."""
    weight, scale = node.weights["weight"], node.weights.get("weight_scale")
    if scale is None or not ordinary(scale):
        return None
    zero = node.weights.get("weight_zero_point", np.zeros(1, np.int32))
    channels = weight.shape[2:] if node.kind == "depthwise" else weight.shape[-1:]
    along, from_zero = (a if a.size == 1 else a.reshape(channels) for a in (scale, zero))
    with np.errstate(all="ignore"):
        steps = np.rint(weight / along)
        same = np.array_equal(steps * along, weight)
        stored = steps + from_zero
    if not same or not (stored.min() >= -128 and stored.max() <= 127):
        return None
    if not _sums_fit(node, np.abs(steps).reshape(-1, *channels), x, along):
        return None
    return {**node.weights, "weight": stored.astype(np.int8)}


def _sums_fit(node: Node, magnitudes: NDArray[Any], x: Quantization, scale: NDArray[Any]) -> bool:
    """Return whether no input makes a sum leave int32, as the core demands."""
    zero = np.array(x.zero_point) - (128 if x.dtype is DType.UINT8 else 0)
    x_scale, farthest = np.array(x.scale, np.float32), np.maximum(128 + zero, 127 - zero)
    if x_scale.size > 1:  # a depthwise convolution's, whose last axis is the multiplier
        x_scale, farthest = x_scale[:, np.newaxis], farthest[:, np.newaxis]
    sums = magnitudes.sum(axis=0, dtype=np.float64) * farthest
    bias = node.weights.get("bias")
    unit = x_scale * scale
    if bias is not None:
        with np.errstate(all="ignore"):
            sums = sums + np.abs(np.rint(bias.astype(np.float64).reshape(sums.shape) / unit))
    return bool(np.all(np.isfinite(unit) & (unit > 0)) and np.all(sums <= _LARGEST_SUM))
