"""The order of the passes: from the graph of a file to the one that the core computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .passes import Passes

if TYPE_CHECKING:
    from .ir import Graph

# What each of these rewrites may open the way for the others, so they run until nothing changes.
_FOLDING = (
    "constants.run",
    "reshapes.run",
    "columns.run",
    "layer_norm.run",
    "activations.run",
    "sequences.run",
    "batch_norm.run",
    "padding.run",
    "flatten.run",
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
    passes = Passes(graph)
    _simplify(passes, input_layout, fuse)
    _finish(passes, fuse)
    return graph


def simplify(graph: Graph, *, input_layout: str | None = None, fuse: bool = True) -> Graph:
    """Do what `optimize` does, but for blocks: every step then stores one value, of one kind."""
    _simplify(Passes(graph), input_layout, fuse)
    return graph


def finish(graph: Graph, *, fuse: bool = True) -> Graph:
    """Do what `optimize` does after `simplify`."""
    _finish(Passes(graph), fuse)
    return graph


def _simplify(passes: Passes, input_layout: str | None, fuse: bool) -> None:
    if input_layout not in (None, "NHWC"):
        raise ValueError(f"input_layout: need None or 'NHWC', got {input_layout!r}")
    passes.run("constants.run")
    if not passes.graph.channels_last:
        passes.run("layout.run")
    if input_layout == "NHWC":
        passes.run("input_layout.run")
    passes.repeat(_FOLDING, _ROUNDS)
    passes.run("shared_weights.run", "squeeze_excite.run")
    if fuse:
        _fuse_elementwise(passes)
    passes.run("conv_transpose.run")
    if fuse:
        _fuse_elementwise(passes)
    passes.run("depthwise.run", "squeeze_excite.run")
    for _ in range(_ROUNDS):
        if not passes.run("channel_shuffle.run"):
            break
        passes.repeat(_FOLDING, _ROUNDS)  # what a shuffle has kept apart
        if fuse:
            _fuse_elementwise(passes)


def _finish(passes: Passes, fuse: bool) -> None:
    if fuse:
        _compute_with_integers(passes)
    passes.run("constants.run")
    if fuse:
        passes.run("blocks.run", "slopes.run", "wider.run")


def _fuse_elementwise(passes: Passes) -> None:
    if passes.run("fusing.residuals"):
        passes.run("batch_norm.run")  # a shift of the sum
    passes.run("fusing.activations")


def _compute_with_integers(passes: Passes) -> None:
    graph = passes.graph
    if not any(node.kind == "dequantize" for node in graph.nodes):
        return
    passes.run("integer_moves.run")
    passes.run("constants.run")  # equal conversions are one
    passes.run("integer_tables.run", "integer_steps.run", "integer_tables.fuse")
    from .passes.integer_steps import float_steps

    graph.float_steps = float_steps(graph)
