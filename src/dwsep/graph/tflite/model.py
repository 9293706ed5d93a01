"""Reads a model: its tensors, operators and signatures, with all that they refer to checked."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..._arguments import shown
from ...errors import InvalidModelError
from ..importing.node import FileNode
from ..sizes import LARGEST_ELEMENTS, MOST_AXES
from .flatbuffer import Table
from .parts import File, Quantization, Subgraph, Tensor
from .schema import OPERATORS, OPTIONS, TYPE_NAMES, TYPES

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RANGES = {"int8": (-(2**7), 2**7 - 1), "uint8": (0, 2**8 - 1), "int16": (-(2**15), 2**15 - 1)}
_WIDEST = (-(2**31), 2**31 - 1)


def read(source: Any, signature: str | None) -> File:
    """Return the model of a path or of bytes."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        name, data = "model", memoryview(source).cast("B")
    elif isinstance(source, (str, os.PathLike)):
        name = os.fsdecode(source)
        with open(name, "rb") as file:  # pathlib takes five milliseconds to import
            data = memoryview(file.read())
    else:
        raise TypeError(f"source: need a path or bytes, got {shown(source)}")
    if bytes(data[4:8]) != b"TFL3":
        raise InvalidModelError(f"{name}: is not a TFLite file")
    try:
        return _file(name, Table.root(data), data, signature)
    except InvalidModelError as error:
        text = str(error)
        raise InvalidModelError(text if text.startswith(name) else f"{name}: {text}") from None


def _file(name: str, model: Table, data: memoryview, signature: str | None) -> File:
    number, inputs, outputs = _chosen(model, signature)
    table = _graph(model, number)
    tensors = _tensors(table, model, data)
    if inputs is None or outputs is None:
        inputs = dict.fromkeys(_indices(table.ints(1), len(tensors)), "")
        outputs = dict.fromkeys(_indices(table.ints(2), len(tensors)), "")
    for number, public in {**outputs, **inputs}.items():
        _indices((number,), len(tensors))
        tensors[number].name = public or tensors[number].name
    names = [t.name for t in tensors]
    if len(set(names)) != len(names):
        raise InvalidModelError(f"signature: {signature!r} gives a name that other tensors have")
    nodes = _nodes(table, model, names)
    made = {name for node in nodes for name in node.outputs}
    for tensor in tensors:
        if tensor.data is None and 0 in tensor.declared and tensor.name not in made:
            tensor.data = np.empty(0, np.uint8)  # a constant without elements has no buffer
    graph = Subgraph(
        dict(zip(names, tensors, strict=True)),
        [names[i] for i in inputs],
        [names[i] for i in outputs],
        nodes,
    )
    return File(name, table.string(4) or "model", graph, partial(_subgraph, model, data))


def _graph(model: Table, number: int) -> Table:
    graphs = model.tables(2)
    if not 0 <= number < len(graphs):
        raise InvalidModelError(f"there is no subgraph {number}")
    return graphs[number]


def _subgraph(model: Table, data: memoryview, number: int) -> Subgraph:
    table = _graph(model, number)
    tensors = _tensors(table, model, data)
    names = [t.name for t in tensors]
    inputs, outputs = (
        [names[i] for i in _indices(table.ints(field), len(names))] for field in (1, 2)
    )
    nodes = _nodes(table, model, names)
    return Subgraph(dict(zip(names, tensors, strict=True)), inputs, outputs, nodes)


Ports: TypeAlias = "dict[int, str]"


def _chosen(model: Table, signature: str | None) -> tuple[int, Ports | None, Ports | None]:
    """Return the subgraph of a signature, and its names for the tensors that go in and out."""
    if signature is None:
        return 0, None, None
    signatures = {s.string(2): s for s in model.tables(7)}
    if signature not in signatures:
        raise InvalidModelError(f"signature: need one of {sorted(signatures)}, got {signature!r}")
    chosen = signatures[signature]
    ports = [{m.scalar(1, "I", 0): m.string(0) for m in chosen.tables(field)} for field in (0, 1)]
    return chosen.scalar(4, "I", 0), ports[0], ports[1]


def _indices(numbers: Sequence[int], count: int) -> Sequence[int]:
    if numbers and not 0 <= min(numbers) <= max(numbers) < count:
        raise InvalidModelError(f"a tensor's number is not from 0 to {count - 1}")
    return numbers


