"""The passes, each of which rewrites a graph in place and says whether it changed anything.

In the order that is here they lead from the graph of a file to the one that the core computes. A
pass that has nothing to begin from is not even imported (modules take 0.1 to 0.3 ms each), and one
that has changed nothing is not asked again before another one has.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..ir import Graph, Node

# Of a graph, what tells the producer of a value, and a node: whether a pass may begin there. What
# depends on open sizes is left to the pass, which may have to ask less of them.
Producer: TypeAlias = "Callable[[str], Node | None]"
Begins: TypeAlias = "Callable[[Graph, Producer, Node], bool]"


def _any(graph: Graph, made: Producer, node: Node) -> bool:
    return True


def _with_number(graph: Graph, made: Producer, node: Node) -> bool:
    return any(value in graph.constants for value in node.inputs)


def _not_plain(graph: Graph, made: Producer, node: Node) -> bool:
    """Return whether an activation is a clip without a name, or follows another one."""
    before = made(node.inputs[0])
    named = isinstance(node.attributes["activation"], str)
    return not named or (before is not None and before.kind == "activation")


def _function(*functions: str) -> Begins:
    return lambda graph, made, node: node.attributes["function"] in functions


def _is(activation: str) -> Begins:
    return lambda graph, made, node: node.attributes["activation"] == activation


def _clips_or_scales(graph: Graph, made: Producer, node: Node) -> bool:
    function = node.attributes["function"]
    return function in ("mul", "div", "min", "max") or _with_number(graph, made, node)


def _follows_its_kind(graph: Graph, made: Producer, node: Node) -> bool:
    before = made(node.inputs[0])
    return before is not None and before.kind == node.kind


def _of_one(axis: int) -> Begins:
    """Return whether the input is an image of size 1 along an axis."""

    def begins(graph: Graph, made: Producer, node: Node) -> bool:
        shape = graph.shape(node.inputs[0])
        return len(shape) == 4 and (type(shape[axis]) is not int or shape[axis] == 1)

    return begins


def _around_pixels(graph: Graph, made: Producer, node: Node) -> bool:
    both = node.attributes["before"], node.attributes["after"]
    rows = 1 if graph.channels_last else 2
    sides = [n for side in both for n in side[rows : rows + 2]]
    return any(type(n) is not int or n for n in sides)


def _of_the_whole(graph: Graph, made: Producer, node: Node) -> bool:
    rows = 1 if graph.channels_last else 2
    image = graph.shape(node.inputs[0])[rows : rows + 2]
    sizes = zip(image, node.attributes["kernel"], strict=True)
    return all(type(n) is not int or n == k for n, k in sizes)


# What each pass begins from: one of these kinds has to be there. Passes that are not here look at
# nodes of all kinds.
_BEGINNINGS: dict[str, dict[str, Begins]] = {
    "activations.run": {"activation": _not_plain, "binary": _clips_or_scales},
    "batch_norm.run": {"batch_norm": _any, "binary": _with_number},
    "blocks.run": {"depthwise": _any},
    "channel_shuffle.run": {"transpose": _any},
    "columns.run": {"conv": _of_one(2), "pool": _of_one(2), "resize": _of_one(2)},
    "conv_transpose.run": {"conv_transpose": _any},
    "depthwise.run": {"conv": _any, "dense": _any},
    "flatten.run": {"transpose": _any},
    "fusing.activations": {"activation": _any},
    "fusing.residuals": {"binary": _function("add")},
    "layer_norm.run": {"layer_norm": _any, "reduce": _any},
    "padding.run": {"pad": _around_pixels},
    "planes.run": {"transpose": _any},
    "reshapes.run": {"reshape": _follows_its_kind, "transpose": _follows_its_kind},
    "sequences.run": {"reshape": _of_one(1)},
    "shared_weights.run": {"dense": _any},
    "slopes.run": {"binary": _function("prelu")},
    "squeeze_excite.run": {"pool": _of_the_whole, "reduce": _any},
    "unrolled.run": {"activation": _is("tanh")},
    "wider.run": {"pad": _any},
}


# Passes that open nothing for another one: what they make, the other would not change.
_OPENS_NOTHING = {
    "constants.run": ("fusing.residuals", "fusing.activations", "depthwise.run"),
}


class Passes:
    """The passes of a graph, each a function `module.function` of this package by its name."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._version = 0  # counts changes
        self._unchanged: dict[str, int] = {}  # by the pass, the version that it left as it was
        self._seen = -1  # the version that these are of
        self._kinds: dict[str, list[Node]] = {}
        self._made: dict[str, Node] = {}  # once somebody has asked

    def run(self, *names: str) -> bool:
        """Run passes one after the other; return whether any has changed the graph."""
        before = self._version
        for name in names:
            if self._unchanged.get(name) == self._version or not self._has_work(name):
                continue
            module, _, function = name.partition(".")
            if getattr(import_module(f"{__package__}.{module}"), function)(self.graph):
                self._changed(name)
            else:
                self._unchanged[name] = self._version
        return self._version != before

    def _changed(self, name: str) -> None:
        """Count a change by a pass, after which those for which it opens nothing are still done."""
        for other, harmless in _OPENS_NOTHING.items():
            if name in harmless and self._unchanged.get(other) == self._version:
                self._unchanged[other] = self._version + 1
        self._version += 1

    def repeat(self, names: Sequence[str], rounds: int) -> None:
        """Run passes again and again until none changes the graph."""
        for _ in range(rounds):
            if not self.run(*names):
                return

    def _has_work(self, name: str) -> bool:
        beginnings = _BEGINNINGS.get(name)
        if beginnings is None:
            return True
        graph = self.graph
        if self._seen != self._version:
            self._seen, self._kinds, self._made = self._version, {}, {}
            for node in graph.nodes:
                self._kinds.setdefault(node.kind, []).append(node)
        for kind, begins in beginnings.items():
            for node in self._kinds.get(kind, ()):
                if begins(graph, self._producer, node):
                    return True
        return False

    def _producer(self, value: str) -> Node | None:
        if not self._made:
            self._made = {node.output: node for node in self.graph.nodes}
        return self._made.get(value)


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
    passes.run("unrolled.run", "shared_weights.run", "squeeze_excite.run")
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
        passes.run("planes.run")
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
    from .integer_steps import float_steps

    graph.float_steps = float_steps(graph)
