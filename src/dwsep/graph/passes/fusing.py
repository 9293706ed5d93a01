"""Fuses sums and activations into what computes their arguments.

Activations come after all that folds into the source: a scale that follows a fused one can no
longer be folded.
"""

from __future__ import annotations

from ..ir import Graph, Node
from ._edit import PRODUCERS, Edit, convolutions_of

_FUSE_INTO = (*PRODUCERS, "binary")
_TAKE_RESIDUALS = tuple(kind for kind in PRODUCERS if kind != "conv_transpose")


def residuals(graph: Graph) -> bool:
    """Let a convolution add the other branch: y = activation(conv(x) + bias + residual)."""
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


def activations(graph: Graph) -> bool:
    """Let what computes a value apply the activation that is its only reader."""
    edit = Edit(graph)
    for node in edit.nodes("activation"):
        source = node.inputs[0]
        producer = edit.made_by(source, *_FUSE_INTO)
        if not edit.private(source):
            continue
        if producer is None:
            _fuse_into_branches(edit, node)
        elif producer.attributes.get("activation") is None:
            edit.take_over(node, producer, activation=node.attributes["activation"])
    return edit.finish()


def _fuse_into_branches(edit: Edit, node: Node) -> None:
    """Let convolutions whose channels are put together each apply an activation that follows."""
    concat = edit.made_by(node.inputs[0], "concat")
    convs = [] if concat is None else convolutions_of(edit, concat)
    if concat is None or not convs or any(c.attributes.get("activation") for c in convs):
        return
    for conv in convs:
        conv.attributes = {**conv.attributes, "activation": node.attributes["activation"]}
    edit.take_over(node, concat)
