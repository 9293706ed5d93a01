"""Lets a quantized network take and give float32: conversions at its edges."""

from __future__ import annotations

from ..ir import Graph, Node, TensorType
from ._edit import Edit
from ._integers import meaning_of


def run(graph: Graph) -> bool:
    """Quantize inputs and dequantize outputs that are int8 or uint8 and stand for real numbers."""
    edit = Edit(graph)
    kept = {*graph.states, *(state.output for state in graph.states.values())}
    first = next(iter(graph.nodes), None)
    for name in graph.inputs:
        type_, meaning = graph.types[name], meaning_of(edit, name)
        if first is None or meaning is None or edit.is_output(name) or name in kept:
            continue
        integers = edit.fresh(f"{name}_quantized")
        graph.types[name] = TensorType(type_.shape)
        edit.redirect(name, integers)
        edit.insert(first, Node("quantize", [name], integers, {"to": type_.dtype.value, **meaning}))
    for name in dict.fromkeys(graph.outputs):
        producer, meaning = edit.producer.get(name), meaning_of(edit, name)
        if producer is None or meaning is None or name in kept:
            continue
        integers = edit.fresh(f"{name}_quantized")
        edit.rename_output(producer, integers)
        edit.append(Node("dequantize", [integers], name, meaning))
    return edit.finish()
