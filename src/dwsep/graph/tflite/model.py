"""Reads a model: its tensors, operators and signatures, with all that they refer to checked."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..._checks import shown
from ...errors import InvalidModelError
from ..importing.node import FileNode
from ..sizes import LARGEST_ELEMENTS, MOST_AXES
from .parts import OPERATORS, OPTIONS, TYPE_NAMES, Content, File, Quantization, Subgraph, Tensor

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
        return _file(name, Content(data), signature)
    except InvalidModelError as error:
        text = str(error)
        raise InvalidModelError(text if text.startswith(name) else f"{name}: {text}") from None


def _file(name: str, content: Content, signature: str | None) -> File:
    number, inputs, outputs = _chosen(content, signature)
    stored, read, made, operators, network = _graph(content, number)
    tensors = _tensors(stored, content)
    if inputs is None or outputs is None:
        inputs = dict.fromkeys(_indices(read, len(tensors)), "")
        outputs = dict.fromkeys(_indices(made, len(tensors)), "")
    for number, public in {**outputs, **inputs}.items():
        _indices((number,), len(tensors))
        tensors[number].name = public or tensors[number].name
    named = {t.name: t for t in tensors}
    if len(named) != len(tensors):
        raise InvalidModelError(f"signature: {signature!r} gives a name that other tensors have")
    nodes = _nodes(operators, content, tensors)
    computed = {name for node in nodes for name in node.outputs}
    for tensor in tensors:
        if tensor.data is None and 0 in tensor.declared and tensor.name not in computed:
            tensor.data = np.empty(0, np.uint8)  # a constant without elements has no buffer
    ports = [tensors[i].name for i in inputs], [tensors[i].name for i in outputs]
    graph = Subgraph(named, *ports, nodes)
    return File(name, network or "model", graph, partial(_subgraph, content))


def _graph(content: Content, number: int) -> tuple[Any, ...]:
    if not 0 <= number < len(content.graphs):
        raise InvalidModelError(f"there is no subgraph {number}")
    row: tuple[Any, ...] = content.graphs[number]
    return row


def _subgraph(content: Content, number: int) -> Subgraph:
    stored, read, made, operators, _ = _graph(content, number)
    tensors = _tensors(stored, content)
    inputs, outputs = (
        [tensors[i].name for i in _indices(ports, len(tensors))] for ports in (read, made)
    )
    nodes = _nodes(operators, content, tensors)
    return Subgraph({t.name: t for t in tensors}, inputs, outputs, nodes)


Ports: TypeAlias = "dict[int, str]"
Sizes: TypeAlias = "tuple[int, ...]"


def _chosen(content: Content, signature: str | None) -> tuple[int, Ports | None, Ports | None]:
    """Return the subgraph of a signature, and its names for the tensors that go in and out."""
    if signature is None:
        return 0, None, None
    signatures = {name: rest for name, *rest in content.signatures}
    if signature not in signatures:
        raise InvalidModelError(f"signature: need one of {sorted(signatures)}, got {signature!r}")
    inputs, outputs, number = signatures[signature]
    return number, dict(inputs), dict(outputs)


def _indices(numbers: Sequence[int], count: int) -> Sequence[int]:
    if numbers and not 0 <= min(numbers) <= max(numbers) < count:
        raise InvalidModelError(f"a tensor's number is not from 0 to {count - 1}")
    return numbers


def _tensors(rows: Sequence[Any], content: Content) -> list[Tensor]:
    """Return the tensors of a graph; columns are checked at once, as there are hundreds of rows."""
    if not rows:
        return []
    given, declared, shapes, kinds, buffers, scales, sparsities = zip(*rows, strict=True)
    names = _unique(given)
    for sizes, shape in set(zip(declared, shapes, strict=True)):
        if shape and len(shape) != len(sizes):
            name = names[[*zip(declared, shapes, strict=True)].index((sizes, shape))]
            raise InvalidModelError(f"tensor {name!r}: shapes {sizes} and {shape} differ")
    for sizes in {*declared, *shapes} - {()}:
        _check_sizes(sizes)
    last = max(buffers)
    if last >= max(len(content.buffers), 1):  # there may be none if none is named, which 0 says
        raise InvalidModelError(f"tensor {names[buffers.index(last)]!r}: there is no buffer {last}")
    types = {kind: TYPE_NAMES.get(kind) or f"type {kind}" for kind in set(kinds)}
    data = [_bytes(content.buffers[n], content) if n else None for n in buffers]
    tensors = [*map(Tensor, names, shapes, declared, map(types.__getitem__, kinds), data)]
    for tensor, row, sparsity in zip(tensors, scales, sparsities, strict=True):
        if row:
            tensor.quantization = _quantization(row, content, tensor)
        if sparsity:
            tensor.sparsity = content, sparsity
    return tensors


def _unique(given: Sequence[str]) -> Sequence[str]:
    """Return names that are all different; as a rule they are."""
    if all(given) and len(set(given)) == len(given):
        return given
    names: dict[str, None] = {}
    for number, name in enumerate(given):
        name = name or f"tensor_{number}"
        while name in names:
            name = f"{name}_{number}"
        names[name] = None
    return [*names]


def _check_sizes(sizes: Sizes) -> None:
    positive = 0 < len(sizes) <= MOST_AXES and min(sizes) > 0
    if positive and math.prod(sizes) <= LARGEST_ELEMENTS:
        return  # as most are
    # A size of 0 hides no others that are too large together.
    many = math.prod([abs(n) or 1 for n in sizes]) > LARGEST_ELEMENTS
    if len(sizes) > MOST_AXES or min(sizes) < -1 or many:
        raise InvalidModelError(f"no tensor has the shape {[*sizes[:20]]}")


def _bytes(buffer: Any, content: Content) -> NDArray[np.uint8] | None:
    """Return a buffer's bytes, which may lie behind the tables; None if it has none."""
    vector, offset, size = buffer
    if offset > 1:
        if offset + size > len(content.data):
            raise InvalidModelError(f"a buffer lies at {offset}, outside of the file")
        vector = offset, size
    elif not vector[1]:
        return None
    return content.numbers(vector, np.uint8)


