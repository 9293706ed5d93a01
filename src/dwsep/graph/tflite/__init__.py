"""Imports TensorFlow Lite models; nothing outside this package knows the format."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias

from ...errors import InvalidModelError, UnsupportedOperatorError
from ..importing import Import, ImportNode
from ..importing.builder import Builder
from ..importing.inputs import Example, Opened, check_names, fixed_input, input_shape
from ..importing.node import FileNode, needed_nodes
from ..importing.values import Computed, Known, Unsupported, Value, as_float32
from ..ir import DType, Graph, State
from .call import FOLDED, IMPORTERS, Call, core_quantization
from .constants import constants_of
from .model import read
from .parts import COMPLEX, VARIABLES, File, Tensor

__all__ = ["import_tflite"]

Shapes: TypeAlias = "Mapping[str, Sequence[int | None]]"


def import_tflite(
    source: str | os.PathLike[str] | bytes | Any,
    *,
    input_shapes: Shapes | None = None,
    outputs: Sequence[str] | None = None,
    signature: str | None = None,
    constants: Mapping[str, Any] | None = None,
    example: Example | None = None,
) -> Graph:
    """Return the graph of a TFLite model.

    Parameters
    ----------
    source : path or bytes
    input_shapes : mapping of str to sequence of int or None, optional
        Shapes of inputs, instead of those in the file; None is a size that is open.
    outputs : sequence of str, optional
        Tensors of the file that the graph gives, instead of the file's outputs. What they do not
        need is left out before it is looked at.
    signature : str, optional
        The signature whose subgraph, inputs and outputs are taken; default: the first subgraph.
    constants : mapping of str to array, optional
        Inputs that are no inputs of the graph, but these values.
    example : callable, optional
        Sizes for those that stay open; without it none but the first may.

    Returns
    -------
    Graph
        With images as NHWC. A batch that the file leaves open stays open if all of the network
        allows it, else it is what the file has in its place.

    Raises
    ------
    UnsupportedOperatorError
        If there are nodes that dwsep cannot compute; the message lists all of them.
    InvalidModelError
        If the file is damaged or contradicts itself, or if an option does not fit it.
    """
    file, states = _with_values_alone(read(source, signature), outputs or ())
    given = input_shapes or {}
    check_names(file.name, given, file.inputs)
    check_names(file.name, constants or (), file.inputs, "constants")
    names = list(file.outputs) if outputs is None else list(outputs)
    if not names:
        raise InvalidModelError(f"{file.name}: need at least one output, got none")
    # A cut leaves the variables out that what remains does not read.
    while True:
        made = names + [s.output for s in states.values() if s.output not in names]
        nodes = _needed(file, made)
        used = {name for node in nodes for name in node.inputs} | set(made)
        kept = {name: state for name, state in states.items() if outputs is None or name in used}
        if len(kept) == len(states):
            break
        states = kept
    inputs = [name for name in file.inputs if outputs is None or name in used]
    try:
        graph = _graph(file, nodes, inputs, made, given, constants or {}, example, open_batch=True)
    except (InvalidModelError, UnsupportedOperatorError):
        if all(file.tensors[name].shape[:1] != (-1,) or name in given for name in inputs):
            raise
        graph = _graph(file, nodes, inputs, made, given, constants or {}, example, open_batch=False)
    graph.states = {n: s._replace(hidden=s.output not in names) for n, s in states.items()}
    return graph


def _with_values_alone(file: File, outputs: Collection[str]) -> tuple[File, dict[str, State]]:
    """Return a file without branches and variables, and what its variables have become.

    Divided images are dilations.
    """
    types = {node.type for node in file.nodes}
    if "IF" in types:
        from .branches import without_branches

        file = without_branches(file)
        types = {node.type for node in file.nodes}
    if "BATCH_TO_SPACE_ND" in types:
        from .dilations import with_dilations

        file = with_dilations(file, outputs)
    if "UNIDIRECTIONAL_SEQUENCE_LSTM" in types:
        from .sequence_lstm import without_kept_states

        file = without_kept_states(file)
    if types.isdisjoint(VARIABLES):
        return file, {}
    from .variables import without_variables

    return without_variables(file)


def _needed(file: File, outputs: Sequence[str]) -> list[FileNode]:
    for name in outputs:
        if name not in file.tensors:
            import difflib  # a millisecond, for this error alone

            close = difflib.get_close_matches(str(name), file.tensors, n=3)
            hint = f"; there are {', '.join(map(repr, close))}" if close else ""
            raise InvalidModelError(f"{file.name}: nothing makes the output {name!r}{hint}")
    constants = {t.name for t in file.tensors.values() if t.data is not None}
    numbers = needed_nodes(
        file.name,
        [(node.inputs, node.outputs) for node in file.nodes],
        {*file.inputs, *constants},
        outputs,
        lambda number: file.nodes[number].name,
    )
    return [file.nodes[number] for number in numbers]


def _graph(
    file: File,
    nodes: Sequence[FileNode],
    inputs: Sequence[str],
    outputs: Sequence[str],
    given: Shapes,
    fixed: Mapping[str, Any],
    example: Example | None,
    *,
    open_batch: bool,
) -> Graph:
    used = {name for node in nodes for name in node.inputs} | set(outputs)
    state = Import(file.name, file.network, nodes, {}, channels_last=True)
    try:
        known = constants_of(file, state.build, used)
    except Unsupported as reason:
        raise UnsupportedOperatorError(f"{file.name}: {reason}") from None
    types = {name: _input_type(file, name) for name in inputs}
    for name in inputs:
        if name in fixed:
            sizes = _declared(file.tensors[name])
            known[name] = Known(fixed_input(file.name, name, sizes, types[name], fixed[name]), name)
    for name in outputs:
        if file.tensors[name].type == COMPLEX:
            raise UnsupportedOperatorError(f"{file.name}: output {name!r} is {COMPLEX}")
    state.add_constants(known)
    opened = Opened(example, channels_last=True)
    for name in inputs:
        if name in fixed:
            continue
        tensor = file.tensors[name]
        declared = _declared(tensor)
        if not open_batch and declared[:1] == [""]:
            declared[0] = max(tensor.declared[0], 1)
        shape = input_shape(file.name, name, declared, given.get(name), opened)
        state.add_input(name, shape, types[name], core_quantization(tensor))
    state.build.graph.open = opened.sizes
    return state.run(_importer(file, state), {*IMPORTERS, *FOLDED, "WHILE"}, outputs)


def _input_type(file: File, name: str) -> DType:
    type_ = file.tensors[name].type
    if type_ not in DType.all:
        wanted = f"need one of {sorted(DType.all)}"
        raise UnsupportedOperatorError(f"{file.name}: input {name!r} is {type_}, {wanted}")
    return DType(type_)


def _declared(tensor: Tensor) -> list[int | str]:
    """Return the sizes of an input; those that the file leaves open without a name."""
    return [n if n >= 0 else "" for n in tensor.shape]


def _importer(file: File, state: Import) -> ImportNode:
    def import_node(
        node: FileNode, values: list[Value | None], used: list[str]
    ) -> list[Value | None]:
        if node.type == "WHILE":
            from .loops import import_loop  # few files have any

            return import_loop(state, file, node, values, lambda inner: _importer(inner, state))
        if node.type == "DEQUANTIZE" and values and isinstance(values[0], Known):
            half = _float32_of(state.build, values[0])  # of weights, which half of the nodes may be
            if half is not None:
                return [half]
        tensors = [file.tensors.get(name) for name in node.inputs]
        made = [file.tensors[name] for name in node.outputs]
        call = Call(state.build, node, values, used, tensors, made)
        result = None
        if node.type in FOLDED and (call.is_known or node.type in ("SHAPE", "RANK")):
            result = FOLDED[node.type](call)
        if result is None:
            if node.type not in IMPORTERS:
                raise Unsupported("it is supported for values that are known in advance only")
            return _by_definition(call, IMPORTERS[node.type])
        return result if isinstance(result, list) else [result]

    return import_node


def _by_definition(call: Call, importer: Callable[[Call], Any]) -> list[Value | None]:
    """Import an operator; integers that stand for real numbers are those to it."""
    if not call.is_plain or call.type in ("DEQUANTIZE", "QUANTIZE"):
        from .quantized import by_definition  # few files have integers

        return by_definition(call, importer)
    results = call.imported(importer)
    if len(results) == len(call.results) and all(map(_is_float, results)):
        return results
    from .quantized import stored

    return stored(call, results)


def _is_float(value: Value | None) -> bool:
    return isinstance(value, Computed) and value.type.dtype is DType.FLOAT32


def _float32_of(builder: Builder, value: Known) -> Known | None:
    """Return float16 that is known as float32, None for all else."""
    if value.array.dtype.char != "e":
        return None
    builder.charge(value.array.shape)
    return Known(as_float32(value.array))
