"""Fuses activations into what computes their arguments.

It comes after all that folds into the source: a scale that follows a fused activation can no longer
be folded.
"""

from __future__ import annotations

from ..ir import Graph, Node
from ._edit import PRODUCERS, Edit, convolutions_of

_FUSE_INTO = (*PRODUCERS, "binary")


def run(graph: Graph) -> bool:
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
