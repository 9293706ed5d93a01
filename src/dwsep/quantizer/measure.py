"""Fills the report: compares the two networks value by value, and times them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from ..graph.ir import Graph, Quantization
from .calibration import Calibration
from .insert import copied
from .keep import alone, few
from .places import moves, step_name
from .report import QuantizationReport, QuantizationRow
from .samples import Sample
from .score import Noise, Scorer, network_of
from .search import Candidate

if TYPE_CHECKING:
    from .. import _core

__all__ = ["measure"]

_ROUNDS = 5
_PART = 1 << 21  # elements of values that are compared at a time


def measure(
    graph: Graph,
    chosen: Candidate,
    gathered: Calibration,
    network: _core.Network,
    *,
    tried: Mapping[str, float],
    kept_float: Sequence[str],
) -> QuantizationReport:
    """Return the report of a quantized network.

    Parameters
    ----------
    graph : Graph
        The float network.
    chosen : Candidate
        The quantized one.
    gathered : Calibration
    network : Network
        What runs it.
    tried : mapping of str to float
        What was compared with it.
    kept_float : sequence of str
        Names of steps.
    """
    some = few(graph, chosen, gathered.inputs)
    judged, scorer = Scorer(graph, gathered.held_out or gathered.inputs), Scorer(graph, some)
    whole = network_of(graph)
    ratios = _ratios(graph, chosen, some)
    times = [_times(n, some[0]) for n in (network, network_of(graph, fuse=False))]
    rows = []
    for output, name, kind in _steps(graph, chosen):
        cost = None
        if output in chosen.places.stored or output in chosen.places.steps:
            cost = alone(graph, chosen, scorer, output)
        stored = chosen.scales.get(output)
        spent = [of.get(name, 0.0) * 1e6 for of in times]
        rows.append(_row(name, kind, stored, ratios.get(output), cost, spent))
    decibels, agreement = judged.judge(chosen.graph)
    return QuantizationReport(
        name=graph.name,
        method=str(chosen.options),
        tried=dict(tried),
        kept_float=[*kept_float],
        inputs=gathered.count,
        held_out=len(gathered.held_out),
        decibels=decibels,
        agreement=agreement,
        int8_bytes=len(network.to_bytes()),
        float_bytes=len(whole.to_bytes()),
        int8_us=_seconds(network, some[0]) * 1e6,
        float_us=_seconds(whole, some[0]) * 1e6,
        rows=rows,
    )


def _steps(graph: Graph, chosen: Candidate) -> Iterator[tuple[str, str, str]]:
    """Yield the value, the name and the kind of each step that is more than a view."""
    for name in graph.inputs:
        if name in chosen.places.stored:
            yield name, name, "input"
    for node in graph.nodes:
        if node.output in chosen.places.stored or not moves(node):
            yield node.output, step_name(node), node.kind


def _row(
    name: str,
    kind: str,
    stored: Quantization | None,
    decibels: float | None,
    cost: float | None,
    spent: Sequence[float],
) -> QuantizationRow:
    low = high = None
    if stored is not None:
        scale, zero = np.array(stored.scale), np.array(stored.zero_point)
        low, high = float(((-128 - zero) * scale).min()), float(((127 - zero) * scale).max())
    return QuantizationRow(
        step=name,
        kind=kind,
        dtype="float32" if stored is None else stored.dtype.value,
        low=low,
        high=high,
        scales=0 if stored is None else len(stored.scale),
        decibels=decibels,
        alone_decibels=cost,
        int8_us=spent[0],
        float_us=spent[1],
    )


def _ratios(graph: Graph, chosen: Candidate, inputs: Sequence[Sample]) -> dict[str, float]:
    """Return the signal to noise of each value that is stored as integers."""
    makers = {node.output: node for node in chosen.graph.nodes}
    readers = chosen.graph.users()
    pairs: list[tuple[str, str]] = []
    for value in chosen.places.stored:
        if value in makers or value in graph.inputs:
            quantize = next(n for n in readers[value] if n.kind == "quantize")
            pairs.append((value, readers[quantize.output][0].output))
    found = {value: Noise() for value, _ in pairs}
    for part in _parts(graph, pairs):
        networks = [
            _watched(of, [p[i] for p in part]) for i, of in enumerate((graph, chosen.graph))
        ]
        for sample in inputs:
            wanted, got = (network.run(sample) for network in networks)
            for (value, _), a, b in zip(part, wanted, got, strict=True):
                found[value].add(a, b)
    return {value: noise.decibels for value, noise in found.items()}


def _parts(graph: Graph, pairs: list[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Yield values that fit little memory together."""
    part: list[tuple[str, str]] = []
    size = 0
    for pair in pairs:
        elements = prod(n or 1 for n in graph.shape(pair[0]))
        if part and size + elements > _PART:
            yield part
            part, size = [], 0
        part.append(pair)
        size += elements
    if part:
        yield part


def _watched(graph: Graph, outputs: list[str]) -> _core.Network:
    watched = copied(graph)
    watched.outputs = outputs
    return network_of(watched)


def _times(network: _core.Network, sample: Sample) -> dict[str, float]:
    """Return seconds by the names of steps."""
    names = [step["name"] for step in network.steps([array.shape for array in sample])]
    rounds = [network.profile(sample)[1] for _ in range(_ROUNDS)]
    result: dict[str, float] = {}
    for i, name in enumerate(names):
        result[name] = result.get(name, 0.0) + median(seconds[i] for seconds in rounds)
    return result


def _seconds(network: _core.Network, sample: Sample) -> float:
    """Return the time of a call."""
    network.run(sample)
    rounds = []
    for _ in range(_ROUNDS):
        begin = time.perf_counter()
        network.run(sample)
        rounds.append(time.perf_counter() - begin)
    return median(rounds)