def _tensors(graph: Table, model: Table, data: memoryview) -> list[Tensor]:
    buffers = model.tables(4)
    tensors: list[Tensor] = []
    taken: set[str] = set()
    sound: set[tuple[int, ...]] = {()}
    for number, table in enumerate(graph.tables(0)):
        name = table.string(3) or f"tensor_{number}"
        while name in taken:
            name = f"{name}_{number}"
        taken.add(name)
        declared = table.ints(0, most=MOST_AXES + 1)
        shape = table.ints(7, most=MOST_AXES + 1) or declared
        for sizes in (declared, shape):
            if sizes not in sound:
                _check_sizes(sizes)
                sound.add(sizes)
        if len(shape) != len(declared):
            raise InvalidModelError(f"tensor {name!r}: shapes {declared} and {shape} differ")
        kind = table.scalar(1, "b", 0)
        type_ = TYPES[kind] if 0 <= kind < len(TYPES) else None
        type_ = type_ or TYPE_NAMES.get(kind, f"type {kind}")
        buffer = table.scalar(2, "I", 0)
        if buffer >= max(len(buffers), 1):
            raise InvalidModelError(f"tensor {name!r}: there is no buffer {buffer}")
        content = _content(buffers[buffer], data) if buffer else None
        quantization = _quantization(table.table(4), name, declared, type_)
        tensors.append(Tensor(name, shape, declared, type_, content, quantization, table.table(6)))
    return tensors


def _check_sizes(sizes: tuple[int, ...]) -> None:
    # A size of 0 hides no others that are too large together.
    many = math.prod([abs(n) or 1 for n in sizes]) > LARGEST_ELEMENTS
    if len(sizes) > MOST_AXES or min(sizes) < -1 or many:
        raise InvalidModelError(f"no tensor has the shape {[*sizes]}")


def _content(buffer: Table, data: memoryview) -> NDArray[np.uint8] | None:
    """Return a buffer's bytes, which may lie behind the tables; None if it has none."""
    offset, size = buffer.scalar(1, "Q", 0), buffer.scalar(2, "Q", 0)
    if offset > 1:
        if offset + size > len(data):
            raise InvalidModelError(f"a buffer lies at {offset}, outside of the file")
        return np.frombuffer(data, np.uint8, size, offset)
    return buffer.bytes(0)


def _quantization(
    table: Table | None, name: str, shape: tuple[int, ...], type_: str
) -> Quantization | None:
    if table is None:
        return None
    scale = table.numbers(2, "<f4")
    if not scale.size:
        return None
    zero = table.numbers(3, "<i8")
    zero = zero if zero.size else np.zeros(1, np.int64)
    axis = table.scalar(6, "i", 0)
    fits = scale.size == 1 or (0 <= axis < len(shape) and shape[axis] == scale.size)
    sound = scale.min() > 0 and scale.max() < math.inf  # neither is true of NaN
    if not fits or not sound or zero.size not in (1, scale.size):
        raise InvalidModelError(
            f"tensor {name!r}: {scale.size} scales and {zero.size} zero points do not fit "
            f"axis {axis} of {shape}, or are not positive numbers"
        )
    least, most = _RANGES.get(type_, _WIDEST)
    if not least <= zero.min() <= zero.max() <= most:
        raise InvalidModelError(f"tensor {name!r}: zero points {zero[:20].tolist()} for {type_}")
    if zero.size != scale.size:
        zero = np.broadcast_to(zero, scale.shape)
    return Quantization(scale, zero, axis)


def _nodes(graph: Table, model: Table, names: Sequence[str]) -> list[FileNode]:
    types = [_operator_type(code) for code in model.tables(1)]
    nodes = []
    for number, table in enumerate(graph.tables(3)):
        code = table.scalar(0, "I", 0)
        if code >= len(types):
            raise InvalidModelError(f"operator {number}: there is no operator code {code}")
        type_ = types[code]
        made = [names[i] for i in _indices(table.ints(2), len(names))]
        read = table.ints(1)
        if read and not -1 <= min(read) <= max(read) < len(names):
            raise InvalidModelError(f"operator {number}: inputs {[*read[:20]]}")
        inputs = [names[n] if n >= 0 else "" for n in read]
        label = made[0] if made else f"number {number}"
        nodes.append(FileNode(label, type_, inputs, made, _options(table, type_)))
    return nodes


def _operator_type(code: Table) -> str:
    number = max(code.scalar(0, "b", 0), code.scalar(3, "i", 0))
    name = OPERATORS[number] if 0 <= number < len(OPERATORS) else f"operator {number}"
    return code.string(1) or "CUSTOM" if name == "CUSTOM" else name


def _options(operator: Table, type_: str) -> dict[str, Any]:
    """Return an operator's options, or those bytes that a custom one has."""
    fields = OPTIONS.get(type_, {})
    table = operator.table(4) if fields else None
    options: dict[str, Any] = {}
    for name, (field, kind, default) in fields.items():
        if table is None:
            options[name] = default
        elif kind == "[":
            options[name] = [*table.ints(field)]
        elif kind == "s":
            options[name] = table.string(field)
        else:
            options[name] = table.scalar(field, kind, default)
    custom = operator.numbers(5, "u1")  # counted as read: they are copied
    if custom.size:
        options["custom"] = custom.tobytes()
    return options
