"""Works on images of one column as on images of one row.

Both lie in memory alike, and the kernels walk along rows: of a keyword spotter's 98x1 image with
9x1 filters each row would be one pixel. Windows become windows of one row, of which the taps
beside the column are gone, and `sequences` moves the reshapes out of the way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ir import Array, Graph, Node
from ..sizes import shape_argument
from ._edit import Edit


def run(graph: Graph) -> bool:
    """Turn convolutions, pools and resizes of images of one column."""
    edit = Edit(graph)
    for node in edit.nodes("conv", "pool", "resize"):
        n, h, w, c = edit.shape(node.inputs[0])
        made = edit.shape(node.output)
        if w != 1 or made[2] != 1 or h == 1 or len(node.inputs) > 1:
            continue
        turned = _turned(node)
        if turned is None:
            continue
        attributes, weights = turned
        source = edit.shape(node.inputs[0])
        row = {"shape": shape_argument(source, (n, 1, h, c))}
        x = Node("reshape", [*node.inputs], edit.fresh(f"{node.output}_row"), row, name=node.name)
        value = edit.fresh(f"{node.output}_turned")
        inputs = [edit.insert(node, x)]
        y = edit.insert(node, Node(node.kind, inputs, value, attributes, weights, node.name))
        edit.become(node, "reshape", [y], {"shape": shape_argument(edit.shape(y), made)})
    return edit.finish()


def _turned(node: Node) -> tuple[dict[str, Any], dict[str, Array]] | None:
    """Return attributes and weights for an image of one row, None if there are none."""
    attributes = dict(node.attributes)
    if node.kind == "resize":
        for name in ("size", "scale"):
            attributes[name] = attributes[name][::-1]
        return attributes, {}
    top, bottom, left, _ = attributes["padding"]
    for name in ("stride", "dilation"):
        attributes[name] = (1, attributes[name][0])
    attributes["padding"] = (0, 0, top, bottom)
    if node.kind == "pool":
        if attributes["kernel"][1] > 1 and attributes.get("include_padding", False):
            return None  # the mean counts what lies beside the column
        attributes["kernel"] = (1, attributes["kernel"][0])
        return attributes, {}
    column, rest = divmod(left, node.attributes["dilation"][1])
    weight = node.weights["weight"]
    if rest or column >= weight.shape[1]:
        return None  # every tap is beside the column
    taps = np.ascontiguousarray(weight[:, column : column + 1].swapaxes(0, 1))
    return attributes, {**node.weights, "weight": taps}
