"""Takes images as they lie in memory, if the caller has them so, instead of as in the file."""

from __future__ import annotations

from ..ir import Graph, Node
from ..permutation import NHWC, inverse
from ..sizes import shape_argument
from ._edit import Edit


def run(graph: Graph) -> bool:
    """Declare inputs NHWC that something makes NHWC; what reads them otherwise turns them back.

    Sequences, which are made images of one row, become (N, W, C) in place of (N, C, W).
    """
    edit = Edit(graph)
    for name in graph.inputs:
        if edit.is_output(name):
            continue
        if len(edit.shape(name)) == 3:
            _adopt_sequence(edit, name)
        else:
            _adopt(edit, name)
    return edit.finish()


def _adopt_sequence(edit: Edit, name: str) -> None:
    n, c, w = edit.shape(name)
    image, makers, between = (n, 1, w, c), list[Node](), set[str]()
    for reader in edit.readers(name):
        if reader.kind != "reshape":
            continue
        if edit.shape(reader.output) == image and 1 in (c, w):
            makers.append(reader)
        elif edit.shape(reader.output) == (n, c, 1, w):
            turns = [r for r in edit.readers(reader.output) if _turns(r)]
            makers += turns
            if len(turns) == len(edit.readers(reader.output)):
                between.add(reader.output)
    makers = [node for node in makers if not edit.is_output(node.output)]
    if not makers:
        return
    others = [r for r in edit.readers(name) if r not in makers and r.output not in between]
    edit.graph.types[name] = edit.graph.types[name].with_shape((n, w, c))
    if others:
        turned = Node("transpose", [name], edit.fresh(f"{name}_ncw"), {"perm": (0, 2, 1)})
        edit.redirect(name, edit.insert(others[0], turned), lambda node: node in others)
    for maker in makers:
        edit.become(maker, "reshape", [name], {"shape": shape_argument((n, w, c), image)})


def _turns(node: Node) -> bool:
    return node.kind == "transpose" and tuple(node.attributes["perm"]) == NHWC


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
    if _turns(node):
        return True
    shape = graph.shape(node.inputs[0])
    if node.kind != "reshape" or len(shape) != 4:
        return False
    _, c, h, w = shape
    turned = tuple(shape[axis] for axis in NHWC)
    return (c == 1 or h == w == 1) and graph.shape(node.output) == turned
