"""From an ONNX file to a graph."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import InvalidModelError, UnsupportedOperatorError
from ..importing.importer import Import
from ..importing.inputs import check_names, input_shape
from ..importing.node import FileNode
from ..importing.unsupported import Unsupported
from ..importing.values import Value
from ..ir import Graph
from .call import Call
from .folding import FOLDED, fold
from .model import File, check_against_schema, check_types, initializers, nodes_in_order, read
from .operators import IMPORTERS


def import_onnx(
    source: str | os.PathLike[str] | bytes | Any,
    *,
    input_shapes: Mapping[str, Sequence[int | None]] | None = None,
    outputs: Sequence[str] | None = None,
) -> Graph:
    """Return the graph of an ONNX model.

    Parameters
    ----------
    source : path, bytes or onnx.ModelProto
        The model; opset 7 up to the newest that the installed onnx knows, float32. Weights may lie
        in other files inside the directory of the model's file.
    input_shapes : mapping of str to sequence of int or None, optional
        Shapes of inputs, instead of those in the file. The first size may be None, the batch.
    outputs : sequence of str, optional
        Values of the file that the graph gives, instead of the file's outputs.

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
    problems = check_types(file)
    try:
        graph = _graph(file, input_shapes or {}, outputs)
    except (InvalidModelError, UnsupportedOperatorError) as error:
        if not problems:
            raise
        problems.append(str(error))
    if problems:
        raise UnsupportedOperatorError(
            f"{file.name}: dwsep computes in float32, but\n  " + "\n  ".join(problems)
        )
    return graph


def _graph(
    file: File, given: Mapping[str, Sequence[int | None]], outputs: Sequence[str] | None
) -> Graph:
    known = initializers(file)
    inputs = [entry for entry in file.graph.input if entry.name not in known]
    check_names(file.name, given, [entry.name for entry in inputs])
    network = file.graph.name or "model"
    state = Import(file.name, network, nodes_in_order(file), known, channels_last=False)
    for entry in inputs:
        shape = input_shape(file.name, entry.name, _declared(entry), given.get(entry.name))
        state.add_input(entry.name, shape)

    def import_node(
        node: FileNode, values: list[Value | None], wanted: list[str]
    ) -> list[Value | None]:
        check_against_schema(node, file.opset)
        call = Call(state.build, node.name, node.type, values, wanted, file.opset, node.attributes)
        result = fold(call)
        if result is None:
            if node.type not in IMPORTERS:
                raise Unsupported("it is supported for values that are known in advance only")
            result = IMPORTERS[node.type](call)
        return result if isinstance(result, list) else [result]

    names = [o.name for o in file.graph.output] if outputs is None else outputs
    return state.run(import_node, {*IMPORTERS, *FOLDED}, names)


def _declared(entry: Any) -> list[int | str] | None:
    """Return the sizes of an input; those that the file leaves open by their names."""
    type_ = entry.type.tensor_type
    if not type_.HasField("shape"):
        return None
    return [d.dim_value if d.dim_value > 0 else d.dim_param for d in type_.shape.dim]
