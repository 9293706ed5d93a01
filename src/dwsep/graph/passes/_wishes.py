"""In which order of axes the readers of a value would like to have it."""

from __future__ import annotations

from ..ir import Graph, Node
from ._permutation import Perm, channels_last

IMAGE_KINDS = ("conv", "conv_transpose", "batch_norm", "pool", "resize", "zero_insert")
_PASS_ON = ("activation", "unary", "identity", "softmax", "slice", "pad", "binary", "concat")


def wishes(graph: Graph) -> dict[str, Perm]:
    """Return the orders that image operations want, handed up through what keeps the axes."""
    wanted: dict[str, Perm] = {}
    for node in reversed(graph.nodes):
        for value in node.inputs:
            wish = _wish(node, wanted.get(node.output), len(graph.shape(value)))
            if wish is not None and (node.kind in IMAGE_KINDS or value not in wanted):
                wanted[value] = wish
    return wanted


def _wish(node: Node, output: Perm | None, rank: int) -> Perm | None:
    if node.kind in IMAGE_KINDS:
        return channels_last(rank)
    if output is None or len(output) != rank:
        return None
    if node.kind == "transpose":
        perm = node.attributes["perm"]
        return tuple(perm[axis] for axis in output)
    return output if node.kind in _PASS_ON else None
