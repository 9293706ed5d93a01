"""From a file to a graph: inputs, then node by node, then outputs; problems are told together."""

from __future__ import annotations

import operator
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import InvalidModelError, ShapeError, UnsupportedOperatorError
from .. import sizes
from ..importing.builder import Builder
from ..importing.unsupported import Unsupported
from ..importing.values import Computed, Known, Value
from ..ir import Graph
from ..types import Shape, TensorType
from .call import Call
from .folding import FOLDED, fold
from .model import (
    File,
    FileNode,
    check_against_schema,
    check_types,
    initializers,
    nodes_in_order,
    read,
)
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
    if problems:
        raise UnsupportedOperatorError(
            f"{file.name}: dwsep computes in float32, but\n  " + "\n  ".join(problems)
        )
    return _Import(file, input_shapes or {}, outputs).run()


_MOST_LINES = 1000  # of an error


def _short(text: str, most: int = 200) -> str:
    """Return a text of the file on one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most] + "..."


class _Import:
    """The state of one import."""

    def __init__(
        self,
        file: File,
        input_shapes: Mapping[str, Sequence[int | None]],
        outputs: Sequence[str] | None,
    ) -> None:
        self.file = file
        self.outputs = [o.name for o in file.graph.output] if outputs is None else list(outputs)
        self.build = Builder(file.graph.name or "model")
        self.values: dict[str, Value] = {}
        self.problems: list[tuple[FileNode, str, bool]] = []  # the last: is it sound
        known = initializers(file)
        inputs = [i for i in file.graph.input if i.name not in known]
        self.values.update(known)
        if unknown := set(input_shapes) - {i.name for i in inputs}:
            raise InvalidModelError(
                f"input_shapes: {file.name} has no input {sorted(unknown)}, "
                f"it has {[i.name for i in inputs]}"
            )
        self.nodes = nodes_in_order(file)
        self.build.reserved = {name for node in self.nodes for name in node.outputs} | set(known)
        for entry in inputs:
            if entry.name in self.values or not entry.name:
                raise InvalidModelError(f"{file.name}: two inputs are named {entry.name!r}")
            shape = _input_shape(file, entry, input_shapes.get(entry.name))
            self.values[entry.name] = self.build.add_input(entry.name, shape)

    def run(self) -> Graph:
        for node in self.nodes:
            self._add(node)
        if self.problems:
            raise self._error()
        self._add_outputs()
        return self.build.graph

    def _add(self, node: FileNode) -> None:
        known_type = node.type in IMPORTERS or node.type in FOLDED
        if not known_type:
            self.problems.append((node, "this operator is not supported", True))
            return
        if any(name and name not in self.values for name in node.inputs):
            return  # a problem that is reported already made it unknown
        first = len(self.build.graph.nodes)
        try:
            self._bind(node, self._import(node), first)
        except Unsupported as reason:
            self.problems.append((node, str(reason), True))
        except (InvalidModelError, ShapeError) as error:
            self.problems.append((node, str(error), False))
        except (ValueError, IndexError, TypeError, ArithmeticError) as error:
            # NumPy's complaints about what is folded
            self.problems.append((node, f"its inputs do not fit: {error}", False))

    def _import(self, node: FileNode) -> list[Value | None]:
        check_against_schema(node, self.file.opset)
        self.build.node_name = node.name
        read = self._names_read
        call = Call(
            self.build,
            node.name,
            node.type,
            self.file.opset,
            [self.values[name] if name else None for name in node.inputs],
            [name if name in read else "" for name in node.outputs],
            node.attributes,
        )
        result = fold(call)
        if result is None:
            if node.type not in IMPORTERS:
                raise Unsupported("it is supported for values that are known in advance only")
            result = IMPORTERS[node.type](call)
        return result if isinstance(result, list) else [result]

    @property
    def _names_read(self) -> set[str]:
        if not hasattr(self, "_read"):
            self._read = {name for node in self.nodes for name in node.inputs}
            self._read |= set(self.outputs)
        return self._read

    def _bind(self, node: FileNode, results: list[Value | None], first: int) -> None:
        """Give the file's names to what a node has made."""
        fresh = {n.output for n in self.build.graph.nodes[first:]}
        for name, value in zip(node.outputs, results, strict=False):
            if not name or value is None:
                continue
            if isinstance(value, Computed) and value.name in fresh:
                fresh.remove(value.name)
                self.build.rename(value, name, first)
            elif isinstance(value, Known) and not value.name:
                value.name = name
            self.values[name] = value

    def _error(self) -> ValueError:
        lines = [
            f"{_short(node.name)} ({_short(node.type)}): {_short(reason, 500)}"
            for node, reason, _ in self.problems[:_MOST_LINES]
        ]
        more = len(self.problems) - len(lines)
        lines += [f"and {more} more"] if more else []
        count = f"{len(self.problems)} of {len(self.nodes)} nodes"
        text = f"{self.file.name}: {count} cannot be imported\n  "
        text += "\n  ".join(lines)
        sound = any(is_sound for *_, is_sound in self.problems)
        return UnsupportedOperatorError(text) if sound else InvalidModelError(text)

    def _add_outputs(self) -> None:
        graph = self.build.graph
        names = self.outputs
        if not names or len(set(names)) != len(names):
            raise InvalidModelError(f"{self.file.name}: need outputs of different names")
        for name in names:
            value = self.values.get(name)
            if value is None:
                raise InvalidModelError(f"{self.file.name}: nothing makes the output {name!r}")
            if isinstance(value, Known):
                if value.array.dtype != np.float32:
                    raise UnsupportedOperatorError(
                        f"{self.file.name}: output {name!r} is {value.array.dtype}, need float32"
                    )
                graph.constants[name] = value.array
                _checked(f"{self.file.name}: output {name!r}", value.array.shape)
                graph.types[name] = TensorType.of(value.array)
            elif value.test:
                raise UnsupportedOperatorError(
                    f"{self.file.name}: output {name!r} is a comparison, need float32"
                )
            elif value.name != name:
                self.build.node_name = name
                copy = self.build.emit("identity", [value])
                assert isinstance(copy, Computed)
                self.build.rename(copy, name, len(graph.nodes) - 1)
            graph.outputs.append(name)


