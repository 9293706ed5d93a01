"""`If`, of which the branch that is taken must be known when the file is loaded."""

from __future__ import annotations

from collections.abc import Collection

from ...errors import InvalidModelError
from ..importing import Import, ImportNode
from ..importing.node import FileNode
from ..importing.values import UNKNOWN, Known, Unsupported, Value, is_symbolic
from .model import File, initializers, nodes_in_order, onnx_package


def import_branch(
    state: Import,
    file: File,
    node: FileNode,
    inputs: list[Value | None],
    importer: tuple[ImportNode, Collection[str]],
) -> list[Value | None]:
    """Import the nodes of the branch that is taken, by an importer and the types that it takes."""
    condition = inputs[0]
    if not isinstance(condition, Known):
        raise Unsupported("its condition is computed by the network")
    if condition.array.size != 1:
        raise InvalidModelError(f"need one condition, got shape {condition.array.shape}")
    if is_symbolic(condition.array):
        raise Unsupported(f"its condition {UNKNOWN}")
    graph = node.attributes["then_branch" if condition.array.reshape(()) else "else_branch"]
    if not isinstance(graph, onnx_package().GraphProto) or graph.input:
        raise InvalidModelError("its branches have to be graphs without inputs")
    outputs = [o.name for o in graph.output]
    if len(outputs) != len(node.outputs):
        raise InvalidModelError(f"{len(outputs)} outputs of a branch for {len(node.outputs)}")
    inner = file._replace(graph=graph)
    nodes = nodes_in_order(inner, outputs, inside=True)
    used = {name for n in nodes for name in n.reads} | set(outputs)
    return state.run_inside(nodes, initializers(inner, used), *importer, outputs)
