"""Brings images from the file's NCHW to NHWC, with transposes only where none can be avoided.

No transposes are inserted and cancelled. The pass walks the graph once and keeps, for each value,
the order in which its axes lie in memory (see `_permutation`). A convolution demands NHWC;
elementwise nodes take the order of their input and their axes attributes follow; a `transpose` of
the file only renames the axes and moves nothing; a `reshape` carries the order as far as the axes
that it merges or splits lie together. Where a node demands an order that a value does not have, a
transpose is made, once for all readers. Inputs and outputs of the graph keep the file's order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..ir import Graph, Node
from ..types import Shape, TensorType
from ._permutation import (
    Perm,
    between,
    carry,
    channels_last,
    dropped,
    identity,
    inverse,
    permuted,
    same_order,
)
from ._wishes import IMAGE_KINDS, wishes


def run(graph: Graph) -> bool:
    """Rewrite a graph whose images are NCHW; one whose images are NHWC is left alone."""
    if graph.channels_last:
        return False
    _Layout(graph).rewrite()
    return True


def shape_argument(source: Shape, target: Shape) -> tuple[int, ...]:
    """Return the attribute of a `reshape` between two shapes, of which the batch may be unknown."""
    keeps = source[:1] == target[:1] == (None,)
    return tuple((0 if keeps else -1) if size is None else size for size in target)


class _Layout:
    """What was rewritten so far. Names and types in `file` are the file's."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.file: dict[str, Shape] = {name: type.shape for name, type in graph.types.items()}
        self.wanted = wishes(graph)
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
            wanted = self.wanted.get(name)
            if wanted is not None and wanted != identity(len(wanted)):
                self.form(name, wanted)
                self.forms[name] = dict(reversed(self.forms[name].items()))
        for node in graph.nodes:
            _HANDLERS.get(node.kind, _Layout.as_in_file)(self, node)
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

    def as_in_file(self, node: Node) -> None:
        inputs = [self.form(value, identity(len(self.file[value]))) for value in node.inputs]
        self.emit(node, inputs, identity(len(self.file[node.output])))

    def image(self, node: Node) -> None:
        perm = channels_last(len(self.file[node.output]))
        self.emit(node, [self.form(value, perm) for value in node.inputs], perm)

    def over_last_axis(self, node: Node) -> None:
        rank = len(self.file[node.inputs[0]])
        perm = (*(axis for axis in self.order(node.inputs[0]) if axis != rank - 1), rank - 1)
        self.emit(node, [self.form(value, perm) for value in node.inputs], perm)

    def elementwise(self, node: Node) -> None:
        perm = self.order(node.inputs[0])
        self.emit(node, [self.form(node.inputs[0], perm)], perm)

    def along_axis(self, node: Node) -> None:
        perm = self.order(node.inputs[0])
        axis = perm.index(node.attributes["axis"] % len(perm))
        self.emit(node, [self.form(node.inputs[0], perm)], perm, axis=axis)

    def by_axis(self, node: Node) -> None:
        """Handle attributes that have an entry for every axis."""
        names = {
            "slice": ("starts", "stops", "steps"),
            "pad": ("before", "after"),
            "expand": ("shape",),
        }[node.kind]
        perm = self.order(node.inputs[0])
        if any(len(node.attributes[name]) != len(perm) for name in names):
            self.as_in_file(node)
            return
        moved = {name: tuple(node.attributes[name][axis] for axis in perm) for name in names}
        self.emit(node, [self.form(node.inputs[0], perm)], perm, **moved)

    def same(self, node: Node) -> None:
        self.forms[node.output] = dict(self.forms[node.inputs[0]])

    def transpose(self, node: Node) -> None:
        back = inverse(tuple(node.attributes["perm"]))
        self.forms[node.output] = {
            tuple(back[axis] for axis in perm): name
            for perm, name in self.forms[node.inputs[0]].items()
        }

    def reshape(self, node: Node) -> None:
        x, y = self.file[node.inputs[0]], self.file[node.output]
        wanted = self.wanted.get(node.output)
        options = [(p, *carry(x, y, p, wanted)) for p in self.forms[node.inputs[0]]]
        free = [option for option in options if same_order(x, *option[:2])]
        _, before, after = (free or options)[0]
        source = self.form(node.inputs[0], before)
        target = permuted(y, after)
        if target == self.types[source].shape:
            self.forms[node.output] = {after: source}
        else:
            argument = shape_argument(self.types[source].shape, target)
            self.emit(node, [source], after, shape=argument)

    def reduce(self, node: Node) -> None:
        perm = self.order(node.inputs[0])
        axes = {axis % len(perm) for axis in node.attributes["axes"]}
        after = perm if node.attributes["keepdims"] else dropped(perm, axes)
        places = tuple(sorted(perm.index(axis) for axis in axes))
        self.emit(node, [self.form(node.inputs[0], perm)], after, axes=places)

    def gather(self, node: Node) -> None:
        perm = self.order(node.inputs[0])
        axis = node.attributes["axis"] % len(perm)
        dimensions = np.ndim(node.attributes["indices"])
        if dimensions > 1:
            self.as_in_file(node)
            return
        after = perm if dimensions else dropped(perm, {axis})
        self.emit(node, [self.form(node.inputs[0], perm)], after, axis=perm.index(axis))

    def common_order(self, node: Node) -> Perm:
        """Choose an order for several inputs: what readers want, else what a whole one has."""
        rank = len(self.file[node.output])
        candidates = [
            value
            for value in node.inputs
            if value not in self.graph.constants and len(self.file[value]) == rank
        ]
        wanted = self.wanted.get(node.output)
        if wanted is not None and any(wanted in self.forms[value] for value in candidates):
            return wanted
        full = [v for v in candidates if self.file[v] == self.file[node.output]]
        chosen = next(iter(full or candidates), None)
        return identity(rank) if chosen is None else self.order(chosen)

    def concat(self, node: Node) -> None:
        perm = self.common_order(node)
        axis = perm.index(node.attributes["axis"] % len(perm))
        self.emit(node, [self.form(value, perm) for value in node.inputs], perm, axis=axis)

    def binary(self, node: Node) -> None:
        perm = self.common_order(node)
        self.emit(node, [self.aligned(value, perm) for value in node.inputs], perm)

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


_HANDLERS: dict[str, Callable[[_Layout, Node], None]] = {
    **dict.fromkeys(IMAGE_KINDS, _Layout.image),
    **dict.fromkeys(("dense", "layer_norm"), _Layout.over_last_axis),
    **dict.fromkeys(("activation", "unary"), _Layout.elementwise),
    **dict.fromkeys(("slice", "pad", "expand"), _Layout.by_axis),
    "softmax": _Layout.along_axis,
    "identity": _Layout.same,
    "transpose": _Layout.transpose,
    "reshape": _Layout.reshape,
    "reduce": _Layout.reduce,
    "gather": _Layout.gather,
    "concat": _Layout.concat,
    "binary": _Layout.binary,
}
