"""How nodes follow when the axes of their inputs lie in another order in memory than in the file.

A rule has two parts. `rewrite` adds a node to the graph in which images are NHWC: it chooses the
order of the axes and rewrites the attributes that name axes. `prefer` says in which order the node
would like to have its inputs, given the order in which its own readers would like its output.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..ir import Node, TensorType
from ..permutation import (
    Perm,
    carry,
    channels_last,
    dropped,
    identity,
    inverse,
    permuted,
    same_order,
)
from ..sizes import Shape, shape_argument

if TYPE_CHECKING:
    from typing import Protocol

    class Layout(Protocol):
        """The layout pass, as rules see it."""

        file: dict[str, Shape]  # shapes as in the file
        types: dict[str, TensorType]  # as in memory
        forms: dict[str, dict[Perm, str]]  # of each value the orders in which it exists
        preferred: dict[str, Perm]

        def order(self, value: str) -> Perm:
            """Return the order in which a value lies in memory."""

        def form(self, value: str, perm: Perm) -> str:
            """Return the name of a value in an order of axes, which is made if need be."""

        def emit(self, node: Node, inputs: list[str], perm: Perm, **attributes: Any) -> None:
            """Add a node that works in memory's order, with the attributes that follow it."""

        def common_order(self, node: Node) -> Perm:
            """Return the best order for all inputs of a node."""

        def aligned(self, value: str, perm: Perm) -> str:
            """Return an operand that broadcasts against an array in this order."""


Rewrite: TypeAlias = "Callable[[Layout, Node], None]"
# Of a node, the order preferred of its output, and the rank of an input.
Preference: TypeAlias = "Callable[[Node, Perm | None, int], Perm | None]"


def nothing_preferred(node: Node, output: Perm | None, rank: int) -> Perm | None:
    return None


def as_output(node: Node, output: Perm | None, rank: int) -> Perm | None:
    """Prefer the inputs in the order that is preferred of the output."""
    return output if output is not None and len(output) == rank else None


def _channels_last(node: Node, output: Perm | None, rank: int) -> Perm | None:
    return channels_last(rank)


class LayoutRule:
    """See the module; the preference of a rule that demands outranks that of other readers."""

    def __init__(
        self, rewrite: Rewrite, prefer: Preference = nothing_preferred, demands: bool = False
    ) -> None:
        self.rewrite, self.prefer, self.demands = rewrite, prefer, demands


def as_in_file(layout: Layout, node: Node) -> None:
    """Take and make all values in the file's order."""
    inputs = [layout.form(value, identity(len(layout.file[value]))) for value in node.inputs]
    layout.emit(node, inputs, identity(len(layout.file[node.output])))


def _image(layout: Layout, node: Node) -> None:
    perm = channels_last(len(layout.file[node.output]))
    layout.emit(node, [layout.form(value, perm) for value in node.inputs], perm)


def _over_last_axis(layout: Layout, node: Node) -> None:
    rank = len(layout.file[node.inputs[0]])
    perm = (*(axis for axis in layout.order(node.inputs[0]) if axis != rank - 1), rank - 1)
    layout.emit(node, [layout.form(value, perm) for value in node.inputs], perm)


def _elementwise(layout: Layout, node: Node) -> None:
    perm = layout.order(node.inputs[0])
    layout.emit(node, [layout.form(node.inputs[0], perm)], perm)


def _along_axis(layout: Layout, node: Node) -> None:
    perm = layout.order(node.inputs[0])
    axis = perm.index(node.attributes["axis"] % len(perm))
    layout.emit(node, [layout.form(node.inputs[0], perm)], perm, axis=axis)


def _align(layout: Layout, node: Node) -> None:
    perm = layout.common_order(node)
    layout.emit(node, [layout.aligned(value, perm) for value in node.inputs], perm)


def _keep_forms(layout: Layout, node: Node) -> None:
    layout.forms[node.output] = dict(layout.forms[node.inputs[0]])


