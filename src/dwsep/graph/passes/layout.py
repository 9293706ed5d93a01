"""Brings images from the file's NCHW to NHWC, with transposes only where none can be avoided.

No transposes are inserted and cancelled. The pass walks the graph once and keeps, for each value,
the order in which its axes lie in memory (see `permutation`). A convolution demands NHWC;
elementwise nodes take the order of their input and their axes attributes follow; a `transpose` of
the file only renames the axes and moves nothing; a `reshape` carries the order as far as the axes
that it merges or splits lie together. Where a node demands an order that a value does not have, a
transpose is made, once for all readers. Inputs and outputs of the graph keep the file's order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ir import Graph, Node, TensorType
from ..ops import OPS
from ..ops.layout_rules import RULES
from ..permutation import Perm, between, identity, same_order
from ..sizes import Shape, shape_argument
from ._preferred_layouts import preferred_layouts


def run(graph: Graph) -> bool:
    """Rewrite a graph whose images are NCHW; one whose images are NHWC is left alone."""
    if graph.channels_last:
        return False
    _Layout(graph).rewrite()
    return True


class _Layout:
    """What was rewritten so far. Names and types in `file` are the file's."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.file: dict[str, Shape] = {name: type.shape for name, type in graph.types.items()}
        self.preferred = preferred_layouts(graph)
        self.outputs = set(graph.outputs)
        self.nodes: list[Node] = []
        self.types: dict[str, TensorType] = {}  # as in memory
        # For each value the orders in which it exists, and their names; the first is preferred.
        self.forms: dict[str, dict[Perm, str]] = {}
        self.taken = {*self.file, *graph.inputs}
        self.placed: set[str] = set()
        self.suffix = 0

    def rewrite(self) -> None:
        graph = self.graph
        for name in (*graph.inputs, *graph.constants):
            self.types[name] = graph.types[name]
            self.forms[name] = {identity(len(self.file[name])): name}
            self.placed.add(name)
        for name in graph.inputs:
            preferred = self.preferred.get(name)
            if preferred is not None and preferred != identity(len(preferred)):
                self.form(name, preferred)
                self.forms[name] = dict(reversed(self.forms[name].items()))
        for node in graph.nodes:
            RULES[OPS[node.kind].layout].rewrite(self, node)
        for name in dict.fromkeys(graph.outputs):
            self.finish_output(name)
        graph.nodes, graph.types, graph.channels_last = self.nodes, self.types, True

    def finish_output(self, name: str) -> None:
        source = self.form(name, identity(len(self.file[name])))
        if source != name:
            self.nodes.append(Node("identity", [source], name))
            self.types[name] = self.types[source]
            self.placed.add(name)

    # --- values in memory ---------------------------------------------------------------------

    def order(self, value: str) -> Perm:
        return next(iter(self.forms[value]))

    def form(self, value: str, perm: Perm) -> str:
        """Return the name of a value in an order of axes; make it if it does not exist."""
        forms = self.forms[value]
        if perm in forms:
            return forms[perm]
        type_ = self.graph.types[value].permuted(perm)
        old = next((p for p in forms if same_order(self.file[value], p, perm)), self.order(value))
        source = forms[old]
        if value in self.graph.constants:
            forms[perm] = self.constant(value, self.graph.constants[source], between(old, perm))
            return forms[perm]
        if not same_order(self.file[value], old, perm):
            forms[perm] = self.add(
                Node("transpose", [source], "", {"perm": between(old, perm)}), value, perm, type_
            )
        elif type_.shape == self.types[source].shape:
            forms[perm] = source
        else:
            argument = shape_argument(self.types[source].shape, type_.shape)
            forms[perm] = self.add(
                Node("reshape", [source], "", {"shape": argument}), value, perm, type_
            )
        return forms[perm]

    def constant(self, value: str, array: np.ndarray[Any, Any], perm: Perm) -> str:
        name = self.fresh(value)
        self.graph.constants[name] = np.ascontiguousarray(array.transpose(perm))
        self.types[name] = TensorType.of(self.graph.constants[name])
        return name

    def fresh(self, like: str) -> str:
        while (name := f"{like}_{self.suffix}") in self.taken:
            self.suffix += 1
        self.taken.add(name)
        return name

    def add(self, node: Node, value: str, perm: Perm, type_: TensorType) -> str:
        """Append a node that computes a value in some order; return the name it gets.

        A graph output has its name in the file's order only, other values in their first.
        """
        as_in_file = perm == identity(len(perm)) or value not in self.outputs
        node.output = value if as_in_file and value not in self.placed else self.fresh(value)
        self.placed.add(node.output)
        self.nodes.append(node)
        self.types[node.output] = type_
        return node.output

    # --- nodes ----------------------------------------------------------------------------------

    def emit(self, node: Node, inputs: list[str], perm: Perm, **attributes: Any) -> None:
        """Append a node that works in memory's order, with the attributes that follow it."""
        new = Node(
            node.kind, inputs, "", {**node.attributes, **attributes}, node.weights, node.name
        )
        type_ = self.graph.types[node.output].permuted(perm)
        self.forms[node.output] = {perm: self.add(new, node.output, perm, type_)}

    def common_order(self, node: Node) -> Perm:
        """Choose an order for several inputs: what readers prefer, else that of a whole one."""
        rank = len(self.file[node.output])
        candidates = [
            value
            for value in node.inputs
            if value not in self.graph.constants and len(self.file[value]) == rank
        ]
        preferred = self.preferred.get(node.output)
        if preferred is not None and any(preferred in self.forms[value] for value in candidates):
            return preferred
        full = [v for v in candidates if self.file[v] == self.file[node.output]]
        chosen = next(iter(full or candidates), None)
        return identity(rank) if chosen is None else self.order(chosen)

    def aligned(self, value: str, perm: Perm) -> str:
        """Return an operand that broadcasts against an array whose axes have been permuted."""
        missing = len(perm) - len(self.file[value])
        if not missing:
            return self.form(value, perm)
        own = tuple(axis - missing for axis in perm if axis >= missing)
        name = self.form(value, own)
        shape = tuple(1 if axis < missing else self.file[value][axis - missing] for axis in perm)
        while shape and shape[0] == 1 and len(shape) > len(self.types[name].shape):
            shape = shape[1:]
        if shape == self.types[name].shape:
            return name
        if value in self.graph.constants:
            constant = self.fresh(value)
            sizes = [int(size or 0) for size in shape]  # constants have no open sizes
            self.graph.constants[constant] = self.graph.constants[name].reshape(sizes)
            self.types[constant] = self.types[name].with_shape(shape)
            return constant
        argument = shape_argument(self.types[name].shape, shape)
        new = Node("reshape", [name], self.fresh(value), {"shape": argument})
        self.nodes.append(new)
        self.types[new.output] = self.types[name].with_shape(shape)
        return new.output
