"""Tells transposed convolutions by their stride: without one they are convolutions.

Each input pixel i adds x[i] w[k] to output i * stride + k * dilation - padding. Read from the
output, with stride 1, that is a convolution with the taps in reverse (V. Dumoulin and F. Visin, "A
guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285, section 4).
"""

from __future__ import annotations

import numpy as np

from ..ir import Array, Graph, Node
from ._edit import Edit


def run(graph: Graph) -> bool:
    """Replace every `conv_transpose` by `transposed`, or by `conv`, and `slice` where it crops."""
    edit = Edit(graph)
    for node in edit.nodes("conv_transpose"):
        if tuple(node.attributes["stride"]) == (1, 1):
            _lower(edit, node)
        else:
            own = {"groups": node.attributes.get("groups", 1)}
            own["kernel"] = node.weights["weight"].shape[:2]
            edit.become(node, "transposed", node.inputs, {**node.attributes, **own}, node.weights)
    return edit.finish()


def _lower(edit: Edit, node: Node) -> None:
    attributes = node.attributes
    x = node.inputs[0]
    kernel = node.weights["weight"].shape[:2]
    padding: list[int] = []
    for axis in (0, 1):
        reach = (kernel[axis] - 1) * attributes["dilation"][axis]
        before, after = attributes["padding"][2 * axis : 2 * axis + 2]
        padding += [reach - before, reach - after + attributes["output_padding"][axis]]
    if min(padding) < 0:
        x = _crop(edit, node, x, [max(0, -p) for p in padding])
    groups = attributes.get("groups", 1)
    convolution = {
        "stride": (1, 1),
        "dilation": tuple(attributes["dilation"]),
        "padding": tuple(max(0, p) for p in padding),
        "groups": groups,
        "activation": attributes.get("activation"),
    }
    weights = {**node.weights, "weight": _reversed(node.weights["weight"], groups)}
    edit.become(node, "conv", [x], convolution, weights)


def _reversed(weight: Array, groups: int) -> Array:
    """Turn (KH, KW, Cin, Cout / groups) round, into (KH, KW, Cin / groups, Cout)."""
    kh, kw, taken, made = weight.shape
    turned = weight[::-1, ::-1].reshape(kh, kw, groups, taken // groups, made)
    joined = turned.transpose(0, 1, 3, 2, 4).reshape(kh, kw, taken // groups, groups * made)
    return np.ascontiguousarray(joined)


def _rows_and_columns(edit: Edit) -> tuple[int, int]:
    return (1, 2) if edit.graph.channels_last else (2, 3)


def _crop(edit: Edit, node: Node, x: str, margins: list[int]) -> str:
    """Cut off what padding that is less than none means: (top, bottom, left, right)."""
    shape = edit.shape(x)
    starts: list[int] = [0] * len(shape)
    stops: list[int | None] = [None] * len(shape)
    for i, axis in enumerate(_rows_and_columns(edit)):
        before, after = margins[2 * i : 2 * i + 2]
        starts[axis], stops[axis] = before, (shape[axis] or 0) - after
    attributes = {
        "starts": tuple(starts),
        "stops": tuple(stops),
        "steps": (1,) * len(shape),
    }
    value = edit.fresh(f"{node.output}_cropped")
    return edit.insert(node, Node("slice", [x], value, attributes, name=node.name))
