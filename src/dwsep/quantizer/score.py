"""How near a network's outputs are to those of the float network: the ratio of signal to noise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._summary import float_steps_text
from ..graph.ir import Graph
from ..graph.lowering import lower
from ..graph.passes import finish
from .insert import copied
from .samples import Sample

__all__ = ["Noise", "Scorer", "decibels", "network_of"]

_LARGE = 1 << 16  # elements whose sums of squares are not worth float64
_MOST_DB = 150.0  # float32 itself is no better


def network_of(
    graph: Graph, metadata: dict[str, str] | None = None, *, fuse: bool = True
) -> _core.Network:
    """Return the network of a graph that `simplify` has seen; the graph stays as it is."""
    finished = finish(copied(graph), fuse=fuse)
    return lower(finished, {**(metadata or {}), **float_steps_text(finished.float_steps)})


def decibels(signal: float, noise: float) -> float:
    """Return the ratio in dB, at most that of float32."""
    if not np.isfinite(noise):
        return -_MOST_DB
    if noise <= 0 or signal <= 0:
        return _MOST_DB if noise <= 0 else 0.0
    return float(min(10 * np.log10(signal / noise), _MOST_DB))


class Noise:
    """Sums of squares of a value and of what another network makes of it."""

    def __init__(self, centred: bool = False) -> None:
        self.signal = self.noise = 0.0
        self.centred = centred

    def add(self, wanted: NDArray[Any], got: NDArray[Any]) -> None:
        """Compare the results for one input."""
        if wanted.size < _LARGE:
            wanted, got = (x.astype(np.float64) for x in (wanted, got))
        if self.centred:
            wanted, got = (x - x.mean(axis=-1, keepdims=True) for x in (wanted, got))
        self.signal += float(np.vdot(wanted, wanted))
        difference = wanted - got
        self.noise += float(np.vdot(difference, difference))

    @property
    def decibels(self) -> float:
        """The ratio of signal to noise."""
        return decibels(self.signal, self.noise)


class Scorer:
    """Compares networks with the float one on some inputs.

    Outputs that end in softmax are compared before it, less the mean of the classes, which changes
    no probability; scores of classes (N, C) likewise.
    """

    def __init__(self, graph: Graph, inputs: Sequence[Sample]) -> None:
        self.values, self._centred = _judged(graph)
        self.inputs = inputs
        self._wanted = self._run(graph, inputs)

    def _run(self, graph: Graph, inputs: Iterable[Sample]) -> list[list[NDArray[np.float32]]]:
        judged = copied(graph)
        judged.outputs = [*self.values]
        network = network_of(judged)
        return [network.run(sample) for sample in inputs]

    def __call__(self, graph: Graph) -> float:
        """Return the ratio in dB of a graph's outputs, the mean where there are several."""
        return self.judge(graph)[0]

    def judge(self, graph: Graph) -> tuple[float, float | None]:
        """Return also the share of the places where the largest of the last axis is the same."""
        found = [Noise(centred) for centred in self._centred]
        same = count = 0
        for wanted, got in zip(self._wanted, self._run(graph, self.inputs), strict=True):
            for noise, a, b in zip(found, wanted, got, strict=True):
                noise.add(a, b)
                if noise.centred:
                    agree = a.argmax(axis=-1) == b.argmax(axis=-1)
                    same, count = same + int(agree.sum()), count + agree.size
        ratio = float(np.mean([noise.decibels for noise in found])) if found else _MOST_DB
        return ratio, same / count if count else None


def _judged(graph: Graph) -> tuple[list[str], list[bool]]:
    """Return the values to compare, and of which the mean of the last axis does not matter."""
    makers = {node.output: node for node in graph.nodes}
    found: dict[str, bool] = {}
    for name in graph.outputs:
        if graph.types[name].dtype.value != "float32":
            continue
        value, maker = name, makers.get(name)
        while maker is not None and maker.kind in ("identity", "reshape"):
            value = maker.inputs[0]
            maker = makers.get(value)
        shape = graph.shape(name)
        if maker is not None and maker.kind == "softmax":
            axis = maker.attributes.get("axis", -1)
            rank = len(graph.shape(value))
            found[maker.inputs[0]] = axis % rank == rank - 1
        else:
            found[name] = len(shape) == 2 and (shape[1] or 0) > 1
    return [*found], [*found.values()]
