"""Takes images as they lie in memory, if the caller has them so, instead of as in the file."""

from __future__ import annotations

from ..ir import Graph, Node
from ._permutation import NHWC


def run(graph: Graph) -> bool:
    """Declare inputs NHWC that are read only by what makes them NHWC, and drop that."""
    users = graph.users()
    dropped_nodes: dict[str, str] = {}
    for name in graph.inputs:
        readers = users.get(name, [])
        if len(readers) != 1 or name in graph.outputs or readers[0].output in graph.outputs:
            continue
        if _makes_nhwc(graph, readers[0]):
            graph.shapes[name] = graph.shapes.pop(readers[0].output)
            dropped_nodes[readers[0].output] = name
    graph.nodes = [node for node in graph.nodes if node.output not in dropped_nodes]
    for node in graph.nodes:
        node.inputs = [dropped_nodes.get(value, value) for value in node.inputs]
    return bool(dropped_nodes)


def _makes_nhwc(graph: Graph, node: Node) -> bool:
    """Tell whether a node turns NCHW into NHWC; for one channel or pixel that is a `reshape`."""
    if node.kind == "transpose":
        return tuple(node.attributes["perm"]) == NHWC
    shape = graph.shapes[node.inputs[0]]
    if node.kind != "reshape" or len(shape) != 4:
        return False
    _, c, h, w = shape
    turned = tuple(shape[axis] for axis in NHWC)
    return (c == 1 or h == w == 1) and graph.shapes[node.output] == turned
