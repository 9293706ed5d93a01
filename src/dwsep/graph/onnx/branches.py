"""`If`: one branch, if it is known when the file is loaded which is taken, else both."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ...errors import InvalidModelError
from ..importing import Import, ImportNode
from ..importing.node import FileNode
from ..importing.values import UNKNOWN, Computed, Known, Unsupported, Value, is_symbolic, type_of
from ..ir import DType
from .model import File, initializers, nodes_in_order, onnx_package

Importer = tuple[ImportNode, Collection[str]]


def import_branch(
    state: Import,
    file: File,
    node: FileNode,
    inputs: list[Value | None],
    importer: Importer,
) -> list[Value | None]:
    """Import a node by an importer and the types that it takes.

    What branches compute has no other effects: both are computed where the network decides.
    """
    condition = inputs[0]
    if isinstance(condition, Computed):
        return _both(state, file, node, condition, importer)
    if not isinstance(condition, Known) or condition.array.size != 1:
        shape = None if condition is None else condition.array.shape
        raise InvalidModelError(f"need one condition, got shape {shape}")
    if is_symbolic(condition.array):
        raise Unsupported(f"its condition {UNKNOWN}")
    taken = "then_branch" if condition.array.reshape(()) else "else_branch"
    return Inside(file, node.attributes[taken], len(node.outputs))(state, importer)


class Inside:
    """A graph inside a node, and its constants, which all that import it share."""

    def __init__(self, file: File, graph: Any, outputs: int, inputs: int = 0) -> None:
        if not isinstance(graph, onnx_package().GraphProto):
            raise InvalidModelError("its branches have to be graphs")
        if len(graph.input) != inputs:
            raise InvalidModelError(f"{len(graph.input)} inputs of a graph inside for {inputs}")
        self._outputs = [o.name for o in graph.output]
        if len(self._outputs) != outputs:
            raise InvalidModelError(f"{len(self._outputs)} outputs of a graph inside for {outputs}")
        inner = file._replace(graph=graph)
        self._inputs = [entry.name for entry in graph.input]
        self._nodes = nodes_in_order(inner, self._outputs, inside=True)
        used = {name for n in self._nodes for name in n.reads} | set(self._outputs)
        self._constants = dict(initializers(inner, used))

    def __call__(
        self, state: Import, importer: Importer, inputs: Collection[Value] = ()
    ) -> list[Value | None]:
        """Import it, with values for its inputs, and return its outputs."""
        known: dict[str, Any] = dict(self._constants)
        known.update(zip(self._inputs, inputs, strict=True))
        return state.run_inside(self._nodes, known, *importer, self._outputs)


def _both(
    state: Import, file: File, node: FileNode, condition: Computed, importer: Importer
) -> list[Value | None]:
    """Import both branches; the condition selects their values."""
    build, count = state.build, len(node.outputs)
    if any(n != 1 for n in condition.shape):
        raise InvalidModelError(f"need one condition, got shape {condition.shape}")
    made = [
        Inside(file, node.attributes[branch], count)(state, importer)
        for branch in ("then_branch", "else_branch")
    ]
    one = build.cast(build.reshape(condition, ()), DType.BOOL)
    results: list[Value | None] = []
    for a, b in zip(*made, strict=True):
        if a is None or b is None:  # a problem that is reported
            results.append(None)
            continue
        types = type_of(a), type_of(b)
        if types[0].dtype is not types[1].dtype or types[0].shape != types[1].shape:
            raise Unsupported(f"the network decides between {types[0]} and {types[1]}")
        results.append(build.emit("where", [one, a, b]))
    return results
