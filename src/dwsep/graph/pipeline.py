"""The order of the passes: from the graph of a file to the one that the core computes."""

from __future__ import annotations

from collections.abc import Callable

from .ir import Graph
from .passes import (
    activations,
    batch_norm,
    blocks,
    channel_shuffle,
    columns,
    constants,
    conv_transpose,
    depthwise,
    flatten,
    integer_moves,
    integer_steps,
    integer_tables,
    layer_norm,
    layout,
    padding,
    reshapes,
    residual,
    sequences,
    shared_weights,
    slopes,
    squeeze_excite,
    wider,
)
from .passes.input_layout import run as adopt_nhwc

# What each of these rewrites may open the way for the others, so they run until nothing changes.
_FOLDING: tuple[Callable[[Graph], bool], ...] = (
    constants.run,
    reshapes.run,
    columns.run,
    layer_norm.run,
    activations.run,
    sequences.run,
    batch_norm.run,
    padding.run,
    flatten.run,
)
_ROUNDS = 20  # each pass makes the graph smaller or simpler; networks need two to four rounds


def optimize(graph: Graph, *, input_layout: str | None = None, fuse: bool = True) -> Graph:
    """Rewrite a graph, in place, into one of the kinds that the core computes.

    Parameters
    ----------
    graph : Graph
        As an importer makes it.
    input_layout : {None, "NHWC"}
        With "NHWC" images are taken as they lie in memory, instead of as in the file: inputs that
        would be transposed first are declared (N, H, W, C). Others, which no operator on images
        reads, have no axis that is known to be the channels': they stay as they are.
    fuse : bool, default True
        Whether activations, residuals and whole blocks are fused into one node each.

    Returns
    -------
    Graph
        The same object.

    Raises
    ------
    ValueError
        If `input_layout` is another.
    """
    simplify(graph, input_layout=input_layout, fuse=fuse)
    return finish(graph, fuse=fuse)


def simplify(graph: Graph, *, input_layout: str | None = None, fuse: bool = True) -> Graph:
    """Do what `optimize` does, but for blocks: every step then stores one value, of one kind."""
    if input_layout not in (None, "NHWC"):
        raise ValueError(f"input_layout: need None or 'NHWC', got {input_layout!r}")
    constants.run(graph)
    layout.run(graph)
    if input_layout == "NHWC":
        adopt_nhwc(graph)
    _fold(graph)
    shared_weights.run(graph)
    squeeze_excite.run(graph)
    if fuse:
        _fuse_elementwise(graph)
    conv_transpose.run(graph)
    if fuse:
        _fuse_elementwise(graph)
    depthwise.run(graph)
    squeeze_excite.run(graph)
    for _ in range(_ROUNDS):
        if not channel_shuffle.run(graph):
            break
        _fold(graph)  # what a shuffle has kept apart
        if fuse:
            _fuse_elementwise(graph)
    return graph


def finish(graph: Graph, *, fuse: bool = True) -> Graph:
    """Do what `optimize` does after `simplify`."""
    if fuse:
        _compute_with_integers(graph)
    constants.run(graph)
    if fuse:
        blocks.run(graph)
        slopes.run(graph)
        wider.run(graph)
    return graph


def _fuse_elementwise(graph: Graph) -> None:
    if residual.run(graph):
        batch_norm.run(graph)  # a shift of the sum
    activations.fuse(graph)


def _compute_with_integers(graph: Graph) -> None:
    if not any(node.kind == "dequantize" for node in graph.nodes):
        return
    integer_moves.run(graph)
    constants.run(graph)  # equal conversions are one
    integer_tables.run(graph)
    integer_steps.run(graph)
    integer_tables.fuse(graph)
    graph.float_steps = integer_steps.float_steps(graph)


def _fold(graph: Graph) -> None:
    for _ in range(_ROUNDS):
        changed = [run(graph) for run in _FOLDING]
        if not any(changed):
            return
