"""Lets a convolution apply the slopes of the PReLU that is its only reader."""

from __future__ import annotations

import numpy as np

from ..ir import Graph
from ._edit import Edit

_TAKE_SLOPES = ("pointwise", "standard", "separable", "inverted_residual")


def run(graph: Graph) -> bool:
    """Fuse PReLUs with one slope, or one for each channel, into what computes their input."""
    edit = Edit(graph)
    for node in edit.nodes("binary"):
        if node.attributes["function"] != "prelu" or node.attributes.get("activation") is not None:
            continue
        x, slope = node.inputs[0], edit.constant(node.inputs[1])
        conv = edit.made_by(x, *_TAKE_SLOPES)
        if slope is None or conv is None or not edit.private(x):
            continue
        channels = conv.weights["weight"].shape[-1]
        floats = conv.weights["weight"].dtype == np.float32 and conv.attributes.get("to") is None
        if not floats or "slope" in conv.weights or slope.size not in (1, channels):
            continue
        if slope.size > 1 and slope.shape[-1] != channels:
            continue
        edit.take_over(node, conv)
        flat = np.broadcast_to(slope.reshape(-1), (channels,))
        node.weights = {**node.weights, "slope": np.ascontiguousarray(flat, np.float32)}
    return edit.finish()
