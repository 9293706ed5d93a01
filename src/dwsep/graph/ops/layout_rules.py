"""How nodes follow when the axes of their inputs lie in another order in memory than in the file.

A rule has two parts. `rewrite` adds a node to the graph in which images are NHWC: it chooses the
order of the axes and rewrites the attributes that name axes. `prefer` says in which order the node
would like to have its inputs, given the order in which its own readers would like its output.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from ..ir import Node
from ..permutation import Perm, channels_last, identity
from ..types import Shape, TensorType

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


AS_IN_FILE = LayoutRule(as_in_file)
IMAGE = LayoutRule(_image, _channels_last, demands=True)
OVER_LAST_AXIS = LayoutRule(_over_last_axis)
ELEMENTWISE = LayoutRule(_elementwise, as_output)
ALIGNED = LayoutRule(_align, as_output)  # operands that broadcast
ALONG_AXIS = LayoutRule(_along_axis, as_output)


def by_axis(*names: str, passes_on: bool = True) -> LayoutRule:
    """Return the rule of a node whose attributes `names` have an entry for every axis."""

    def rewrite(layout: Layout, node: Node) -> None:
        perm = layout.order(node.inputs[0])
        if any(len(node.attributes[name]) != len(perm) for name in names):
            as_in_file(layout, node)
            return
        moved = {name: tuple(node.attributes[name][axis] for axis in perm) for name in names}
        layout.emit(node, [layout.form(node.inputs[0], perm)], perm, **moved)

    return LayoutRule(rewrite, as_output if passes_on else nothing_preferred)