def _input_shape(file: File, entry: Any, given: Sequence[int | None] | None) -> Shape:
    """Return an input's shape, from the file or as given instead."""
    name = f"{file.name}: input {entry.name!r}"
    type_ = entry.type.tensor_type
    dims = list(type_.shape.dim) if type_.HasField("shape") else None
    if given is None:
        if dims is None:
            raise InvalidModelError(f"{name} has no shape; give it with input_shapes")
        return _shape_of_file(name, dims)
    try:
        shape = tuple(None if n is None else operator.index(n) for n in given)
    except TypeError:
        raise InvalidModelError(
            f"input_shapes: need ints for {entry.name!r}, got {given}"
        ) from None
    if dims is not None and len(shape) != len(dims):
        raise InvalidModelError(f"input_shapes: {name} has {len(dims)} axes, got {shape}")
    if None in shape[1:]:
        raise InvalidModelError(f"input_shapes: {name}: only the first size may be None: {shape}")
    return _checked(name, shape)


def _shape_of_file(name: str, dims: list[Any]) -> Shape:
    shape: list[int | None] = []
    for axis, dim in enumerate(dims):
        if dim.HasField("dim_value") and dim.dim_value > 0:
            shape.append(dim.dim_value)
        elif axis == 0:
            shape.append(None)
        else:
            raise InvalidModelError(
                f"{name}: axis {axis} ({dim.dim_param or 'without a name'}) has no size; only the "
                "first may be open. Give the shape, such as "
                f"input_shapes={{{name.split('input ')[-1]}: ({', '.join(_example(dims))})}}"
            )
    return _checked(name, tuple(shape))


def _example(dims: list[Any]) -> list[str]:
    return [
        str(d.dim_value) if d.dim_value > 0 else "None" if axis == 0 else "224"
        for axis, d in enumerate(dims)
    ]


def _checked(name: str, shape: Shape) -> Shape:
    try:
        return sizes.checked(shape)
    except ShapeError as error:
        raise InvalidModelError(f"{name}: {error}") from None
