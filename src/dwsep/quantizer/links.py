"""Scales that let a factor or a term, of one number, change nothing of the integers.

What is stored before and after x * a + b then has the same integers, of other scales and zero
points: the step rounds nothing, as if it were one with the step before it.
"""

from __future__ import annotations

from ..graph.ir import Graph, Node
from ..graph.types import Quantization
from .places import Places

__all__ = ["link"]


def link(graph: Graph, places: Places, quantizations: dict[str, Quantization]) -> None:
    """Give what such steps alone read the scale of their results, in place."""
    readers = graph.users()
    shared = {name for names in places.sharing().values() if len(names) > 1 for name in names}
    for node in reversed(graph.nodes):
        found = _scalar(graph, node)
        if found is None or node.output not in quantizations:
            continue
        x, number = found
        alone = len(readers[x]) == 1 and x not in shared and x not in graph.outputs
        if alone and x in quantizations and quantizations[x].axis is None:
            q = _before(node.attributes["function"], number, quantizations[node.output])
            if q is not None:
                quantizations[x] = q


def _scalar(graph: Graph, node: Node) -> tuple[str, float] | None:
    """Return what a step reads, and the number that it adds or multiplies by."""
    if node.kind != "binary" or node.attributes.get("activation") is not None:
        return None
    for x, other in (node.inputs, node.inputs[::-1]):
        constant = graph.constants.get(other)
        if constant is not None and constant.size == 1 and x not in graph.constants:
            first = node.inputs[0] == x
            return (x, float(constant.item())) if first or _commutes(node) else None
    return None


def _commutes(node: Node) -> bool:
    return node.attributes["function"] in ("add", "mul")


def _before(function: str, number: float, after: Quantization) -> Quantization | None:
    """Return the quantization of x, of the same integers as the result; None if there is none."""
    if after.axis is not None:
        return None
    (scale,), (zero,) = after.scale, after.zero_point
    if function == "mul":
        return Quantization((scale / number,), (zero,)) if number > 0 else None
    if function not in ("add", "sub"):
        return None
    zero += round((number if function == "add" else -number) / scale)
    return Quantization((scale,), (zero,)) if -128 <= zero <= 127 else None
