"""Variables of a file, which keep values from call to call, become inputs and outputs.

What a step reads first is an input, what it assigns last an output: the network itself stays
without state, and who runs it passes the one on to the other (`dwsep.Model.session`). Initial
values are those that the file assigns once before all steps.
"""

from __future__ import annotations

import numpy as np

from ...errors import InvalidModelError
from ..importing.node import FileNode
from ..ir import State
from ..replaced import replaced
from .parts import File


class _Variable:
    def __init__(self) -> None:
        self.read = ""  # the tensor that stands for what was there before the step
        self.last = ""  # and for what is there afterwards
        self.initial: list[np.ndarray] = []


def without_variables(file: File) -> tuple[File, dict[str, State]]:
    """Return a file whose variables are inputs and outputs, and those by the inputs' names."""
    variables: dict[str, _Variable] = {}
    handles: dict[str, str] = {}
    renamed: dict[str, str] = {}
    nodes: list[FileNode] = []
    for node in file.nodes:
        node = replaced(node, inputs=[renamed.get(name, name) for name in node.inputs])
        if node.type == "VAR_HANDLE":
            handles[_output(node)] = _key(node)
            variables.setdefault(_key(node), _Variable())
        elif node.type == "READ_VARIABLE":
            variable, result = variables[_handle(node, handles)], _output(node)
            if variable.last:
                renamed[result] = variable.last
            else:
                variable.read = variable.last = result
        elif node.type == "ASSIGN_VARIABLE":
            variable = variables[_handle(node, handles)]
            variable.last = node.inputs[1]
        elif node.type == "CALL_ONCE":
            _initialize(file, int(node.attributes["init_subgraph_index"]), variables)
        else:
            nodes.append(node)
    states = {v.read: State(v.last, _number(v.initial)) for v in variables.values() if v.read}
    outputs = [renamed.get(name, name) for name in file.outputs]
    return replaced(file, inputs=[*file.inputs, *states], outputs=outputs, nodes=nodes), states


def _key(node: FileNode) -> str:
    return node.attributes.get("shared_name") or _output(node)


def _output(node: FileNode) -> str:
    if not node.outputs:
        raise InvalidModelError(f"node {node.name} ({node.type}) has no output")
    return node.outputs[0]


def _handle(node: FileNode, handles: dict[str, str]) -> str:
    name = node.inputs[0] if node.inputs else ""
    if name not in handles or len(node.inputs) < (2 if node.type == "ASSIGN_VARIABLE" else 1):
        raise InvalidModelError(f"node {node.name} ({node.type}) has no variable")
    return handles[name]


def _initialize(file: File, number: int, variables: dict[str, _Variable]) -> None:
    """Take the constants that a subgraph assigns."""
    graph = file.others(number)
    nodes, tensors = graph.nodes, graph.tensors
    handles = {n.outputs[0]: _key(n) for n in nodes if n.type == "VAR_HANDLE" and n.outputs}
    for node in nodes:
        if node.type != "ASSIGN_VARIABLE":
            continue
        tensor = tensors[node.inputs[1]] if len(node.inputs) > 1 else None
        if tensor is None or tensor.data is None:
            raise InvalidModelError(f"variable {node.name} begins with a value that is computed")
        variables.setdefault(_handle(node, handles), _Variable()).initial = [tensor.array()]


def _number(initial: list[np.ndarray]) -> float:
    if not initial or not initial[0].size:
        return 0.0
    values = initial[0]
    if not (values == values.flat[0]).all():
        raise InvalidModelError("a variable begins with values that differ")
    return float(values.flat[0])
