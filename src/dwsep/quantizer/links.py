"""Scales that let a factor or a term, of one number, change nothing of the integers.

What is stored before and after x * a + b then has the same integers, of other scales and zero
points: the step rounds nothing, as if it were one with the step before it.
"""

from __future__ import annotations

from ..graph.ir import Graph, Quantization
from .places import Places, scalar_step

__all__ = ["images_of_zero", "link"]


def images_of_zero(graph: Graph, places: Places) -> dict[str, float]:
    """Return what such steps make of zero, for each of their results that is stored.

    It has to be a number that an integer stands for: else all values are off by the same.
    """
    result: dict[str, float] = {}
    for node in graph.nodes:
        found = scalar_step(graph, node)
        if found is None or found[0] not in places.stored or node.output not in places.stored:
            continue
        x, number = found
        function, before = node.attributes["function"], result.get(x, 0.0)
        if function == "mul":
            result[node.output] = before * number
        elif function == "div" and number:
            result[node.output] = before / number
        elif function in ("add", "sub"):
            result[node.output] = before + (number if function == "add" else -number)
    return {value: image for value, image in result.items() if image}


def link(graph: Graph, places: Places, quantizations: dict[str, Quantization]) -> set[str]:
    """Give what such steps alone read the scales of their results, in place.

    Returns
    -------
    set of str
        Results with a scale for each channel that need one scale: what they are computed of cannot
        have those of the channels.
    """
    readers = graph.users()
    shared = {name for names in places.sharing().values() if len(names) > 1 for name in names}
    failed: set[str] = set()
    origin: dict[str, str] = {}  # the last results of chains of such steps
    for node in reversed(graph.nodes):
        found = scalar_step(graph, node)
        if found is None or node.output not in quantizations:
            continue
        x, number = found
        alone = len(readers[x]) == 1 and x not in shared and x not in graph.outputs
        if not alone or x not in quantizations:
            continue
        origin[x] = origin.get(node.output, node.output)
        after = quantizations[node.output]
        q = _before(node.attributes["function"], number, after)
        if q is not None:
            quantizations[x] = q
        elif after.axis is not None:
            failed.add(origin[x])
    return failed


def _before(function: str, number: float, after: Quantization) -> Quantization | None:
    """Return the quantization of x, of the same integers as the result; None if there is none."""
    zeros = after.zero_point
    if function == "mul":
        scales = tuple(scale / number for scale in after.scale) if number > 0 else ()
        return Quantization(scales, zeros, after.axis) if scales else None
    if function not in ("add", "sub"):
        return None
    term = number if function == "add" else -number
    zeros = tuple(z + round(term / s) for z, s in zip(zeros, after.scale, strict=True))
    fits = all(-128 <= zero <= 127 for zero in zeros)
    return Quantization(after.scale, zeros, after.axis) if fits else None
