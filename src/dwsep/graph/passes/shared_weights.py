"""Joins products with the same weights: an unrolled layer's steps read them once, not each.

Files that unroll a recurrent layer multiply the inputs of each step by themselves. One product of
all of them gives the same bits and reads the weights once; twenty rows of 4096 by 400 took 10 ms
one by one, mostly for their 6.5 MB, of which each had a copy.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..ir import AnyArray, Graph, Node
from ._edit import Edit

_FEWEST_WEIGHTS = 2**16  # below, they stay in a cache
_MOST_ROWS = 16  # of each: more rows pay for reading the weights


def run(graph: Graph) -> bool:
    """Join dense nodes of one step that do not depend on each other."""
    changed = False
    for group in list(_groups(Edit(graph))):
        edit = Edit(graph)  # the group before may have made one of these depend on another
        for independent in _by_level(graph, group):
            if len(independent) > 1:
                _join(edit, independent)
        if edit.finish():
            graph.nodes = sort(graph.nodes)
            changed = True
    return changed


def _groups(edit: Edit) -> Iterator[list[Node]]:
    """Yield nodes with the same weights and activation."""
    groups: list[list[Node]] = []
    for node in edit.nodes("dense"):
        shape = edit.shape(node.inputs[0])
        few = len(shape) == 2 and (shape[0] is None or shape[0] <= _MOST_ROWS)
        if not few or len(node.inputs) > 1 or node.weights["weight"].size < _FEWEST_WEIGHTS:
            continue
        for group in groups:
            if _same(edit, group[0], node):
                group.append(node)
                break
        else:
            groups.append([node])
    yield from (group for group in groups if len(group) > 1)


def _same(edit: Edit, a: Node, b: Node) -> bool:
    return (
        edit.shape(a.inputs[0]) == edit.shape(b.inputs[0])
        and a.attributes == b.attributes
        and equal(a.weights["weight"], b.weights["weight"])
        and equal(a.weights.get("bias"), b.weights.get("bias"))
    )


def equal(a: AnyArray | None, b: AnyArray | None) -> bool:
    if a is None or b is None:
        return a is b
    # Most that differ do so in the first row.
    return a is b or (a.shape == b.shape and np.array_equal(a[:1], b[:1]) and np.array_equal(a, b))


def _by_level(graph: Graph, group: list[Node]) -> list[list[Node]]:
    """Divide nodes: those that follow as many of the others do not depend on each other."""
    members, level = {id(node) for node in group}, dict.fromkeys(graph.inputs, 0)
    levels: dict[int, list[Node]] = {}
    for node in graph.nodes:
        before = max((level.get(value, 0) for value in node.inputs), default=0)
        level[node.output] = before
        if id(node) in members:
            level[node.output] += 1
            levels.setdefault(before, []).append(node)
    return list(levels.values())


def _join(edit: Edit, nodes: list[Node]) -> None:
    """Let nodes become parts of one product (N, nodes, outputs), computed before the last."""
    last, columns = nodes[-1], nodes[0].weights["weight"].shape

    def add(kind: str, inputs: list[str], **attributes: object) -> str:
        new = Node(kind, inputs, edit.fresh(f"{last.output}/{kind}"), attributes, {}, last.name)
        return edit.insert(last, new)

    parts = [add("reshape", [n.inputs[0]], shape=(0, 1, columns[0])) for n in nodes]
    rows = add("concat", parts, axis=1)
    joined = Node(
        "dense", [rows], edit.fresh(f"{last.output}/dense"), dict(last.attributes), last.weights
    )
    joined.name = last.name
    product = edit.insert(last, joined)
    for number, node in enumerate(nodes):
        part = add(
            "slice",
            [product],
            starts=(0, number, 0),
            stops=(None, number + 1, None),
            steps=(1, 1, 1),
        )
        edit.become(node, "reshape", [part], {"shape": (0, columns[1])})


def sort(nodes: list[Node]) -> list[Node]:
    """Return nodes each behind those that it reads, otherwise in their order."""
    makers = {node.output: node for node in nodes}
    done: set[int] = set()
    result: list[Node] = []
    for first in nodes:
        stack = [first]
        while stack:
            node = stack[-1]
            missing = [
                makers[value]
                for value in reversed(node.inputs)
                if value in makers and id(makers[value]) not in done
            ]
            if missing:
                stack += missing
                continue
            stack.pop()
            if id(node) not in done:
                done.add(id(node))
                result.append(node)
    return result