def _quantization(row: Any, content: Content, tensor: Tensor) -> Quantization | None:
    name, shape, type_ = tensor.name, tensor.declared, tensor.type
    scales, zeros, axis = row
    if not scales[1]:
        return None
    scale, zero = content.numbers(scales, "<f4"), content.numbers(zeros, "<i8")
    zero = zero if zero.size else np.zeros(1, np.int64)
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


def _nodes(rows: Sequence[Any], content: Content, tensors: Sequence[Tensor]) -> list[FileNode]:
    types = [_operator_type(*code) for code in content.codes]
    options = [_Options(type_) for type_ in types]
    _check_numbers(rows, len(types), len(tensors))
    names = [*[t.name for t in tensors], ""]  # the last, of number -1, for an input that is absent
    nodes = []
    for number, (code, read, made, table, custom) in enumerate(rows):
        type_ = types[code]
        if type_ == "DEQUANTIZE" and len(read) == len(made) == 1 and read[0] >= 0:
            source, target = tensors[read[0]], tensors[made[0]]
            if _is_stored_half(source, target):
                target.data, target.stored = source.data, source.type
                continue
        outputs = [names[i] for i in made]
        attributes = options[code].of(table, content)
        if custom[1]:
            attributes["custom"] = content.numbers(custom, np.uint8).tobytes()
        label = outputs[0] if outputs else f"number {number}"
        nodes.append(FileNode(label, type_, [names[i] for i in read], outputs, attributes))
    return nodes


def _check_numbers(rows: Sequence[Any], codes: int, tensors: int) -> None:
    """Refuse numbers of what is not there, of all operators together."""
    if not rows:
        return
    numbers, inputs, outputs, _, _ = zip(*rows, strict=True)
    _indices([*chain.from_iterable(outputs)], tensors)
    read = [*chain.from_iterable(inputs)]
    if max(numbers) < codes and (not read or -1 <= min(read) <= max(read) < tensors):
        return
    for number, (code, read, *_) in enumerate(rows):
        if code >= codes:
            raise InvalidModelError(f"operator {number}: there is no operator code {code}")
        if read and not -1 <= min(read) <= max(read) < tensors:
            raise InvalidModelError(f"operator {number}: inputs {[*read[:20]]}")


def _is_stored_half(source: Tensor, target: Tensor) -> bool:
    """Return whether weights are converted, as half of the operators of a file may do."""
    if source.data is None or target.data is not None:
        return False
    dense = source.sparsity is None and target.sparsity is None
    types = (source.type, target.type) == ("float16", "float32")
    return dense and types and source.declared == target.declared


def _operator_type(old: int, new: int, custom: str) -> str:
    number = max(old, new)
    name = OPERATORS[number] if 0 <= number < len(OPERATORS) else f"operator {number}"
    return custom or "CUSTOM" if name == "CUSTOM" else name


class _Options:
    """The options that a type of operators has."""

    __slots__ = ("fields", "names")

    def __init__(self, type_: str) -> None:
        options = OPTIONS.get(type_, {})
        self.names, self.fields = tuple(options), tuple(options.values())

    def of(self, table: int, content: Content) -> dict[str, Any]:
        """Return the options in a table of the file, by their names."""
        if not self.names:
            return {}
        if not table:
            return dict(zip(self.names, [default for _, _, default in self.fields], strict=True))
        return dict(zip(self.names, content.row(table, self.fields), strict=True))
