"""Recognises depthwise and pointwise convolutions. Images must be NHWC by then."""

from __future__ import annotations

from ..ir import Graph, Node
from ._edit import Edit


def run(graph: Graph) -> bool:
    """Turn `conv` into depthwise, pointwise or standard, `dense` into pointwise."""
    if not graph.channels_last:
        raise ValueError(f"graph {graph.name!r}: need images in NHWC, got NCHW")
    edit = Edit(graph)
    for node in edit.nodes("dense"):
        edit.become(node, "pointwise", node.inputs, node.attributes, node.weights)
    for node in edit.nodes("conv"):
        if _is_depthwise(node):
            _depthwise(edit, node)
        elif _is_pointwise(node):
            _pointwise(edit, node)
        else:
            kernel = node.weights["weight"].shape[:2]
            groups = node.attributes.get("groups", 1)
            attributes = {**node.attributes, "groups": groups, "kernel": kernel}
            edit.become(node, "standard", node.inputs, attributes, node.weights)
    return edit.finish()


def _is_depthwise(conv: Node) -> bool:
    """Return whether a `conv` has one group for each of its (two or more) channels."""
    return bool(conv.attributes.get("groups", 1) > 1 and conv.weights["weight"].shape[2] == 1)


def _depthwise(edit: Edit, node: Node) -> None:
    """Output channel c * M + m is the m-th filter on channel c, in groups as in (C, M)."""
    kh, kw, _, made = node.weights["weight"].shape
    attributes = {name: v for name, v in node.attributes.items() if name != "groups"}
    channels = node.attributes["groups"]
    weight = node.weights["weight"].reshape(kh, kw, channels, made // channels)
    edit.become(node, "depthwise", node.inputs, attributes, {**node.weights, "weight": weight})


def _is_pointwise(node: Node) -> bool:
    a = node.attributes
    single = node.weights["weight"].shape[:2] == (1, 1) and tuple(a["stride"]) == (1, 1)
    return single and a.get("groups", 1) == 1 and not any(a["padding"])


def _pointwise(edit: Edit, node: Node) -> None:
    weight = node.weights["weight"]
    attributes = {"activation": node.attributes.get("activation")}
    weights = {**node.weights, "weight": weight.reshape(weight.shape[2:])}
    edit.become(node, "pointwise", node.inputs, attributes, weights)
