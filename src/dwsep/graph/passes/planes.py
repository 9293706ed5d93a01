"""Leaves images in planes where no step between two transposes needs all channels of a pixel.

Most of the time of a normalization or a nearest resize that is alone went into moving the image to
NHWC and back. Elementwise steps take any order of axes; a resize takes N * C images of one channel.
"""

from __future__ import annotations

from ..ir import DType, Graph, Node
from ._edit import Edit

_TO_NHWC = (0, 2, 3, 1)
_TO_NCHW = (0, 3, 1, 2)


def run(graph: Graph) -> bool:
    """Drop each pair of transposes between which there are only such steps."""
    edit = Edit(graph)
    for node in edit.nodes("transpose"):
        if tuple(node.attributes["perm"]) == _TO_NCHW:
            source, steps = _steps_before(edit, node)
            for i, step in enumerate(steps):
                source = _in_planes(edit, node, step, source, last=i + 1 == len(steps))
    return edit.finish()


def _steps_before(edit: Edit, node: Node) -> tuple[str, list[Node]]:
    """Return what is transposed before some steps, and these; none if others are there."""
    steps: list[Node] = []
    value = node.inputs[0]
    while edit.private(value) and edit.graph.types[value].dtype is DType.FLOAT32:
        step = edit.producer.get(value)
        if step is None or len(edit.shape(value)) != 4:
            break
        if step.kind == "transpose":
            if tuple(step.attributes["perm"]) == _TO_NHWC:
                return step.inputs[0], steps[::-1]
            break
        x = _moving_input(edit, step)
        if x is None:
            break
        steps.append(step)
        value = x
    return value, []


def _moving_input(edit: Edit, step: Node) -> str | None:
    """Return the image that a step takes; None if it has another, or needs pixels."""
    if step.kind in ("activation", "unary"):
        return step.inputs[0]
    if step.kind == "resize" and step.attributes["function"] == "nearest":
        return step.inputs[0] if _pays(edit, step) else None
    if step.kind != "binary":
        return None
    images = [x for x in step.inputs if edit.constant(x) is None]
    one = len(images) == 1 and edit.shape(images[0]) == edit.shape(step.output)
    return images[0] if one else None


def _pays(edit: Edit, step: Node) -> bool:
    """Return whether a resize of planes is faster than one of pixels between two transposes.

    Rows of planes cost time however short they are, and more where columns are neither doubled nor
    left out evenly. Gain by planes (AMD EPYC, Zen 3, 2026-11-30): 7 columns to 14 of 1024 channels
    0.5, 13 to 26 of 256 1.05, 16 to 32 of 64 1.1, 28 to 56 of 64 1.5, 64 to 32 of 64 1.7; others
    13 to 17 of 256 0.6, 28 to 42 of 64 0.75, 80 to 100 of 32 0.85 and of 128 2.6, 64 to 96 of 32
    1.1, 100 to 150 of 16 0.85, 112 to 168 of 64 3.2.
    """
    before, after = edit.shape(step.inputs[0]), edit.shape(step.output)
    if None in (*before, *after):
        return False
    old, new = int(before[2] or 0), int(after[2] or 0)
    return new >= 26 if new in (2 * old, 4 * old) or old % new == 0 else max(old, new) >= 96


def _in_planes(edit: Edit, node: Node, step: Node, source: str, *, last: bool) -> str:
    """Put a step in front of the transpose that ends them, or in its place; return its value."""
    image = _moving_input(edit, step)
    inputs = [source if x == image else _turned(edit, x) for x in step.inputs]
    attributes = step.attributes
    if step.kind == "resize":
        n, c, h, w = (int(size or 0) for size in edit.shape(source))
        lines = {"shape": (n * c, h, w, 1)}
        value = edit.fresh(f"{step.output}_lines")
        inputs = [edit.insert(node, Node("reshape", inputs, value, lines, {}, step.name))]
        value = edit.fresh(f"{step.output}_resized")
        new = Node("resize", inputs, value, dict(attributes), {}, step.name)
        inputs = [edit.insert(node, new)]
        attributes = {"shape": (n, c, *edit.shape(step.output)[1:3])}
    kind = "reshape" if step.kind == "resize" else step.kind
    if last:
        edit.become(node, kind, inputs, attributes, {}, step.name)
        return node.output
    value = edit.fresh(f"{step.output}_planes")
    return edit.insert(node, Node(kind, inputs, value, dict(attributes), {}, step.name))


def _turned(edit: Edit, constant: str) -> str:
    values = edit.constant(constant)
    assert values is not None
    if values.size == 1:
        return constant
    aligned = values.reshape((1,) * (4 - values.ndim) + values.shape).transpose(_TO_NCHW)
    return edit.add_constant(f"{constant}_planes", aligned)
