"""Lets a convolution add the other branch: y = activation(conv(x) + bias + residual)."""

from __future__ import annotations

from ..ir import Graph, Node
from ._edit import PRODUCERS, Edit

_TAKE_RESIDUALS = tuple(kind for kind in PRODUCERS if kind != "conv_transpose")


def run(graph: Graph) -> bool:
    """Fuse additions with the convolution that computes one of their operands."""
    edit = Edit(graph)
    place = {node.output: i for i, node in enumerate(graph.nodes)}
    for node in edit.nodes("binary"):
        if node.attributes["function"] != "add":
            continue
        # Of two candidates the later: the other's result exists by then anyway.
        for value in sorted(node.inputs, key=lambda v: place.get(v, -1), reverse=True):
            conv = edit.made_by(value, *_TAKE_RESIDUALS)
            if conv is not None and _fits(edit, conv, node):
                other = node.inputs[1 - node.inputs.index(value)]
                attributes = {**conv.attributes, "activation": node.attributes.get("activation")}
                inputs = [conv.inputs[0], other]
                edit.become(node, conv.kind, inputs, attributes, conv.weights, conv.name)
                break
    return edit.finish()


def _fits(edit: Edit, conv: Node, addition: Node) -> bool:
    if len(conv.inputs) > 1 or conv.attributes.get("activation") is not None:
        return False
    same = all(edit.shape(v) == edit.shape(addition.output) for v in addition.inputs)
    return same and edit.private(conv.output)


def is_depthwise(conv: Node) -> bool:
    """Return whether a `conv` has one group for each of its (two or more) channels."""
    return bool(conv.attributes.get("groups", 1) > 1 and conv.weights["weight"].shape[2] == 1)
