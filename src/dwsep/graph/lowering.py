"""Lowering: an optimised graph becomes a network of the C++ core, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dwsep import _core

from .ir import AnyArray, Graph, Node
from .ops import OPS
from .ops.attributes import CoreValue
from .sizes import all_known, is_open, is_ratio, plain

if TYPE_CHECKING:
    from .open_program import Program


def lower(graph: Graph, metadata: dict[str, str]) -> _core.Network:
    """Build the network of a graph that all passes have seen.

    Parameters
    ----------
    graph : Graph
        Of kinds that the core computes only, images NHWC.
    metadata : dict of str
        Text that is kept with the network.

    Raises
    ------
    ValueError
        If the core refuses a node; the message names it.
    """
    builder = _core.NetworkBuilder()
    numbers: dict[str, int] = {}
    for name in graph.inputs:
        shape = [-1 if n is None or is_open(n) else n for n in graph.shape(name)]
        type_ = graph.types[name]
        numbers[name] = builder.input(name, shape, type_.dtype.value, type_.core_quantization)
    program = None
    if graph.open is not None and graph.open.atoms:
        from .open_program import Program

        shapes = [graph.shape(name) for name in graph.inputs]
        builder.example([[-1 if n is None else plain(n) for n in shape] for shape in shapes])
        program = Program(graph.open, builder, graph)
    for node in graph.nodes:
        for value in node.inputs:
            if value not in numbers:
                numbers[value] = _constant(builder, graph, value)
        inputs = [numbers[value] for value in node.inputs]
        numbers[node.output] = add_step(builder, node, inputs, program)
    for number, name in enumerate(graph.outputs):
        if name not in numbers:
            numbers[name] = _constant(builder, graph, name)
        builder.output(name, numbers[name])
        for axis, size in enumerate(graph.shape(name)):
            if is_open(size):
                builder.open_output(number, axis)
    if program is not None:
        program.conditions()
    for key, text in metadata.items():
        builder.metadata(key, text)
    return builder.finish()


def _constant(builder: _core.NetworkBuilder, graph: Graph, name: str) -> int:
    type_ = graph.types[name]
    array = np.asarray(graph.constants[name], type_.dtype.numpy, order="C")
    return builder.constant(array, type_.core_quantization)


def add_step(
    builder: _core.NetworkBuilder,
    node: Node,
    inputs: Sequence[int],
    program: Program | None = None,
) -> int:
    """Add the step that computes a node of values that the builder knows by number.

    Without a program, what depends on open sizes is held to its example.
    """
    attributes = core_attributes(node)
    opened = [
        (name, position, number)
        for name, value in (attributes.items() if program is not None else ())
        if isinstance(value, list) and not all_known(value)
        for position, number in enumerate(value)
        if is_open(number)
    ]
    value = builder.step(
        OPS[node.kind].computed_as or node.kind,
        node.name or node.output,
        inputs,
        {
            name: _numbers(value, held=program is None) if isinstance(value, list) else value
            for name, value in attributes.items()
        },
        _core_weights(node),
    )
    for name, position, number in opened:
        assert program is not None
        program.use(value, name, position, number)
    return value


def _numbers(values: list[int] | list[float], *, held: bool) -> list[int] | list[float]:
    """Return numbers of an attribute; of those that are open the example's."""
    if all_known(values):
        return values
    result: list[Any] = []
    for value in values:
        number: Any = value
        if is_ratio(number):
            number = float(number) if held else plain(number.of) / plain(number.by)
        elif is_open(number):
            number = int(number) if held else plain(number)
        result.append(number)
    return result


def _core_weights(node: Node) -> dict[str, AnyArray]:
    """Return the weights as the core takes them: float32 ones without scales of integers."""
    weights = {name: w for name, w in node.weights.items() if w is not None}
    if "weight" in weights and weights["weight"].dtype.kind == "f":
        weights = {name: w for name, w in weights.items() if not name.startswith("weight_")}
    return {
        name: np.ascontiguousarray(w, w.dtype if w.dtype.kind in "iu" else np.float32)
        for name, w in weights.items()
    }


def core_attributes(node: Node) -> dict[str, CoreValue]:
    """Return the attributes of a node as the core's schema declares them.

    Raises
    ------
    ValueError
        If the node has an attribute that its kind does not.
    """
    types = OPS[node.kind].attributes
    result: dict[str, CoreValue] = {}
    for name, value in node.attributes.items():
        if name not in types:
            raise ValueError(f"node {node.name!r} ({node.kind}): no such attribute: {name!r}")
        if value is not None or types[name].core == "activation":
            result.update(types[name].lowered(name, value, node.attributes))
    return result
