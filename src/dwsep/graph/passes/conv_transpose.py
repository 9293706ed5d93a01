"""Writes a transposed convolution as zeros between the pixels and a convolution with stride 1.

Each input pixel i adds x[i] w[k] to output i * stride + k * dilation - padding. Read from the
output, that is a convolution with the taps in reverse over an image with stride - 1 zeros between
pixels (V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning", 2016,
arXiv:1603.07285, section 4).
"""

from __future__ import annotations

import numpy as np

from ..ir import Array, Graph, Node
from ..sizes import shape_argument
from ..types import Shape
from ._edit import Edit


def run(graph: Graph) -> bool:
    """Replace every `conv_transpose` by `zero_insert`, `slice` where it crops, and `conv`.

    One whose windows touch but do not overlap needs no zeros: a 1x1 convolution makes all pixels of
    a window as channels, which are then put in their places (for images in NHWC).
    """
    edit = Edit(graph)
    for node in edit.nodes("conv_transpose"):
        if graph.channels_last and _tiles(node):
            _lower_tiles(edit, node)
        else:
            _lower(edit, node)
    return edit.finish()


def _tiles(node: Node) -> bool:
    """Return whether every output pixel gets one product of each input channel."""
    a = node.attributes
    kernel = node.weights["weight"].shape[:2]
    plain = not any((*a["padding"], *a["output_padding"])) and a.get("groups", 1) == 1
    return plain and kernel == tuple(a["stride"]) and max(kernel) > 1 and _is_dense(node)


def _is_dense(node: Node) -> bool:
    kernel = node.weights["weight"].shape[:2]
    return all(k == 1 or d == 1 for k, d in zip(kernel, node.attributes["dilation"], strict=True))


def _lower_tiles(edit: Edit, node: Node) -> None:
    kh, kw, taken, made = node.weights["weight"].shape
    n, h, w, _ = edit.shape(node.inputs[0])
    weight = node.weights["weight"].transpose(2, 0, 1, 3).reshape(taken, kh * kw * made)
    weights = {"weight": np.ascontiguousarray(weight)}
    if "bias" in node.weights:
        weights["bias"] = np.tile(node.weights["bias"], kh * kw)
    value = edit.fresh(f"{node.output}_pixels")
    attributes = {"activation": node.attributes.get("activation")}
    pixels = Node("dense", node.inputs[:1], value, attributes, weights, node.name)
    x = edit.insert(node, pixels)
    split: Shape = (n, h, w, kh, kw * made)
    tiles = Node("reshape", [x], edit.fresh(f"{node.output}_tiles"))
    tiles.attributes = {"shape": shape_argument(edit.shape(x), split)}
    x = edit.insert(node, tiles)
    perm = (0, 1, 3, 2, 4)
    placed = Node("transpose", [x], edit.fresh(f"{node.output}_placed"), {"perm": perm})
    x = edit.insert(node, placed)
    argument = shape_argument(edit.shape(x), edit.shape(node.output))
    edit.become(node, "reshape", [x], {"shape": argument})


def _lower(edit: Edit, node: Node) -> None:
    attributes = node.attributes
    stride = tuple(attributes["stride"])
    x = node.inputs[0]
    if stride != (1, 1):
        x = _zero_insert(edit, node, x, stride)
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


def _zero_insert(edit: Edit, node: Node, x: str, stride: tuple[int, ...]) -> str:
    value = edit.fresh(f"{node.output}_spread")
    spread = Node("zero_insert", [x], value, {"stride": stride}, name=node.name)
    return edit.insert(node, spread)


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
