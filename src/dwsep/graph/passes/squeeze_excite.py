"""Brings global pooling and squeeze-excite to one form, which `blocks` can fuse.

J. Hu, L. Shen, G. Sun, "Squeeze-and-Excitation Networks", 2018, arXiv:1709.01507: each channel is
multiplied by a factor that two small layers compute from the means of all channels. Files write the
layers as 1x1 convolutions of a 1x1 image or as fully connected ones between reshapes.
"""

from __future__ import annotations

from ..ir import Graph, Node
from ._edit import Edit, spatial_axes


class SqueezeExcite:
    """y = x * excite(reduce(mean of x)), `mean` being of one pixel."""

    __slots__ = ("excite", "mean", "product", "reduce", "x")

    def __init__(self, x: str, mean: Node, reduce: Node, excite: Node, product: Node) -> None:
        self.x, self.product = x, product
        self.mean, self.reduce, self.excite = mean, reduce, excite

    @property
    def inner(self) -> tuple[Node, ...]:
        return self.mean, self.reduce, self.excite


def run(graph: Graph) -> bool:
    """Write global pooling as `reduce` over H and W and drop the reshapes in squeeze-excite."""
    edit = Edit(graph)
    for node in edit.nodes("pool"):
        _global_pool(edit, node)
    if graph.channels_last:
        for node in edit.nodes("binary"):
            _straighten(edit, node)
    return edit.finish()


def _global_pool(edit: Edit, node: Node) -> None:
    """Write pooling with a window of the whole image as a reduction."""
    axes = spatial_axes(edit.graph)
    shape = edit.shape(node.inputs[0])
    whole = tuple(node.attributes["kernel"]) == tuple(shape[axis] for axis in axes)
    rounds_away = node.attributes.get("ties") == "away"  # a reduction of integers does not
    if not whole or any(node.attributes["padding"]) or rounds_away:
        return
    function = {"average": "mean", "max": "max"}[node.attributes["function"]]
    attributes = {"function": function, "axes": axes, "keepdims": True}
    edit.become(node, "reduce", node.inputs, attributes)


def _skip_reshapes(edit: Edit, value: str) -> str:
    """Return what a value is a reshape of, if only axes of size 1 came or went."""
    long = [n for n in edit.shape(value) if n != 1]
    while (node := edit.made_by(value, "reshape")) is not None:
        if [n for n in edit.shape(node.inputs[0]) if n != 1] != long:
            break
        value = node.inputs[0]
    return value


def match(edit: Edit, product: Node) -> SqueezeExcite | None:
    """Return the squeeze-excite that a multiplication ends, reshapes in between allowed."""
    if product.kind != "binary" or product.attributes["function"] != "mul":
        return None
    for x, factors in (product.inputs, product.inputs[::-1]):
        shape = edit.shape(x)
        if len(shape) != 4 or shape != edit.shape(product.output):
            continue
        if edit.shape(factors) != (shape[0], 1, 1, shape[3]):
            continue
        excite = edit.made_by(_skip_reshapes(edit, factors), "pointwise")
        reduce = _producer(edit, excite, "pointwise")
        mean = _producer(edit, reduce, "reduce")
        if excite is None or reduce is None or mean is None or mean.inputs[0] != x:
            continue
        axes = tuple(axis % 4 for axis in mean.attributes["axes"])
        if mean.attributes["function"] == "mean" and sorted(axes) == [1, 2]:
            return SqueezeExcite(x, mean, reduce, excite, product)
    return None


def _producer(edit: Edit, node: Node | None, kind: str) -> Node | None:
    if node is None or len(node.inputs) > 1:
        return None
    return edit.made_by(_skip_reshapes(edit, node.inputs[0]), kind)


def _straighten(edit: Edit, product: Node) -> None:
    """Let all of squeeze-excite work on an image of one pixel, without reshapes."""
    block = match(edit, product)
    if block is None:
        return
    batch, channels = edit.shape(block.x)[0], edit.shape(block.x)[3]
    reduced = block.reduce.weights["weight"].shape[1]
    chain = (block.mean, block.reduce, block.excite)
    if not all(_only(edit, node, block) for node in chain):
        return
    if not block.mean.attributes["keepdims"]:
        block.mean.attributes = {**block.mean.attributes, "keepdims": True}
    for node, last in zip(chain, (channels, reduced, channels), strict=True):
        pixel = edit.graph.types[node.output].with_shape((batch, 1, 1, last))
        edit.graph.types[node.output] = pixel
    for node, value in ((block.reduce, block.mean.output), (block.excite, block.reduce.output)):
        if node.inputs != [value]:
            edit.rewire(node, [value])
    inputs = [block.x if value == block.x else block.excite.output for value in product.inputs]
    if inputs != product.inputs:
        edit.rewire(product, inputs)


def _only(edit: Edit, node: Node, block: SqueezeExcite) -> bool:
    """Return whether nobody else reads an inner node, so that its shape may change."""
    allowed = {block.reduce.output, block.excite.output, block.product.output}
    pending = [node.output]
    while pending:
        value = pending.pop()
        if edit.is_output(value):
            return False
        for reader in edit.readers(value):
            if reader.kind == "reshape":
                pending.append(reader.output)
            elif reader.output not in allowed:
                return False
    return True
