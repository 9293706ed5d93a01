"""Reads a model and checks all that the importers of operators rely on."""

from __future__ import annotations

import importlib
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._checks import shown
from ..._record import Record
from ...errors import InvalidModelError
from ..importing.node import FileNode, needed_nodes
from ..importing.values import Known, as_float32
from ..ir import DType
from .registry import FOREIGN, Signature
from .tensors import Folder, is_readable, to_array, type_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GRAPH = 5  # the type of attributes


class File(Record):
    """A model as it was read: its graph, where it came from, and its version of the operators."""

    name: str  # for messages
    folder: Folder | None
    graph: Any
    opset: int


def onnx_package() -> Any:
    """Return the onnx package, which is wanted by nobody else."""
    try:
        return importlib.import_module("onnx")
    except ImportError as error:
        raise ImportError(
            "reading ONNX files needs the onnx package: pip install 'dwsep[onnx]'"
        ) from error


def read(source: Any) -> File:
    """Return the model of a path, of bytes, or of a ModelProto."""
    onnx = onnx_package()
    folder = None
    if isinstance(source, onnx.ModelProto):
        name, model = "model", source
    else:
        if isinstance(source, (bytes, bytearray, memoryview)):
            name, data = "model", bytes(source)
        elif isinstance(source, (str, os.PathLike)):
            path = Path(os.fsdecode(source))
            name, data, folder = str(path), path.read_bytes(), Folder.of(path)
        else:
            raise TypeError(f"source: need a path, bytes or a ModelProto, got {shown(source)}")
        model = _parsed(onnx, data, name)
    if not model.HasField("graph"):
        raise InvalidModelError(f"{name}: there is no graph in it")
    if not all(isinstance(text, str) for text in _texts(model)):
        raise InvalidModelError(f"{name}: a name in it is not UTF-8")
    if model.functions:
        raise InvalidModelError(
            f"{name}: has functions; onnx.inliner.inline_local_functions(model) replaces them"
        )
    versions = {o.domain: o.version for o in model.opset_import}
    opset = versions.get("", versions.get("ai.onnx", 0))
    newest = onnx.defs.onnx_opset_version()
    if not 1 <= opset <= newest:
        raise InvalidModelError(f"{name}: need opset 1 to {newest}, got {opset}")
    return File(name, folder, model.graph, opset)


def _parsed(onnx: Any, data: bytes, name: str) -> Any:
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception as error:  # the class depends on the implementation of protobuf
        raise InvalidModelError(f"{name}: is not an ONNX file: {error}") from None
    return model


def _texts(model: Any) -> Iterator[Any]:
    """Yield all strings that are used; protobuf gives those that are not UTF-8 as bytes."""
    yield from (o.domain for o in model.opset_import)
    yield from _texts_of(model.graph)


def _texts_of(graph: Any) -> Iterator[Any]:
    yield graph.name
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (a.name for a in node.attribute)
    for value in (*graph.input, *graph.output):
        yield value.name
        yield from (d.dim_param for d in value.type.tensor_type.shape.dim)
    attributes = (a for node in graph.node for a in node.attribute)
    for tensor in (*graph.initializer, *(a.t for a in attributes)):
        yield tensor.name
        yield from (text for e in tensor.external_data for text in (e.key, e.value))
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == _GRAPH:
                yield from _texts_of(attribute.g)


def nodes_in_order(file: File, outputs: Sequence[str], *, inside: bool = False) -> list[FileNode]:
    """Return the nodes that the outputs need, each after those that it reads.

    A graph `inside` a node reads values around it.
    """
    nodes = file.graph.node
    needed = needed_nodes(
        file.name,
        [((*node.input, *_captured(node)), node.output) for node in nodes],
        {i.name for i in file.graph.input}
        | {t.name for t in file.graph.initializer}
        | set(captured_names(file.graph) if inside else ()),
        outputs,
        lambda number: _label(nodes[number], number),
    )
    return [_file_node(file, number) for number in needed]


def _label(node: Any, number: int) -> str:
    return str(node.name or next((o for o in node.output if o), f"number {number}"))


def _file_node(file: File, number: int) -> FileNode:
    node = file.graph.node[number]
    plain = node.domain in ("", "ai.onnx")
    type_ = node.op_type if plain else f"{node.domain}.{node.op_type}"
    label = _label(node, number)
    try:
        attributes = {a.name: _attribute(a, file.folder) for a in node.attribute}
    except InvalidModelError as error:
        raise InvalidModelError(f"{file.name}: node {label}: {error}") from None
    captured = _captured(node)
    return FileNode(label, type_, list(node.input), list(node.output), attributes, captured)


def _captured(node: Any) -> list[str]:
    """Return what the graphs inside a node read of the values around it."""
    graphs = [a.g for a in node.attribute if a.type == _GRAPH]
    return [name for graph in graphs for name in captured_names(graph)]


def captured_names(graph: Any) -> list[str]:
    """Return the names that a graph reads and does not make."""
    made = {name for node in graph.node for name in node.output}
    made |= {t.name for t in graph.initializer} | {i.name for i in graph.input}
    read = [name for node in graph.node for name in (*node.input, *_captured(node))]
    read += [o.name for o in graph.output]
    return [name for name in dict.fromkeys(read) if name and name not in made]


