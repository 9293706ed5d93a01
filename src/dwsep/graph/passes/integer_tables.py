"""Makes one table of any function of one int8 or uint8 value: 256 inputs have 256 results.

Activations, arithmetic with numbers, several conversions one after the other: whatever lies between
integers and integers that depend on one of them alone is computed now, by the core, for every
input. A table behind a convolution is the convolution's own. What leaves every integer as it is, of
all channels, is no work at all: they only stand for other numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..folding import value_of
from ..ir import AnyArray, Graph, Node
from ..ops.attributes import clips
from ._edit import Edit
from ._integers import (
    integers_of,
    meaning_of,
    ordinary,
    output_of,
    quantization_of,
    rounds_to_bytes,
    scales,
)
from .integer_steps import CONVOLUTIONS

_MOST_CHANNELS = 1 << 14  # with scales of their own, whose 256 integers are all computed
_FUNCTIONS = ("activation", "unary", "binary", "identity")


def run(graph: Graph) -> bool:
    """Replace functions of one value by tables."""
    edit = Edit(graph)
    sources: dict[str, str] = {}  # the integers that a value is a function of
    for node in edit.nodes():
        source = _source(edit, node, sources)
        if source is not None and (node.kind != "quantize" or _tabulate(edit, node, source)):
            sources[node.output] = source
    return edit.finish()


def _source(edit: Edit, node: Node, sources: dict[str, str]) -> str | None:
    if node.kind == "dequantize":
        integers = integers_of(edit, node.output, per_channel=True)
        return None if integers is None else sources.get(integers, integers)
    if node.kind == "quantize":
        rounds = rounds_to_bytes(edit, node, per_channel=True)
        return sources.get(node.inputs[0]) if rounds else None
    if node.kind == "table":
        return sources.get(node.inputs[0], node.inputs[0])
    if node.kind not in _FUNCTIONS:
        return None
    found = {sources.get(v) for v in node.inputs if edit.constant(v) is None}
    if len(found) != 1 or not all(_fits(edit, v, node.output) for v in node.inputs):
        return None
    return found.pop()


def _fits(edit: Edit, value: str, output: str) -> bool:
    """Return whether an operand is a number, or has the shape of the result."""
    constant = edit.constant(value)
    return edit.shape(value) == edit.shape(output) if constant is None else constant.size == 1


def _tabulate(edit: Edit, rounding: Node, source: str) -> bool:
    """Replace a rounding by a table, or by nothing but the integers; return whether it was."""
    type_, shape = edit.graph.types[source].dtype, edit.shape(source)
    stored = (np.arange(256) + np.iinfo(type_.numpy).min).astype(type_.numpy)
    to = scales(rounding)
    each = quantization_of(edit, source).axis is not None or to["axis"] is not None
    if each and (len(shape) < 2 or (shape[-1] or 1) > _MOST_CHANNELS):  # no room for the 256
        return False
    if each:
        stored = np.repeat(stored, shape[-1] or 1).reshape(*(1,) * (len(shape) - 2), 256, -1)
    values = _evaluated(edit, rounding.output, {source: stored})
    if rounding.attributes["to"] == type_.value and np.array_equal(values, stored):
        edit.become(rounding, "reinterpret", [source], to)
        return True
    if each:
        return False
    output = {k: v for k, v in output_of(rounding).items() if k != "axis"}
    attributes = {**output, "values": values.tolist()}
    edit.become(rounding, "table", [source], attributes)
    return True


def _evaluated(edit: Edit, output: str, known: dict[str, AnyArray]) -> AnyArray:
    """Return what nodes make of every input."""
    waiting = [output]
    while waiting:
        value = waiting[-1]
        node = edit.producer.get(value)
        constant = edit.constant(value)
        if constant is not None:
            known[value] = constant.reshape(())
        if value in known:
            waiting.pop()
            continue
        assert node is not None
        missing = [v for v in node.inputs if v not in known]
        if missing:
            waiting += missing
        elif node.kind == "table":
            values = np.array(node.attributes["values"])
            x = known[node.inputs[0]]
            index = x.astype(np.int64) - np.iinfo(x.dtype).min
            known[value] = values[index].astype(edit.graph.types[value].dtype.numpy)
        elif node.kind == "reinterpret":
            known[value] = known[node.inputs[0]]
        elif (sums := _as_steps(edit, node, known)) is not None:
            known[value] = sums
        else:
            known[value] = value_of(node, [known[v] for v in node.inputs])
    return known[output]


def _as_steps(edit: Edit, rounding: Node, known: dict[str, AnyArray]) -> AnyArray | None:
    """Return sums or products of integers, or with one that is known, as their steps round them."""
    node = edit.producer.get(rounding.inputs[0])
    if not edit.graph.zero_first or not rounds_to_bytes(edit, rounding) or node is None:
        return None
    if node.kind != "binary" or node.attributes["function"] not in ("add", "mul"):
        return None
    arrays, meanings = [], []
    for value in sorted(node.inputs, key=lambda v: v in edit.graph.stored):  # the known one last
        real, integers = edit.constant(value), integers_of(edit, value)
        meaning = edit.graph.stored.get(value)
        if real is not None and meaning is not None:
            steps = np.rint(real.reshape(1) / np.float32(meaning.scale[0])) + meaning.zero_point[0]
            arrays.append(steps.astype(meaning.dtype.numpy))
        elif integers is not None and integers in known:
            meaning = quantization_of(edit, integers)
            arrays.append(known[integers])
        else:
            return None
        meanings.append(meaning)
    scale = [*scales(rounding)["scale"], *(s for meaning in meanings for s in meaning.scale)]
    if node.attributes["activation"] is not None or not ordinary(scale):
        return None
    output = {k: v for k, v in output_of(rounding).items() if k != "axis"}
    attributes = {**node.attributes, **output, "zero_first": True}
    return value_of(
        Node("binary", [], rounding.output, attributes, {}, node.name), arrays, meanings
    )


def fuse(graph: Graph) -> bool:
    """Let convolutions look their results up, where nothing else reads them."""
    edit = Edit(graph)
    for node in edit.nodes("table"):
        x = node.inputs[0]
        conv = edit.made_by(x, *CONVOLUTIONS)
        before = meaning_of(edit, x)
        if conv is None or before is None or not edit.private(x) or not _takes_table(conv):
            continue
        unsigned = conv.attributes["to"] == "uint8"
        table = np.array(node.attributes["values"])
        table = table - 128 if node.attributes["to"] == "uint8" else table
        attributes: dict[str, Any] = {
            **conv.attributes,
            **{k: node.attributes[k] for k in ("to", "scale", "zero_point")},
            "tabled_scale": before["scale"],
            "tabled_zero_point": tuple(z - 128 * unsigned for z in before["zero_point"]),
        }
        weights: dict[str, Any] = {**conv.weights, "table": table.astype(np.int8)}
        edit.become(node, conv.kind, conv.inputs, attributes, weights, conv.name)
    return edit.finish()


def _takes_table(conv: Node) -> bool:
    """Return whether a convolution rounds, once and by one scale, what it computes."""
    a = conv.attributes
    rounds = a.get("to") is not None and len(a["scale"]) == 1
    return clips(a.get("activation")) and rounds and a.get("tabled_scale") is None
