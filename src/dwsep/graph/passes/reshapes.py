"""Merges reshapes of reshapes, and transposes of transposes."""

from __future__ import annotations

from ..ir import Graph
from ..sizes import shape_argument
from ._edit import Edit


def run(graph: Graph) -> bool:
    """Let each `reshape` or `transpose` read what the one before it reads."""
    edit = Edit(graph)
    for node in edit.nodes("reshape", "transpose"):
        before = edit.made_by(node.inputs[0], node.kind)
        if before is None:
            continue
        source = before.inputs[0]
        if node.kind == "transpose":
            first = before.attributes["perm"]
            perm = tuple(first[axis] for axis in node.attributes["perm"])
            edit.become(node, "transpose", [source], {"perm": perm})
        else:
            argument = shape_argument(edit.shape(source), edit.shape(node.output))
            edit.become(node, "reshape", [source], {"shape": argument})
    return edit.finish()
