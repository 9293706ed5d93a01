"""What importers of any file format share: values, symbolic sizes, the growing graph, refusals.

Here the nodes of a file are walked; what cannot be imported is reported together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeAlias

from ...errors import InvalidModelError, ShapeError, UnsupportedOperatorError
from ..ir import DType, Graph, Node, Quantization, TensorType
from ..sizes import Shape
from .builder import Builder
from .inputs import checked
from .node import FileNode
from .values import UNKNOWN, Computed, Known, Unsupported, Value, is_symbolic, type_of

LARGEST_LOOP = 2**15  # operators of all steps of all loops: some seconds of importing
_DEEPEST = 50  # graphs inside one another
_MOST_LINES = 1000  # of an error

# Of a node, its inputs, and its outputs with "" for those that nobody reads: the outputs' values.
ImportNode: TypeAlias = "Callable[[FileNode, list[Value | None], list[str]], list[Value | None]]"


class _Problem:
    """Why a node cannot be imported; where the file is in order, dwsep lacks something."""

    def __init__(self, node: FileNode, reason: str, is_sound: bool) -> None:
        self.node, self.reason, self.is_sound = node, reason, is_sound


class Import:
    """One import: the values by the names that the file gives them, and what is wrong with it.

    Parameters
    ----------
    file, network : str
        The names of both; the file's is for messages.
    nodes : sequence of FileNode
        Each after those that it reads.
    constants : mapping of str to Known
        The values that the file holds.
    channels_last : bool
        Whether images are NHWC in this format, or NCHW.
    """

    def __init__(
        self,
        file: str,
        network: str,
        nodes: Sequence[FileNode],
        constants: Mapping[str, Known],
        *,
        channels_last: bool,
    ) -> None:
        self.file = file
        self.nodes = nodes
        self.build = Builder(network, channels_last=channels_last)
        self.build.reserved = {name for node in nodes for name in node.outputs}
        self._values: dict[str, Value] = {}
        self.add_constants(constants)
        self._problems: list[_Problem] = []
        self._depth = 0  # of graphs inside nodes
        self._lacks_operators = False
        self._in_loops = 0  # operators

    def add_constants(self, constants: Mapping[str, Known]) -> None:
        """Add values that are known."""
        self.build.reserved.update(constants)
        self._values.update(constants)

    def add_input(
        self,
        name: str,
        shape: Shape,
        dtype: DType = DType.FLOAT32,
        quantization: Quantization | None = None,
        *,
        computed_as: DType | None = None,
    ) -> None:
        """Add an input of the network, which is cast first if it is computed as another type."""
        if name in self._values or not name:
            raise InvalidModelError(f"{self.file}: two inputs are named {name!r}")
        value = self.build.add_input(name, shape, dtype, quantization)
        self.build.node_name = name
        self._values[name] = self.build.cast(value, computed_as or dtype)

    def run(
        self,
        importer: ImportNode,
        supported: Collection[str],
        outputs: Sequence[str],
        types: Mapping[str, DType] | None = None,
    ) -> Graph:
        """Import all nodes and return the graph, or raise an error that lists all problems.

        `importer` is asked for the types of nodes that are `supported`. It raises Unsupported for
        what dwsep lacks, InvalidModelError or ShapeError for what contradicts itself. `types` are
        those that outputs are cast to.
        """
        self._walk(self.nodes, importer, supported, outputs)
        if self._problems:
            raise self._error()
        self._add_outputs(outputs, types or {})
        _describe_inputs(self.build.graph)
        return self.build.graph

    def run_inside(
        self,
        nodes: Sequence[FileNode],
        constants: Mapping[str, Known],
        importer: ImportNode,
        supported: Collection[str],
        outputs: Sequence[str],
    ) -> list[Value | None]:
        """Import the nodes of a graph inside a node and return its outputs.

        It reads the values around it; those that it makes have names that hold there only.
        """
        if self._depth == _DEEPEST:
            raise Unsupported(f"more than {_DEEPEST} graphs are inside one another")
        made = {name for node in nodes for name in node.outputs} | set(constants)
        outside = {name: self._values.pop(name) for name in made if name in self._values}
        self._values.update(constants)
        self._depth += 1
        self._walk(nodes, importer, supported, outputs)
        self._depth -= 1
        results = [self._values.get(name) for name in outputs]
        for name in made:
            self._values.pop(name, None)
        self._values.update(outside)
        return results

    def count_step(self, operators: int) -> None:
        """Raise Unsupported if the steps of all loops have too many operators."""
        self._in_loops += operators + 1
        if self._in_loops > LARGEST_LOOP:
            raise Unsupported(f"its steps have more than {LARGEST_LOOP} operators")

    def _walk(
        self,
        nodes: Sequence[FileNode],
        importer: ImportNode,
        supported: Collection[str],
        outputs: Sequence[str],
    ) -> None:
        read = set(outputs)
        for node in nodes:
            read.update(node.inputs, node.captured)
        for node in nodes:
            if node.type in supported:
                self._add(node, importer, read)
            else:
                self._problems.append(_Problem(node, "this operator is not supported", True))
                self._lacks_operators = True

    def _add(self, node: FileNode, importer: ImportNode, read: set[str]) -> None:
        values = self._values
        try:
            inputs = [values[name] if name else None for name in node.inputs]
        except KeyError:
            return  # a problem that is reported already made it unknown
        first = len(self.build.graph.nodes)
        self.build.node_name = node.name
        wanted = [name if name in read else "" for name in node.outputs]
        try:
            self._bind(node, importer(node, inputs, wanted), first)
        except Unsupported as reason:
            self._problems.append(_Problem(node, str(reason), True))
        except (InvalidModelError, ShapeError) as error:
            self._problems.append(_Problem(node, str(error), False))
        except (ValueError, IndexError, TypeError, ArithmeticError) as error:
            # NumPy's complaints about what is folded
            self._problems.append(_Problem(node, f"its inputs do not fit: {error}", False))

    def _bind(self, node: FileNode, results: list[Value | None], first: int) -> None:
        """Give the file's names to what a node has made."""
        fresh: set[str] | None = None
        for name, value in zip(node.outputs, results, strict=False):
            if not name or value is None:
                continue
            if isinstance(value, Known):
                value.name = value.name or name
            elif self._depth == 0:
                if fresh is None:
                    fresh = {n.output for n in self.build.graph.nodes[first:]}
                if value.name in fresh:
                    fresh.remove(value.name)
                    self.build.rename(value, name, first)
            self._values[name] = value

    def _error(self) -> ValueError:
        lines = [
            f"{_short(p.node.name)} ({_short(p.node.type)}): {_short(p.reason, 500)}"
            for p in self._problems[:_MOST_LINES]
        ]
        more = len(self._problems) - len(lines)
        lines += [f"and {more} more"] if more else []
        count = f"{len(self._problems)} of {len(self.nodes)} nodes"
        text = f"{self.file}: {count} cannot be imported\n  " + "\n  ".join(lines)
        lines = [text, *self._cut()]
        text = "\n  ".join(lines)
        if not any(problem.is_sound for problem in self._problems):
            return InvalidModelError(text)
        error = UnsupportedOperatorError(text)
        error.lacks_operators = self._lacks_operators
        return error

    def _cut(self) -> list[str]:
        """Return a line that says which outputs= would leave out what cannot be imported."""
        read = [self._values.get(name) for p in self._problems for name in p.node.inputs]
        names = [v.name for v in read if isinstance(v, Computed)]
        names = [n for n in dict.fromkeys(names) if n not in self.build.graph.inputs]
        if not names:
            return []
        return [f"what comes before can be had with outputs={_short(str(names[:5]), 500)}"]

    def _add_outputs(self, names: Sequence[str], types: Mapping[str, DType]) -> None:
        if not names or len(set(names)) != len(names):
            raise InvalidModelError(f"{self.file}: need outputs of different names")
        for name in names:
            self._add_output(name, types.get(name))

    def _add_output(self, name: str, to: DType | None) -> None:
        graph, value = self.build.graph, self._values.get(name)
        if value is None:
            raise InvalidModelError(f"{self.file}: nothing makes the output {name!r}")
        label = f"{self.file}: output {name!r}"
        graph.outputs.append(name)
        if name in graph.inputs and to in (None, graph.types[name].dtype):
            return
        if isinstance(value, Known) and is_symbolic(value.array):
            from .symbols import held

            value = Known(held(value.array), value.name)
        if isinstance(value, Known) and is_symbolic(value.array):
            raise UnsupportedOperatorError(f"{label} {UNKNOWN}")
        try:
            type_ = type_of(value)
        except InvalidModelError as error:
            raise UnsupportedOperatorError(f"{label}: {error}") from None
        self.build.node_name = name
        if to is not None and to is not type_.dtype:
            value = self._cast_output(value, name, to)
        if isinstance(value, Known):
            array = value.array.astype(type_of(value).dtype.numpy, copy=False)
            checked(label, array.shape)
            graph.constants[name], graph.types[name] = array, TensorType.of(array)
        elif value.name != name:
            self._name_last(self.build.emit("identity", [value]), name)

    def _cast_output(self, value: Value, name: str, to: DType) -> Value:
        cast = self.build.cast(value, to)
        if isinstance(value, Computed) and value.name == name:
            self.build.rename(value, self.build.fresh(name), 0)
        return self._name_last(cast, name)

    def _name_last(self, value: Value, name: str) -> Value:
        """Give what the last node has made the name of an output."""
        if isinstance(value, Computed):
            self.build.rename(value, name, len(self.build.graph.nodes) - 1)
        return value


def _describe_inputs(graph: Graph) -> None:
    """Say of inputs what their integers stand for, where all that read them agree."""
    readers: dict[str, list[Node]] = {name: [] for name in graph.inputs}
    for node in graph.nodes:
        for name in node.inputs:
            if name in readers:
                readers[name].append(node)
    for name, nodes in readers.items():
        type_ = graph.types[name]
        if type_.quantization is not None or any(n.kind != "dequantize" for n in nodes):
            continue
        kinds = {(n.attributes["scale"], n.attributes["zero_point"]) for n in nodes}
        if len(kinds) == 1 and len(next(iter(kinds))[0]) == 1:
            quantization = Quantization(*kinds.pop(), None, type_.dtype)
            graph.types[name] = TensorType(type_.shape, type_.dtype, quantization)


def _short(text: str, most: int = 200) -> str:
    """Return a text of the file on one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most] + "..."
