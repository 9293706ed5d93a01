"""Takes images as they lie in memory, if the caller has them so, instead of as in the file."""

from __future__ import annotations

from ..ir import Graph, Node
from ..permutation import NHWC, inverse
from ._edit import Edit


def run(graph: Graph) -> bool:
    """Declare inputs NHWC that something makes NHWC; what reads them otherwise turns them back."""
    edit = Edit(graph)
    for name in graph.inputs:
        if not edit.is_output(name):
            _adopt(edit, name)
    return edit.finish()


def _adopt(edit: Edit, name: str) -> None:
    graph, readers = edit.graph, edit.readers(name)
    makers = [n for n in readers if _makes_nhwc(graph, n) and not edit.is_output(n.output)]
    if not makers:
        return
    others = [node for node in readers if node not in makers]
    graph.types[name] = graph.types[makers[0].output]
    if others:
        turned = Node("transpose", [name], edit.fresh(f"{name}_nchw"), {"perm": inverse(NHWC)})
        edit.redirect(name, edit.insert(others[0], turned), lambda node: node in others)
    for maker in makers:
        edit.redirect(maker.output, name)


def _makes_nhwc(graph: Graph, node: Node) -> bool:
    """Return whether a node turns NCHW into NHWC; for one channel or pixel that is a `reshape`."""
    if node.kind == "transpose":
        return tuple(node.attributes["perm"]) == NHWC
    shape = graph.shape(node.inputs[0])
    if node.kind != "reshape" or len(shape) != 4:
        return False
    _, c, h, w = shape
    turned = tuple(shape[axis] for axis in NHWC)
    return (c == 1 or h == w == 1) and graph.shape(node.output) == turned
