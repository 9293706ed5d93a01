"""Scales and shifts by channel that no convolution has absorbed, as convolutions of their own."""

from __future__ import annotations

import numpy as np

from ..graph.ir import Graph, Node
from ..graph.passes._affine import Affine, affine_of
from ..graph.passes._edit import Edit

__all__ = ["as_convolutions"]


def as_convolutions(graph: Graph) -> None:
    """Let depthwise convolutions of one tap scale and shift images.

    A product and a sum would each store a result, between conversions of their own.
    """
    edit = Edit(graph)
    for node in edit.nodes("binary"):
        own = _by_channel(edit, node)
        if own is None or _is_half(edit, node):
            continue
        before = edit.made_by(own.x, "binary") if edit.private(own.x) else None
        first = None if before is None else _by_channel(edit, before)
        both = own if first is None else own.after(first) or own
        weight, bias = (a.astype(np.float32) for a in (both.scale, both.shift))
        attributes = {
            **{"stride": (1, 1), "dilation": (1, 1), "padding": (0, 0, 0, 0)},
            "activation": node.attributes.get("activation"),
        }
        weights = {"weight": weight.reshape(1, 1, -1, 1), "bias": bias}
        edit.become(node, "depthwise", [both.x], attributes, weights)
    edit.finish()


def _by_channel(edit: Edit, node: Node) -> Affine | None:
    """Return what a node does to an image, if that differs from channel to channel."""
    if len(edit.shape(node.output)) != 4:
        return None
    plain = Node("binary", node.inputs, node.output, {**node.attributes, "activation": None})
    affine = affine_of(edit, plain)
    if affine is None or not (np.ptp(affine.scale) or np.ptp(affine.shift)):
        return None
    if np.abs(affine.scale).max() > np.finfo(np.float32).max:  # of a division by very little
        return None
    return affine


def _is_half(edit: Edit, node: Node) -> bool:
    """Return whether a node goes into another one that scales or shifts its result."""
    if node.attributes.get("activation") is not None or not edit.private(node.output):
        return False
    reader = edit.readers(node.output)[0]
    return reader.kind == "binary" and _by_channel(edit, reader) is not None
