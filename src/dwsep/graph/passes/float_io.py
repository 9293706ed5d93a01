"""Lets a quantized network take and give float32: conversions at its edges."""

from __future__ import annotations

from ..ir import Graph, Node
from ..ops.spec import BYTES
from ..types import DType, TensorType
from ._edit import Edit


def run(graph: Graph) -> bool:
    """Quantize inputs and dequantize outputs that are int8 or uint8 and stand for real numbers."""
    edit = Edit(graph)
    kept = {*graph.states, *(state.output for state in graph.states.values())}
    first = next(iter(graph.nodes), None)
    for name in graph.inputs:
        type_ = graph.types[name]
        q = type_.quantization
        if first is None or q is None or type_.dtype not in BYTES or edit.is_output(name):
            continue
        if name in kept:
            continue
        integers = edit.fresh(f"{name}_quantized")
        graph.types[name] = TensorType(type_.shape)
        edit.redirect(name, integers)
        scales = {"scale": q.scale, "zero_point": q.zero_point, "axis": q.axis}
        edit.insert(first, Node("quantize", [name], integers, {"to": type_.dtype.value, **scales}))
    for name in dict.fromkeys(graph.outputs):
        producer, type_ = edit.producer.get(name), graph.types[name]
        q = type_.quantization
        if producer is None or q is None or type_.dtype is DType.FLOAT32 or name in kept:
            continue
        integers = edit.fresh(f"{name}_quantized")
        edit.rename_output(producer, integers)
        scales = {"scale": q.scale, "zero_point": q.zero_point, "axis": q.axis}
        edit.append(Node("dequantize", [integers], name, scales))
    return edit.finish()
