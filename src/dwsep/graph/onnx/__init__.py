"""Imports ONNX models; nothing outside this package knows the format."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...errors import InvalidModelError, UnsupportedOperatorError
from ..importing import Import
from ..importing.inputs import Example, Opened, check_names, fixed_input, input_shape
from ..importing.node import FileNode
from ..importing.values import Known, Unsupported, Value
from ..ir import DType, Graph
from .branches import import_branch
from .call import Call
from .folding import FOLDED, fold
from .model import (
    File,
    check_against_schema,
    check_types,
    initializers,
    input_type,
    nodes_in_order,
    read,
)
from .old import SINCE, modern
from .registry import IMPORTERS
from .small_integers import import_call

__all__ = ["import_onnx"]

_FLOAT16 = 10


def import_onnx(
    source: str | os.PathLike[str] | bytes | Any,
    *,
    input_shapes: Mapping[str, Sequence[int | None]] | None = None,
    outputs: Sequence[str] | None = None,
    constants: Mapping[str, Any] | None = None,
    example: Example | None = None,
) -> Graph:
    """Return the graph of an ONNX model.

    Parameters
    ----------
    source : path, bytes or onnx.ModelProto
        The model, of any opset that the installed onnx knows. It is computed in float32 where the
        file says float16 or float64: inputs and outputs stay float16, and float64 ones become
        float32. Weights may lie in other files inside the directory of the model's file.
    input_shapes : mapping of str to sequence of int or None, optional
        Shapes of inputs, instead of those in the file; None is a size that is open.
    outputs : sequence of str, optional
        Values of the file that the graph gives, instead of the file's outputs. What they do not
        need is left out before it is looked at: nodes, weights and inputs.
    constants : mapping of str to array, optional
        Inputs that are no inputs of the graph, but these values.
    example : callable, optional
        Sizes for those that stay open; without it none but the first may.

    Returns
    -------
    Graph
        As `ir` describes what importers make. Inputs and outputs have the names of the file; an
        output that does not depend on the inputs is one of the graph's constants.

    Raises
    ------
    UnsupportedOperatorError
        If there are nodes that dwsep cannot compute; the message lists all of them.
    InvalidModelError
        If the file is damaged or contradicts itself, or if `input_shapes` does not fit it.
    ImportError
        If the onnx package is not installed.
    """
    file = read(source)
    names = [o.name for o in file.graph.output] if outputs is None else list(outputs)
    _check_outputs(file, names)
    nodes = nodes_in_order(file, names)
    read_values = {name for node in nodes for name in node.reads} | set(names)
    declared = {entry.name for entry in file.graph.input}
    used = read_values | declared if outputs is None else read_values
    problems = check_types(file, used)
    try:
        graph = _graph(
            file,
            nodes,
            used,
            input_shapes or {},
            constants or {},
            names,
            Opened(example, channels_last=False),
        )
    except (InvalidModelError, UnsupportedOperatorError) as error:
        if not problems:
            raise
        problems.append(str(error))
    if problems:
        raise UnsupportedOperatorError(
            f"{file.name}: there are types that dwsep has no values of\n  " + "\n  ".join(problems)
        )
    return graph


def _check_outputs(file: File, names: Sequence[str]) -> None:
    made = {name for node in file.graph.node for name in node.output if name}
    made |= {entry.name for entry in file.graph.input} | {t.name for t in file.graph.initializer}
    for name in names:
        if name not in made:
            import difflib  # a millisecond, for this error alone

            close = difflib.get_close_matches(str(name), made, n=3)
            hint = f"; there are {', '.join(map(repr, close))}" if close else ""
            raise InvalidModelError(f"{file.name}: nothing makes the output {name!r}{hint}")


def _graph(
    file: File,
    nodes: Sequence[FileNode],
    used: Collection[str],
    given: Mapping[str, Sequence[int | None]],
    fixed: Mapping[str, Any],
    outputs: Sequence[str],
    opened: Opened,
) -> Graph:
    known = initializers(file, used)
    constants = {tensor.name for tensor in file.graph.initializer}
    inputs = [entry for entry in file.graph.input if entry.name not in constants]
    check_names(file.name, given, [entry.name for entry in inputs])
    check_names(file.name, fixed, [entry.name for entry in inputs], "constants")
    for entry in inputs:
        if entry.name in fixed:
            type_ = input_type(entry) or DType.FLOAT32
            array = fixed_input(file.name, entry.name, _declared(entry), type_, fixed[entry.name])
            known[entry.name] = Known(array, entry.name)
    network = file.graph.name or "model"
    state = Import(file.name, network, nodes, known, channels_last=False)
    for entry in inputs:
        if entry.name not in used or entry.name in fixed:
            continue
        shape = input_shape(file.name, entry.name, _declared(entry), given.get(entry.name), opened)
        dtype = input_type(entry) or DType.FLOAT32
        half = dtype is DType.FLOAT16
        state.add_input(entry.name, shape, dtype, computed_as=DType.FLOAT32 if half else None)

    supported = {*IMPORTERS, *FOLDED}
    state.build.graph.open = opened.sizes
    types = {
        entry.name: DType.FLOAT16
        for entry in (*file.graph.output, *file.graph.value_info)
        if entry.type.tensor_type.elem_type == _FLOAT16
    }
    types |= {
        name: DType.FLOAT16  # of an output the file may leave the type to the node
        for node in nodes
        if node.type == "Cast" and node.attributes.get("to") in (_FLOAT16, "FLOAT16")  # to opset 5
        for name in node.outputs
    }
    graph = state.run(_Nodes(file, state, supported), supported, outputs, types)
    graph.lengths = {name: length for name, length in graph.lengths.items() if name in outputs}
    graph.outputs += dict.fromkeys(length.count for length in graph.lengths.values())
    return graph


class _Nodes:
    """Imports nodes of a file, and those of graphs inside them.

    (A function that names itself is a circle: it would keep the weights until one looks for those.)
    """

    def __init__(self, file: File, state: Import, supported: set[str]) -> None:
        self._file, self._state, self._supported = file, state, supported

    def __call__(
        self, node: FileNode, values: list[Value | None], wanted: list[str]
    ) -> list[Value | None]:
        file, state = self._file, self._state
        opset = max(file.opset, SINCE)
        if file.opset < SINCE:
            node, values = modern(state.build, node, values, file.opset)
        check_against_schema(node, opset)
        if node.type == "If":
            return import_branch(state, file, node, values, (self, self._supported))
        if node.type == "Scan" and file.opset < 9:
            raise Unsupported("dwsep has it as opset 9 and later define it")
        if node.type in ("Loop", "Scan"):
            from .loops import import_loop, import_scan  # few files have any

            imported = import_loop if node.type == "Loop" else import_scan
            return imported(state, file, node, values, (self, self._supported))
        call = Call(state.build, node.name, node.type, values, wanted, opset, node.attributes)
        result: Value | list[Value | None] | None = fold(call)
        if result is None:
            if node.type not in IMPORTERS:
                raise Unsupported("it is supported for values that are known in advance only")
            result = import_call(call)
        return result if isinstance(result, list) else [result]


def _declared(entry: Any) -> list[int | str] | None:
    """Return the sizes of an input; those that the file leaves open by their names."""
    type_ = entry.type.tensor_type
    if not type_.HasField("shape"):
        return None
    return [d.dim_value if d.dim_value > 0 else d.dim_param for d in type_.shape.dim]
