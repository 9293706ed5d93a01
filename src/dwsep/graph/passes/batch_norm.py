"""Folds batch normalisation, and any scale or shift by channel, into convolutions.

S. Ioffe and C. Szegedy, "Batch Normalization", 2015, arXiv:1502.03167: at inference it is a scale
and a shift for each channel, which the convolution before it, or after it, can do as well.
"""

from __future__ import annotations

import numpy as np

from ..ir import Array, Graph, Node
from ._affine import CONSUMERS, Affine, absorb_after, absorb_before, affine_of
from ._edit import PRODUCERS, Edit, Wide, convolutions_of


def run(graph: Graph) -> bool:
    """Fold scales and shifts where that is exact; the others become a `mul` and an `add`."""
    edit = Edit(graph)
    for node in edit.nodes("batch_norm", "binary"):
        _ = _into_producer(edit, node) or _into_branches(edit, node) or _into_affine(edit, node)
    for node in reversed([*edit.nodes("batch_norm", "binary")]):
        _into_consumer(edit, node)
    for node in edit.nodes("batch_norm"):
        _lower(edit, node)
    return edit.finish()


def _into_producer(edit: Edit, node: Node) -> bool:
    """Let the convolution before do what a node does."""
    for value in node.inputs:
        conv = edit.made_by(value, *PRODUCERS)
        if conv is None or not edit.private(value):
            continue
        rank = len(edit.shape(node.output))
        affine = affine_of(edit, node, rank - 1 if conv.kind == "dense" else None)
        weights = None if affine is None else absorb_after(conv, affine)
        if weights is not None:
            edit.take_over(node, conv)
            node.weights = weights
            return True
    return False


def _into_branches(edit: Edit, node: Node) -> bool:
    """Let the convolutions whose channels are put together before do what a node does."""
    for value in node.inputs:
        concat = edit.made_by(value, "concat")
        if concat is None or not edit.private(value):
            continue
        convs = convolutions_of(edit, concat)
        axis = concat.attributes["axis"] % len(edit.shape(value))
        affine = affine_of(edit, node, axis)
        if affine is None or any(_channels_of(edit, conv) != axis for conv in convs):
            continue
        absorbed, first = [], 0
        for conv in convs:
            part = slice(first, first := first + (edit.shape(conv.output)[axis] or 0))
            own = Affine(conv.output, affine.scale[part], affine.shift[part])
            absorbed.append(absorb_after(conv, own))
        if not convs or first != affine.scale.size or None in absorbed:
            continue
        for conv, weights in zip(convs, absorbed, strict=True):
            conv.weights = weights or {}
        edit.take_over(node, concat)
        return True
    return False


def _channels_of(edit: Edit, conv: Node) -> int:
    rank = len(edit.shape(conv.output))
    return rank - 1 if conv.kind == "dense" else edit.channel_axis(rank)


def _into_affine(edit: Edit, node: Node) -> bool:
    """Make two scales or shifts one, unless they are already a `mul` and then an `add`."""
    second = affine_of(edit, node)
    if second is None or not edit.private(second.x):
        return False
    before = edit.made_by(second.x, "batch_norm", "binary")
    first = None if before is None else affine_of(edit, before)
    if before is None or first is None or (_is(before, "mul") and _is(node, "add")):
        return False
    both = second.after(first)
    if both is None:
        return False
    name = before.name or node.name
    shape = edit.shape(node.output)
    channels = shape[edit.channel_axis(len(shape))]
    edit.become(node, "batch_norm", [both.x], {}, _weights(both, channels), name)
    return True


def _is(node: Node, function: str) -> bool:
    return node.kind == "binary" and node.attributes["function"] == function


def _weights(affine: Affine, channels: int | None) -> dict[str, Array]:
    size = affine.scale.size if channels is None else int(channels)  # an open one is held to it
    both = {"scale": affine.scale, "shift": affine.shift}
    return {name: np.broadcast_to(a, (size,)).astype(np.float32) for name, a in both.items()}


def _into_consumer(edit: Edit, node: Node) -> None:
    """Let the convolution after do what a node does, if no padding comes between."""
    if not edit.private(node.output):
        return
    reader = edit.readers(node.output)[0]
    if reader.kind not in CONSUMERS or reader.inputs[0] != node.output:
        return
    rank = len(edit.shape(node.output))
    affine = affine_of(edit, node, rank - 1 if reader.kind == "dense" else None)
    weights = None if affine is None else absorb_before(reader, affine)
    if affine is not None and weights is not None:
        edit.rewire(reader, [affine.x, *reader.inputs[1:]])
        reader.weights = weights


def _lower(edit: Edit, node: Node) -> None:
    """Write a normalisation that stays as a multiplication and an addition."""
    affine = affine_of(edit, node)
    assert affine is not None
    x = affine.x
    steps = [("mul", affine.scale, 1.0), ("add", affine.shift, 0.0)]
    steps = [step for step in steps if np.any(step[1] != step[2])] or steps[1:]
    for function, values, _ in steps[:-1]:
        inputs = [x, _constant(edit, node, function, values)]
        value = edit.fresh(f"{node.output}_{function}")
        attributes = {"function": function, "activation": None}
        scaled = Node("binary", inputs, value, attributes, name=node.name)
        x = edit.insert(node, scaled)
    function, values, _ = steps[-1]
    inputs = [x, _constant(edit, node, function, values)]
    edit.become(node, "binary", inputs, {"function": function, "activation": None})


def _constant(edit: Edit, node: Node, function: str, values: Wide) -> str:
    rank = len(edit.shape(node.output))
    trailing = (1,) * (rank - 1 - edit.channel_axis(rank))
    aligned = values.reshape(-1, *trailing) if np.ptp(values) else values[0]
    return edit.add_constant(f"{node.output}_{function}_constant", np.asarray(aligned))
