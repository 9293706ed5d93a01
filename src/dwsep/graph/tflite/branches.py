"""Branches of IF are computed both, in place of the node, and the condition selects.

What branches compute has no other effects: those that keep variables stay where they are, and are
reported as not supported.
"""

from __future__ import annotations

from ...errors import InvalidModelError
from ..importing.node import FileNode
from ..replaced import replaced
from .parts import VARIABLES, File, Subgraph, Tensor

_MOST = 64  # one may be in a branch of another


def without_branches(file: File) -> File:
    """Return a file in which the operators of all branches are the file's own."""
    graphs: dict[int, Subgraph] = {}
    inlined = 0
    while any(node.type == "IF" for node in file.nodes):
        nodes: list[FileNode] = []
        tensors = dict(file.tensors)
        before = inlined
        for node in file.nodes:
            parts = _selected(file, node, tensors, graphs) if node.type == "IF" else None
            nodes += [node] if parts is None else parts
            inlined += parts is not None
            if inlined > _MOST:
                raise InvalidModelError(f"{file.name}: more than {_MOST} nodes IF")
        if inlined == before:
            break
        file = replaced(file, nodes=nodes, tensors=tensors)
    return file


def _selected(
    file: File, node: FileNode, tensors: dict[str, Tensor], graphs: dict[int, Subgraph]
) -> list[FileNode] | None:
    """Return the nodes of both branches and those that select, None if branches keep variables."""
    nodes: list[FileNode] = []
    results: list[list[str]] = []
    for branch in ("then", "else"):
        number = int(node.attributes[f"{branch}_subgraph_index"])
        if number not in graphs:
            graphs[number] = file.others(number)
        graph = graphs[number]
        if any(inner.type in VARIABLES for inner in graph.nodes):
            return None
        if len(graph.inputs) != len(node.inputs) - 1 or len(graph.outputs) != len(node.outputs):
            raise InvalidModelError(f"node {node.name} (IF) does not fit its branches")
        names = dict(zip(graph.inputs, node.inputs[1:], strict=True))
        for name, tensor in graph.tensors.items():
            if name not in names:
                own = f"{node.name}/{branch}/{name}"
                while own in tensors:
                    own += "_"
                names[name], tensors[own] = own, replaced(tensor, name=own)
        nodes += [
            FileNode(
                f"{node.name}/{branch}/{inner.name}",
                inner.type,
                [names.get(name, "") for name in inner.inputs],
                [names[name] for name in inner.outputs],
                inner.attributes,
            )
            for inner in graph.nodes
        ]
        results.append([names[name] for name in graph.outputs])
    for made, *values in zip(node.outputs, *results, strict=True):
        nodes.append(FileNode(made, "SELECT_V2", [node.inputs[0], *values], [made], {}))
    return nodes
