"""Lowering: an optimised graph becomes a network of the C++ core, step by step."""

from __future__ import annotations

from typing import Any

import numpy as np

from dwsep import _core
from dwsep._arguments import LEAKY_SLOPE
from dwsep._arguments import activation as canonical_activation

from .ir import Graph, Node

_INFINITY = float("inf")
_CLIPS = {None: (-_INFINITY, _INFINITY), "relu": (0.0, _INFINITY), "relu6": (0.0, 6.0)}
_LONGEST = 2**63 - 1


def lower(graph: Graph, metadata: dict[str, str]) -> _core.Network:
    """Build the network of a graph that all passes have seen.

    Parameters
    ----------
    graph : Graph
        Of physical kinds only, images NHWC.
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
        shape = [-1 if size is None else size for size in graph.shape(name)]
        numbers[name] = builder.input(name, shape)
    for node in graph.nodes:
        for value in node.inputs:
            if value not in numbers:
                constant = np.asarray(graph.constants[value], np.float32, order="C")
                numbers[value] = builder.constant(constant)
        numbers[node.output] = builder.step(
            node.kind,
            node.name or node.output,
            [numbers[value] for value in node.inputs],
            _attributes(node),
            {
                name: np.ascontiguousarray(w, np.float32)
                for name, w in node.weights.items()
                if w is not None
            },
        )
    for name in graph.outputs:
        if name not in numbers:
            constant = np.asarray(graph.constants[name], np.float32, order="C")
            numbers[name] = builder.constant(constant)
        builder.output(name, numbers[name])
    for key, text in metadata.items():
        builder.metadata(key, text)
    return builder.finish()


def _attributes(node: Node) -> dict[str, Any]:
    """Spell attributes as the core reads them: strings, integers, floats."""
    result: dict[str, Any] = {}
    for key, value in node.attributes.items():
        if key.endswith("activation"):
            result.update(_activation(key, value))
        elif key == "stops":
            backwards = [step < 0 for step in node.attributes["steps"]]
            ends = [-_LONGEST - 1 if back else _LONGEST for back in backwards]
            result[key] = [
                int(end if stop is None else stop) for stop, end in zip(value, ends, strict=True)
            ]
        elif key == "indices":
            indices = np.asarray(value)
            result[key] = [int(i) for i in indices.ravel()]
            result["indices_shape"] = list(indices.shape)
        elif key in ("scale", "epsilon", "value"):
            result[key] = [float(v) for v in np.atleast_1d(value)]
        elif isinstance(value, str):
            result[key] = value
        elif value is not None:
            result[key] = [int(v) for v in np.atleast_1d(value)]
    if node.kind == "standard":
        result["kernel"] = list(node.weights["weight"].shape[:2])
    return result


def _activation(key: str, value: object) -> dict[str, Any]:
    canonical = canonical_activation(value)
    name, *numbers = canonical if isinstance(canonical, tuple) else (canonical,)
    if name in _CLIPS:
        name, numbers = "clip", list(_CLIPS[name])
    elif name == "leaky_relu" and not numbers:
        numbers = [LEAKY_SLOPE]
    bounds = zip(("_lo", "_hi"), numbers, strict=False)
    return {key: name, **{key + end: float(number) for end, number in bounds}}
