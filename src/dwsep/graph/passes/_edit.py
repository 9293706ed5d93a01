"""A graph while a pass rewrites it: who computes and who reads each value, kept up to date.

Most rewrites let the last node of a pattern `become` the new one: it keeps its place, where all
that the pattern reads is computed, and its name, which others read. What nobody reads any more dies
at once, so that it does not count as a reader, and is swept away at the end. A pass over n nodes
costs O(n) however much it rewrites.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..ir import AnyArray, Array, Graph, Node, TensorType
from ..ops import infer
from ..sizes import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

Wide: TypeAlias = "NDArray[np.float64]"

# Convolutions by the shape of their weights; dense ones have their channels on the last axis.
PRODUCERS = (
    "conv",
    "conv_transpose",
    "dense",
    "depthwise",
    "pointwise",
    "standard",
    "separable",
    "inverted_residual",
)


def spatial_axes(graph: Graph) -> tuple[int, int]:
    """Return the axes of rows and columns of an image."""
    return (1, 2) if graph.channels_last else (2, 3)


class Edit:
    """The index of a graph's values and the changes to it.

    Attributes
    ----------
    graph : Graph
    producer : dict of str to Node
        The node of each value that a node computes.
    changed : bool
        Whether anything was rewritten so far.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.producer = {node.output: node for node in graph.nodes}
        self.changed = False
        self._outputs = set(graph.outputs)
        self._readers: dict[str, dict[int, Node]] = {}
        self._before: dict[int, list[Node]] = {}
        self._suffixes: dict[str, int] = {}
        self._dead: set[int] = set()
        self._names: set[str] = set()  # that values have, once a new one is needed
        readers = self._readers
        for node in graph.nodes:
            number = id(node)
            for value in node.inputs:
                readers.setdefault(value, {})[number] = node

    def _read(self, node: Node) -> None:
        for value in node.inputs:
            self._readers.setdefault(value, {})[id(node)] = node

    # --- questions ------------------------------------------------------------------------------

    def nodes(self, *kinds: str) -> Iterator[Node]:
        """Yield the nodes of these kinds (all without any), but for new ones and dead ones."""
        for node in list(self.graph.nodes):
            if (not kinds or node.kind in kinds) and id(node) not in self._dead:
                yield node

    def is_output(self, value: str) -> bool:
        return value in self._outputs

    def readers(self, value: str) -> list[Node]:
        """Return the nodes that read a value, each once."""
        return list(self._readers.get(value, {}).values())

    def private(self, value: str) -> bool:
        """Return whether a value is read by one node, at one place, and is no graph output."""
        readers = self.readers(value)
        if value in self._outputs or len(readers) != 1:
            return False
        return readers[0].inputs.count(value) == 1

    def made_by(self, value: str, *kinds: str) -> Node | None:
        """Return the node that computes a value if it is of these kinds."""
        node = self.producer.get(value)
        return node if node is not None and node.kind in kinds else None

    def shape(self, value: str) -> Shape:
        return self.graph.types[value].shape

    def constant(self, value: str) -> AnyArray | None:
        return self.graph.constants.get(value)

    def scalar(self, value: str) -> float | None:
        """Return the number that a constant of one element is."""
        constant = self.graph.constants.get(value)
        return float(constant.item()) if constant is not None and constant.size == 1 else None

    def channel_axis(self, rank: int) -> int:
        """Return the axis of the channels of an image, or of features (N, C)."""
        return rank - 1 if self.graph.channels_last or rank < 3 else 1

    # --- changes --------------------------------------------------------------------------------

    def fresh(self, like: str) -> str:
        """Return a name that no value has yet, in constant time for all but the first."""
        if not self._names:
            graph = self.graph
            self._names = {*graph.types, *graph.constants, *graph.inputs, *self.producer}
        name = like
        while name in self._names:
            self._suffixes[like] = self._suffixes.get(like, 0) + 1
            name = f"{like}_{self._suffixes[like]}"
        self._names.add(name)
        return name

    def rewire(self, node: Node, inputs: list[str]) -> None:
        """Make a node read other values; what only it has read dies."""
        self.changed = True
        if inputs == node.inputs:
            return
        lost = [value for value in node.inputs if value not in inputs]
        for value in node.inputs:
            self._readers.get(value, {}).pop(id(node), None)
        node.inputs = inputs
        self._read(node)
        self._release(lost)

    def _release(self, values: list[str]) -> None:
        """Let nodes die whose values nobody reads."""
        while values:
            value = values.pop()
            node = self.producer.get(value)
            if node is None or self._readers.get(value) or value in self._outputs:
                continue
            del self.producer[value]
            self._dead.add(id(node))
            for read in node.inputs:
                self._readers[read].pop(id(node), None)
            values += node.inputs

    def become(
        self,
        node: Node,
        kind: str,
        inputs: list[str],
        attributes: Mapping[str, Any] | None = None,
        weights: Mapping[str, Array] | None = None,
        name: str = "",
    ) -> None:
        """Turn a node into another one that computes the same value."""
        self.rewire(node, inputs)
        node.kind = kind
        node.attributes = dict(attributes or {})
        node.weights = dict(weights or {})
        node.name = name or node.name

    def take_over(self, node: Node, source: Node, **attributes: Any) -> None:
        """Let a node become what another one is, with some attributes changed."""
        self.become(
            node,
            source.kind,
            list(source.inputs),
            {**source.attributes, **attributes},
            source.weights,
            source.name,
        )

    def redirect(self, old: str, new: str, only: Callable[[Node], bool] | None = None) -> None:
        """Let the readers of a value, or some of them, read another that is computed before."""
        for node in self.readers(old):
            if only is None or only(node):
                self.rewire(node, [new if value == old else value for value in node.inputs])

    def insert(self, before: Node, node: Node) -> str:
        """Put a new node in front of another; return the name of its value."""
        self._before.setdefault(id(before), []).append(node)
        return self._add(node)

    def append(self, node: Node) -> str:
        """Put a new node behind all others; return the name of its value."""
        self.graph.nodes.append(node)
        return self._add(node)

    def _add(self, node: Node) -> str:
        graph = self.graph
        inputs = [graph.types[value] for value in node.inputs]
        graph.types[node.output] = infer(node, inputs, channels_last=graph.channels_last)
        self.producer[node.output] = node
        if self._names:
            self._names.add(node.output)
        self._read(node)
        self.changed = True
        return node.output

    def add_constant(self, like: str, values: Wide | AnyArray) -> str:
        """Make a value that is known, of float64 rounded to float32; return its name."""
        name = self.fresh(like)
        dtype = np.float32 if values.dtype == np.float64 else values.dtype
        array = np.ascontiguousarray(values, dtype=dtype).reshape(np.shape(values))
        self.graph.constants[name] = array
        self.graph.types[name] = TensorType.of(array)
        return name

    def rename_output(self, node: Node, name: str) -> None:
        """Give a node's value another name; its readers follow."""
        old = node.output
        del self.producer[old]
        node.output = name
        self.producer[name] = node
        self.graph.types[name] = self.graph.types.pop(old)
        self.redirect(old, name)
        self.changed = True

    def finish(self) -> bool:
        """Put new nodes in their places, sweep dead ones; return whether anything changed."""
        graph = self.graph
        if self._before:
            graph.nodes = [n for node in graph.nodes for n in (*self._chain(node), node)]
            self._before.clear()
        if self.changed:
            self.sweep()
        return self.changed

    def _chain(self, node: Node) -> Iterator[Node]:
        for new in self._before.get(id(node), ()):
            yield from self._chain(new)
            yield new

    def sweep(self) -> None:
        """Remove the nodes and constants that nobody reads."""
        graph = self.graph
        readers = self._readers
        self._release([n.output for n in graph.nodes if not readers.get(n.output)])
        if self._dead:
            for node in graph.nodes:
                if id(node) in self._dead:
                    graph.types.pop(node.output, None)
            graph.nodes = [node for node in graph.nodes if id(node) not in self._dead]
            self.changed = True
        for name in [*graph.constants]:
            if name not in self._outputs and not self._readers.get(name):
                del graph.constants[name]
                graph.types.pop(name, None)
                self.changed = True


def convolutions_of(edit: Edit, concat: Node) -> list[Node]:
    """Return what makes the inputs of a concat, if all are convolutions that nothing else reads."""
    made = [edit.made_by(value, *PRODUCERS) for value in concat.inputs if edit.private(value)]
    found = [conv for conv in made if conv is not None]
    return found if len(found) == len(concat.inputs) else []
