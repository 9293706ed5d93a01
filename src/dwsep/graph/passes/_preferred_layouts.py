"""In which order of axes the readers of a value would like to have it."""

from __future__ import annotations

from ..ir import Graph
from ..ops import OPS
from ..ops.layout_rules import RULES
from ..permutation import Perm


def preferred_layouts(graph: Graph) -> dict[str, Perm]:
    """Return the orders that image operations demand, handed up through what keeps the axes."""
    preferred: dict[str, Perm] = {}
    for node in reversed(graph.nodes):
        rule = RULES[OPS[node.kind].layout]
        for value in node.inputs:
            order = rule.prefer(node, preferred.get(node.output), len(graph.shape(value)))
            if order is not None and (rule.demands or value not in preferred):
                preferred[value] = order
    return preferred