def _rename_axes(layout: Layout, node: Node) -> None:
    back = inverse(tuple(node.attributes["perm"]))
    layout.forms[node.output] = {
        tuple(back[axis] for axis in perm): name
        for perm, name in layout.forms[node.inputs[0]].items()
    }


def _before_transpose(node: Node, output: Perm | None, rank: int) -> Perm | None:
    if output is None or len(output) != rank:
        return None
    perm = node.attributes["perm"]
    return tuple(perm[axis] for axis in output)


def _carry_order(layout: Layout, node: Node) -> None:
    x, y = layout.file[node.inputs[0]], layout.file[node.output]
    wanted = layout.preferred.get(node.output)
    options = [(p, *carry(x, y, p, wanted)) for p in layout.forms[node.inputs[0]]]
    free = [option for option in options if same_order(x, *option[:2])]
    _, before, after = (free or options)[0]
    source = layout.form(node.inputs[0], before)
    target = permuted(y, after)
    if target == layout.types[source].shape:
        layout.forms[node.output] = {after: source}
    else:
        argument = shape_argument(layout.types[source].shape, target)
        layout.emit(node, [source], after, shape=argument)


def _follow_axis(layout: Layout, node: Node) -> None:
    perm = layout.order(node.inputs[0])
    axis = node.attributes["axis"] % len(perm)
    dimensions = np.ndim(node.attributes["indices"])
    if dimensions > 1:
        as_in_file(layout, node)
        return
    after = perm if dimensions else dropped(perm, {axis})
    layout.emit(node, [layout.form(node.inputs[0], perm)], after, axis=perm.index(axis))


def _join(layout: Layout, node: Node) -> None:
    perm = layout.common_order(node)
    axis = perm.index(node.attributes["axis"] % len(perm))
    layout.emit(node, [layout.form(value, perm) for value in node.inputs], perm, axis=axis)


def _follow_scales(layout: Layout, node: Node) -> None:
    perm = layout.order(node.inputs[0])
    axis = node.attributes.get("axis")
    moved = None if axis is None else perm.index(axis)
    layout.emit(node, [layout.form(node.inputs[0], perm)], perm, axis=moved)


def _follow_axes(layout: Layout, node: Node) -> None:
    perm = layout.order(node.inputs[0])
    axes = {axis % len(perm) for axis in node.attributes["axes"]}
    after = perm if node.attributes["keepdims"] else dropped(perm, axes)
    places = tuple(sorted(perm.index(axis) for axis in axes))
    layout.emit(node, [layout.form(node.inputs[0], perm)], after, axes=places)


def _by_axis(*names: str, passes_on: bool = True) -> LayoutRule:
    """Return the rule of a node whose attributes `names` have an entry for every axis."""

    def rewrite(layout: Layout, node: Node) -> None:
        perm = layout.order(node.inputs[0])
        if any(len(node.attributes[name]) != len(perm) for name in names):
            as_in_file(layout, node)
            return
        moved = {name: tuple(node.attributes[name][axis] for axis in perm) for name in names}
        layout.emit(node, [layout.form(node.inputs[0], perm)], perm, **moved)

    return LayoutRule(rewrite, as_output if passes_on else nothing_preferred)


# By the names that specifications of kinds have for them.
RULES = {
    "as_in_file": LayoutRule(as_in_file),
    "image": LayoutRule(_image, _channels_last, demands=True),
    "over_last_axis": LayoutRule(_over_last_axis),
    "elementwise": LayoutRule(_elementwise, as_output),
    "aligned": LayoutRule(_align, as_output),  # operands that broadcast
    "along_axis": LayoutRule(_along_axis, as_output),
    "scaled": LayoutRule(_follow_scales, as_output),
    "identity": LayoutRule(_keep_forms, as_output),
    "reshape": LayoutRule(_carry_order),
    "transpose": LayoutRule(_rename_axes, _before_transpose),
    "concat": LayoutRule(_join, as_output),
    "slice": _by_axis("starts", "stops", "steps"),
    "pad": _by_axis("before", "after"),
    "gather": LayoutRule(_follow_axis),
    "expand": _by_axis("shape", passes_on=False),
    "reduce": LayoutRule(_follow_axes),
}