def _attribute(attribute: Any, folder: Folder | None) -> Any:
    """Return an attribute's value; those of types that no operator here takes as they are."""
    kind = attribute.type
    if attribute.ref_attr_name:
        raise InvalidModelError(f"attribute {attribute.name!r} refers to a function's")
    if kind == 1:
        return float(attribute.f)
    if kind == 2:
        return int(attribute.i)
    if kind == 3:
        return attribute.s.decode("utf-8", "replace")
    if kind == 4:
        return Known(widened(to_array(attribute.t, folder)), attribute.t.name)
    if kind == _GRAPH:
        return attribute.g
    if kind == 6:
        return [float(f) for f in attribute.floats]
    if kind == 7:
        return [int(i) for i in attribute.ints]
    if kind == 8:
        return [s.decode("utf-8", "replace") for s in attribute.strings]
    return attribute


_TYPES_OF_ATTRIBUTES: dict[str, type] = {
    "INT": int,
    "INTS": list,
    "FLOAT": float,
    "FLOATS": list,
    "STRING": str,
    "STRINGS": list,
    "TENSOR": Known,
}


def check_against_schema(node: FileNode, opset: int) -> None:
    """Raise InvalidModelError for attributes and numbers of inputs that an operator cannot have."""
    if node.type in FOREIGN:
        _check_signature(node, FOREIGN[node.type])
        return
    onnx = onnx_package()
    try:
        schema = onnx.defs.get_schema(node.type, opset, "")
    except onnx.defs.SchemaError:
        raise InvalidModelError(f"opset {opset} has no such operator") from None
    for what, names, least, most in (
        ("inputs", node.inputs, schema.min_input, schema.max_input),
        ("outputs", node.outputs, schema.min_output, schema.max_output),
    ):
        if not least <= len(names) <= most:
            raise InvalidModelError(f"need {least} to {most} {what}, got {len(names)}")
    types = _TYPES_OF_ATTRIBUTES
    for name, value in node.attributes.items():
        if name not in schema.attributes:
            raise InvalidModelError(f"opset {opset} has no attribute {name!r}")
        wanted = schema.attributes[name].type.name
        element = {"INTS": int, "FLOATS": float, "STRINGS": str}.get(wanted, object)
        if wanted in types and (
            not isinstance(value, types[wanted])
            or (isinstance(value, list) and not all(isinstance(v, element) for v in value))
        ):
            raise InvalidModelError(f"attribute {name!r}: need {wanted}")
    for name, attribute in schema.attributes.items():
        if attribute.required and name not in node.attributes:
            raise InvalidModelError(f"attribute {name!r} is missing")


def _check_signature(node: FileNode, signature: Signature) -> None:
    least, most, attributes, outputs = signature
    if len(node.inputs) < least or (most is not None and len(node.inputs) > most):
        raise InvalidModelError(f"need {least} to {most} inputs, got {len(node.inputs)}")
    if not 1 <= len(node.outputs) <= outputs:
        wanted = "1 output" if outputs == 1 else f"1 to {outputs} outputs"
        raise InvalidModelError(f"need {wanted}, got {len(node.outputs)}")
    for name, value in node.attributes.items():
        if name not in attributes:
            raise InvalidModelError(f"there is no attribute {name!r}")
        numbers = attributes[name] is not list or all(isinstance(v, int) for v in value)
        if not isinstance(value, attributes[name]) or not numbers:
            raise InvalidModelError(f"attribute {name!r}: need {attributes[name].__name__}")


def initializers(file: File, used: Collection[str]) -> dict[str, Known]:
    """Return the constants of the file that are used."""
    if file.graph.sparse_initializer:
        raise InvalidModelError(f"{file.name}: has sparse initializers, which are not supported")
    known: dict[str, Known] = {}
    seen: set[str] = set()
    for tensor in file.graph.initializer:
        if tensor.name in seen or not tensor.name:
            raise InvalidModelError(f"{file.name}: two initializers are named {tensor.name!r}")
        seen.add(tensor.name)
        if tensor.name not in used:
            continue
        try:
            array = widened(to_array(tensor, file.folder))
            known[tensor.name] = Known(array, tensor.name)
        except InvalidModelError as error:
            raise InvalidModelError(f"{file.name}: {error}") from None
    return known


def input_type(entry: Any) -> DType | None:
    """Return the type that an input has in the network, None where there is none.

    float64 becomes float32: those who call the network convert what they have.
    """
    name = type_name(entry.type.tensor_type.elem_type)
    try:
        return DType("float32" if name == "float64" else name)
    except ValueError:
        return None


def check_types(file: File, used: Collection[str]) -> list[str]:
    """Return complaints about inputs and weights that are used and of types without arrays."""
    constants = {t.name for t in file.graph.initializer}
    wrong = [
        f"input {i.name!r} is {type_name(i.type.tensor_type.elem_type)}"
        for i in file.graph.input
        if i.name in used and i.name not in constants and input_type(i) is None
    ]
    wrong += [
        f"initializer {t.name!r} is {type_name(t.data_type)}"
        for t in file.graph.initializer
        if t.name in used and not is_readable(t.data_type)
    ]
    return wrong


def widened(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array, as float32 one of float16, which is stored but not computed with."""
    return as_float32(array) if array.dtype == np.float16 else array
