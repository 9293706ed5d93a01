"""The float network with statistics of its values as outputs: the core computes them in place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..graph.ir import Graph, Node
from ..graph.lowering import lower
from ..graph.ops import infer
from ..graph.sizes import is_open
from .histogram import Histogram
from .insert import copied
from .samples import Sample

__all__ = ["Observer", "Statistics", "emit"]

_SAMPLED = 1 << 15  # elements of a value that one input adds to its histogram

Row = NDArray[np.float32]


@dataclass
class Statistics:
    """What is known of a value.

    Attributes
    ----------
    low, high : ndarray
        The least and the greatest of each channel so far.
    low_sum, high_sum : ndarray
        Sums over the inputs of the least and the greatest of each channel.
    least_sum, most_sum : float
        Sums over the inputs of the least and the greatest.
    count : int
        Of the inputs.
    """

    low: Row
    high: Row
    low_sum: NDArray[np.float64]
    high_sum: NDArray[np.float64]
    least_sum: float = 0.0
    most_sum: float = 0.0
    count: int = 0
    histogram: Histogram = field(default_factory=Histogram)

    @classmethod
    def empty(cls, channels: int) -> Statistics:
        """Return those of no inputs."""
        infinite = np.full(channels, np.inf, np.float32)
        return cls(infinite, -infinite, np.zeros(channels), np.zeros(channels))

    def add(self, low: Row, high: Row) -> None:
        """Take in what one input has made, the least and the greatest of each channel."""
        self.low, self.high = np.minimum(self.low, low), np.maximum(self.high, high)
        self.low_sum += low
        self.high_sum += high
        self.least_sum += float(low.min())
        self.most_sum += float(high.max())
        self.count += 1


class Observer:
    """Runs a float network and gathers statistics.

    Parameters
    ----------
    graph : Graph
        As `simplify` leaves it.
    values : sequence of str
        What to gather statistics of.
    histograms : bool
        Whether to count values, of a part of the pixels.
    """

    def __init__(self, graph: Graph, values: Sequence[str], *, histograms: bool) -> None:
        self.statistics: dict[str, Statistics] = {}
        self._histograms = histograms
        observed = copied(graph)
        observed.outputs = []
        for value in values:
            if value in graph.constants:
                continue
            for function in ("min", "max"):
                observed.outputs.append(_reduced(observed, value, function))
            if histograms:
                observed.outputs.append(_part(observed, value))
        self._values = [value for value in values if value not in graph.constants]
        self._network = lower(observed, {})
        for value in values:
            if value in graph.constants:
                self._observe_constant(value, graph.constants[value])

    def _of(self, value: str, channels: int) -> Statistics:
        return self.statistics.setdefault(value, Statistics.empty(channels))

    def _observe_constant(self, value: str, array: NDArray[np.float32]) -> None:
        rows = array.reshape(-1, array.shape[-1] if array.ndim else 1)
        self._of(value, rows.shape[1]).add(rows.min(axis=0), rows.max(axis=0))
        self.statistics[value].histogram.add(array)

    def add(self, sample: Sample) -> None:
        """Run the network on one input."""
        results = iter(self._network.run(sample))
        for value in self._values:
            low, high = (_by_channel(next(results)) for _ in range(2))
            low, high = low.min(axis=0), high.max(axis=0)
            if not (np.isfinite(low).all() and np.isfinite(high).all()):
                raise ValueError(
                    f"calibration: value {value!r} is not finite for one of the inputs"
                )
            self._of(value, low.size).add(low, high)
            if self._histograms:
                self.statistics[value].histogram.add(next(results))


def _by_channel(array: NDArray[np.float32]) -> NDArray[np.float32]:
    return array.reshape(-1, array.shape[-1] if array.ndim else 1)


def emit(graph: Graph, node: Node) -> str:
    """Append a node and return the name of its value."""
    types = [graph.types[value] for value in node.inputs]
    graph.types[node.output] = infer(node, types, channels_last=True)
    graph.nodes.append(node)
    return node.output


def _reduced(graph: Graph, value: str, function: str) -> str:
    """Add the least or the greatest of each channel."""
    axes = tuple(range(1, len(graph.shape(value)) - 1))
    name = f"{value}\n{function}"  # no value of a file is called so by chance
    if not axes:
        return emit(graph, Node("identity", [value], name))
    attributes = {"function": function, "axes": axes, "keepdims": False}
    return emit(graph, Node("reduce", [value], name, attributes))


def _part(graph: Graph, value: str) -> str:
    """Add a part of the pixels of a value: every n-th of each axis between first and last."""
    shape = graph.shape(value)
    inner = [n or 1 for n in shape[1:-1]]
    total = math.prod(inner) * (shape[-1] or 1) if len(shape) > 1 else 1
    steps = [1] * len(shape)
    for axis in range(1, len(shape) - 1):
        wanted = (total / _SAMPLED) ** (1 / max(1, sum(n > 1 for n in inner)))
        steps[axis] = max(1, min(math.ceil(wanted), inner[axis - 1]))
    name = f"{value}\npart"
    if all(step == 1 for step in steps):
        return emit(graph, Node("identity", [value], name))
    attributes = {
        "starts": tuple(
            0 if n is None or is_open(n) else k // 2 for n, k in zip(shape, steps, strict=True)
        ),
        "stops": (None,) * len(shape),
        "steps": tuple(steps),
    }
    return emit(graph, Node("slice", [value], name, attributes))
