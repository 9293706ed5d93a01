"""Runs passes on a graph, but for those that would find nothing to do.

A pass whose kinds of nodes are not there is not even imported (modules take 0.1 to 0.3 ms each),
and one that has changed nothing is not asked again before another one has.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from ..ir import Graph

# What each pass begins from: one of these kinds has to be there. Passes that are not here look at
# nodes of all kinds.
_KINDS = {
    "activations.fuse": {"activation"},
    "activations.run": {"activation", "binary"},
    "batch_norm.run": {"batch_norm", "binary"},
    "blocks.run": {"pointwise"},
    "channel_shuffle.run": {"transpose"},
    "columns.run": {"conv", "pool", "resize"},
    "conv_transpose.run": {"conv_transpose"},
    "depthwise.run": {"conv", "dense"},
    "flatten.run": {"transpose"},
    "layer_norm.run": {"layer_norm", "reduce"},
    "padding.run": {"pad"},
    "reshapes.run": {"reshape", "transpose"},
    "residual.run": {"binary"},
    "sequences.run": {"reshape"},
    "shared_weights.run": {"dense"},
    "slopes.run": {"binary"},
    "squeeze_excite.run": {"pool", "reduce"},
    "wider.run": {"pad"},
}


class Passes:
    """The passes of a graph, each a function `module.function` of this package by its name."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._version = 0  # counts changes
        self._unchanged: dict[str, int] = {}  # by the pass, the version that it left as it was

    def run(self, *names: str) -> bool:
        """Run passes one after the other; return whether any has changed the graph."""
        before = self._version
        for name in names:
            if self._unchanged.get(name) == self._version or not self._has_work(name):
                continue
            module, _, function = name.partition(".")
            if getattr(import_module(f"{__package__}.{module}"), function)(self.graph):
                self._version += 1
            else:
                self._unchanged[name] = self._version
        return self._version != before

    def repeat(self, names: Sequence[str], rounds: int) -> None:
        """Run passes again and again until none changes the graph."""
        for _ in range(rounds):
            if not self.run(*names):
                return

    def _has_work(self, name: str) -> bool:
        kinds = _KINDS.get(name)
        return kinds is None or any(node.kind in kinds for node in self.graph.nodes)
