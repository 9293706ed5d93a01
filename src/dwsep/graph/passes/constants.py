"""Computes what is known, and removes what changes nothing, is computed twice or is never read."""

from __future__ import annotations

import math
import struct
from typing import Any, TypeAlias

import numpy as np

from ..ir import Graph, Node
from ..ops import OPS
from ..sizes import OpenRatio, OpenSize, is_ratio, is_size
from ._edit import Edit

# Folding may make constants larger (expand): up to 4 MB, or as large as what they are made of.
_LARGEST_SIZE = 1 << 20
_LARGEST_COST = 1 << 28  # about a second
_NEUTRAL = {"add": 0, "sub": 0, "mul": 1, "div": 1, "pow": 1}


# By kinds and inputs, the one node of these, or the values that several make by their attributes.
Seen: TypeAlias = "dict[tuple[str, ...], Node | dict[object, str]]"


def run(graph: Graph) -> bool:
    """Fold constants, remove identities, merge equal nodes and sweep dead ones.

    Outputs keep their names: an output that is an input or a constant stays an `identity`.
    """
    edit = Edit(graph)
    for name in dict.fromkeys(graph.outputs):
        if name in graph.constants:
            _name_constant(edit, name)
    seen: Seen = {}
    for node in edit.nodes():
        if _fold(edit, node) or _merge(edit, node, seen):
            continue
        source = _same_as(edit, node)
        if source is not None:
            _bypass(edit, node, source)
    edit.sweep()  # what an importer has left, too
    return edit.finish()


def _name_constant(edit: Edit, name: str) -> None:
    """Let an output that is itself a constant be computed, as all others are."""
    graph = edit.graph
    constant = edit.add_constant(f"{name}_constant", graph.constants[name])
    edit.redirect(name, constant)
    del graph.constants[name]
    edit.append(Node("identity", [constant], name))


def _fold(edit: Edit, node: Node) -> bool:
    """Replace a node whose inputs are all known by its value."""
    constants = edit.graph.constants
    inputs = [constants[value] for value in node.inputs if value in constants]
    if not inputs or len(inputs) < len(node.inputs):
        return False
    shape = edit.shape(node.output)
    if node.kind == "identity" or None in shape:
        return False
    from ..folding import cost, foldable, value_of  # few nodes come so far

    if not foldable(node, inputs, channels_last=edit.graph.channels_last):
        return False
    size = math.prod(n for n in shape if n is not None)
    if size > max(_LARGEST_SIZE, *(array.size for array in inputs)):
        return False
    if cost(node, [array.shape for array in inputs]) > _LARGEST_COST:
        return False
    name = edit.add_constant(node.output, value_of(node, inputs))
    edit.redirect(node.output, name)
    if edit.is_output(node.output):
        edit.become(node, "identity", [name])
    return True


def _merge(edit: Edit, node: Node, seen: Seen) -> bool:
    """Let the readers of a node that was already computed read the first one."""
    if node.weights:
        return False
    place = (node.kind, *node.inputs)
    alike = seen.setdefault(place, node)
    if alike is node:
        return False
    if isinstance(alike, Node):
        is_still = (alike.kind, *alike.inputs) == place
        alike = seen[place] = {_key(alike.attributes): alike.output} if is_still else {}
    key = _key(node.attributes)
    first = alike.setdefault(key, node.output)
    if first not in edit.producer:  # it died, or has another name by now
        first = alike[key] = node.output
    if first == node.output:
        return False
    if edit.is_output(node.output):
        if node.kind == "identity":
            return False
        edit.become(node, "identity", [first])
    edit.redirect(node.output, first)
    return True


def _key(value: Any) -> object:
    if isinstance(value, dict):
        return tuple((name, _key(value[name])) for name in sorted(value))
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    if isinstance(value, (list, tuple)):
        kinds = set(map(type, value))  # of ten thousand scales as fast as that
        if kinds == {float}:
            return struct.pack(f"{len(value)}d", *value)
        return tuple(value) if kinds == {int} else tuple(map(_key, value))
    if is_size(value):
        return OpenSize, value.terms
    if is_ratio(value):
        return OpenRatio, _key(value.of), _key(value.by)
    if isinstance(value, float):
        return struct.pack("d", value)  # -0.0 equals 0.0, and does not do the same
    return type(value).__name__ if value is None else value


def _bypass(edit: Edit, node: Node, source: str) -> None:
    if not edit.is_output(node.output):
        edit.redirect(node.output, source)
        return
    producer = edit.producer.get(source)
    if producer is None or edit.is_output(source):
        if node.kind != "identity":
            edit.become(node, "identity", [source])
        return
    # The output's name moves up to the node that computes it; this one is left without readers.
    name = node.output
    edit.producer.pop(name)
    node.output = edit.fresh(name)
    edit.producer[node.output] = node
    edit.graph.types[node.output] = edit.graph.types[name]
    edit.rename_output(producer, name)


def _same_as(edit: Edit, node: Node) -> str | None:
    """Return the input that a node's value is equal to, if it is to one."""
    if node.kind == "identity":
        return node.inputs[0]
    if node.kind == "binary":
        return _neutral(edit, node)
    test = OPS[node.kind].changes_nothing
    if test is None:
        return None
    x, y = (edit.graph.types[value] for value in (node.inputs[0], node.output))
    if (x.shape, x.dtype) != (y.shape, y.dtype):
        return None
    return node.inputs[0] if test(node.attributes) else None


def _neutral(edit: Edit, node: Node) -> str | None:
    """Return x of x + 0, x - 0, x * 1, x / 1, x ** 1 where it is not broadcast."""
    if node.attributes.get("activation") is not None:
        return None
    function = node.attributes["function"]
    neutral = _NEUTRAL.get(function)
    a, b = node.inputs
    for x, other in ((a, b), (b, a)) if function in ("add", "mul") else ((a, b),):
        known = edit.constant(other)
        if neutral is None or known is None or edit.shape(x) != edit.shape(node.output):
            continue
        if bool(np.all(known == neutral)):
            return x
    return None
