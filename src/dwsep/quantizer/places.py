"""Which values of a graph are stored as integers.

Only what a fused step stores is rounded, never what lies between a convolution and its activation.
Steps that move values (reshape, concat, max pool) pass integers on, so all that they connect has
one scale.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from ..graph.ir import DType, Graph, Node
from ..graph.passes._edit import Edit
from ..graph.passes._patterns import bounds
from ..graph.passes.squeeze_excite import SqueezeExcite, match

__all__ = ["CONVOLUTIONS", "Places", "find_places", "moves", "scalar_step", "step_name"]

CONVOLUTIONS = ("depthwise", "pointwise", "standard")
_MOVES = ("identity", "reshape", "transpose", "slice", "gather", "expand", "concat")
_FUNCTIONS = ("add", "sub", "mul")


def step_name(node: Node) -> str:
    """Return what reports call a step."""
    return node.name or node.output


@dataclass
class Places:
    """Where integers are.

    Attributes
    ----------
    stored : dict of str to str
        For each value that is rounded, in the order of the graph, the name of those with its scale.
    by_channel : frozenset of str
        Values that may have a scale for each channel.
    steps : dict of str to Node
        Convolutions that read integers, by the names of their values.
    gates : frozenset of str
        Names of values of convolutions in squeeze-excite, which compute in float32, with weights of
        int8.
    """

    stored: dict[str, str] = field(default_factory=dict)
    by_channel: frozenset[str] = frozenset()
    steps: dict[str, Node] = field(default_factory=dict)
    gates: frozenset[str] = frozenset()

    def sharing(self) -> dict[str, list[str]]:
        """Return the values that share each scale."""
        result: dict[str, list[str]] = {}
        for value, group in self.stored.items():
            result.setdefault(group, []).append(value)
        return result


class _Groups:
    """Values that must have the same scale."""

    def __init__(self) -> None:
        self.parent: dict[str, str] = {}

    def of(self, value: str) -> str:
        while (parent := self.parent.get(value, value)) != value:
            self.parent[value] = self.parent.get(parent, parent)
            value = parent
        return value

    def join(self, values: Iterable[str]) -> None:
        first, *others = (self.of(value) for value in values)
        for other in others:
            if self.of(other) != first:
                self.parent[self.of(other)] = first


def moves(node: Node) -> bool:
    """Return whether a step only rearranges what it reads, and perhaps zeros."""
    a = node.attributes
    if node.kind == "pad":
        return a["mode"] != "constant" or not a.get("value")
    if node.kind == "pool":
        return bool(a["function"] == "max")
    return node.kind in _MOVES or (node.kind == "resize" and a["function"] == "nearest")


def _keeps_scale(node: Node) -> bool:
    """Return whether a step's result has the scale of its input, though it is rounded again."""
    return node.kind == "resize" and node.attributes["function"] == "linear"


def _light(graph: Graph, node: Node) -> bool:
    """Return whether integers can be read by a step that is no convolution."""
    a = node.attributes
    if node.kind == "binary":
        clip = a.get("activation") is None or bounds(a["activation"]) is not None
        return a["function"] in _FUNCTIONS and clip
    if node.kind == "reduce":
        return bool(a["function"] == "mean")
    if node.kind == "pool":
        return bool(a["function"] == "average")
    return node.kind in ("activation", "unary") or _keeps_scale(node)


def find_places(graph: Graph, *, keep_float: Collection[str] = ()) -> Places:
    """Find the values to round and the convolutions that then read integers.

    Squeeze-excite computes its factors, a number for each channel, in float32, of rounded means:
    in int8 it cost up to 4 dB.

    Parameters
    ----------
    graph : Graph
        As `simplify` leaves it.
    keep_float : collection of str
        Names of steps that compute in float32.
    """
    edit = Edit(graph)
    gates = [found for node in graph.nodes if (found := match(edit, node)) is not None]
    inner = {n.output: n for gate in gates for n in (gate.reduce, gate.excite)}
    steps = {
        node.output: node
        for node in graph.nodes
        if node.kind in CONVOLUTIONS and step_name(node) not in keep_float
        if node.output not in inner
    }
    groups = _Groups()
    for node in graph.nodes:
        if moves(node) or _keeps_scale(node):
            groups.join([node.output, *(v for v in node.inputs if _is_real(graph, v))])
    wanted = {groups.of(v) for node in steps.values() for v in node.inputs}
    wanted |= _means(gates, groups, keep_float)
    _spread(graph, groups, wanted, keep_float)
    moved = {node.output for node in graph.nodes if moves(node)}
    values = [*graph.inputs, *graph.constants, *(node.output for node in graph.nodes)]
    scalars = {v for v, array in graph.constants.items() if array.size == 1}
    stored = {
        v: groups.of(v)
        for v in values
        if v not in moved and v not in scalars and groups.of(v) in wanted and _is_real(graph, v)
    }
    members = list(groups.of(v) for v in values)
    alone = {v for v in stored if members.count(groups.of(v)) == 1}
    by_channel = frozenset(v for v in alone if _only_depthwise(edit, v, steps))
    of_bytes = frozenset(v for v, node in inner.items() if step_name(node) not in keep_float)
    return Places(stored, by_channel, steps, of_bytes)


def _is_real(graph: Graph, value: str) -> bool:
    return graph.types[value].dtype is DType.FLOAT32


def _means(
    gates: Iterable[SqueezeExcite], groups: _Groups, keep_float: Collection[str]
) -> set[str]:
    return {groups.of(g.mean.output) for g in gates if step_name(g.product) not in keep_float}


def _spread(graph: Graph, groups: _Groups, wanted: set[str], keep_float: Collection[str]) -> None:
    """Let light steps whose result is stored as integers read integers."""
    before = -1
    while before != len(wanted):
        before = len(wanted)
        for node in reversed(graph.nodes):
            if groups.of(node.output) not in wanted or step_name(node) in keep_float:
                continue
            if _light(graph, node):
                wanted |= {groups.of(v) for v in node.inputs if v not in graph.constants}


def scalar_step(graph: Graph, node: Node) -> tuple[str, float] | None:
    """Return what a step reads, and the number that it adds or multiplies by."""
    if node.kind != "binary" or node.attributes.get("activation") is not None:
        return None
    for x, other in (node.inputs, node.inputs[::-1]):
        constant = graph.constants.get(other)
        if constant is not None and constant.size == 1 and x not in graph.constants:
            first = node.inputs[0] == x
            commutes = node.attributes["function"] in ("add", "mul")
            return (x, float(constant.item())) if first or commutes else None
    return None


def _only_depthwise(edit: Edit, value: str, steps: dict[str, Node]) -> bool:
    """Return whether a depthwise step alone reads what a convolution makes.

    Numbers that are added or multiplied in between are none of the integers' business.
    """
    if not edit.private(value):
        return False
    (reader,) = edit.readers(value)
    while value not in steps:
        maker = edit.producer.get(value)
        found = None if maker is None else scalar_step(edit.graph, maker)
        if found is None or not edit.private(found[0]):
            return False
        value = found[0]
    return reader.kind == "depthwise" and reader.output in steps and len(steps[value].inputs) == 1
