"""The calibration inputs, one at a time: some are kept, some held out, none more than once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._checks import shown
from ..graph.ir import Graph
from ..graph.sizes import is_open

__all__ = ["Kept", "Sample", "peeked", "samples"]

Sample = list[NDArray[Any]]  # an array for each input
_EVERY = 8  # one in so many inputs is held out


def samples(graph: Graph, calibration: Iterable[Any]) -> Iterator[tuple[Sample, bool]]:
    """Yield calibration inputs one by one, and whether each is held out.

    Batches are cut where the network takes any number of inputs in a call.
    """
    count = 0
    for item in calibration:
        for sample in _cut(graph, _arrays(graph, item)):
            count += 1
            yield sample, count % _EVERY == 0


def peeked(
    graph: Graph, calibration: Iterable[Any]
) -> tuple[dict[str, tuple[int | None, ...]], Iterable[Any]]:
    """Return the shapes of the first inputs, open in the batch, and what to go through then."""
    iterator = iter(calibration)
    for first in iterator:
        arrays = zip(graph.inputs, _arrays(graph, first), strict=True)
        shapes = {name: (graph.shape(name)[0], *array.shape[1:]) for name, array in arrays}
        return shapes, chain([first], iterator) if iterator is calibration else calibration
    raise ValueError("calibration: need one input at least, got none")


def _arrays(graph: Graph, item: Any) -> Sample:
    """Return the arrays of a batch in the order of the inputs."""
    names = graph.inputs
    if isinstance(item, Mapping):
        if set(item) != set(names):
            got = sorted(map(str, item))
            raise ValueError(f"calibration: need arrays named {names}, got {got}")
        arrays = [item[name] for name in names]
    elif isinstance(item, (tuple, list)):
        arrays = [*item]
    else:
        arrays = [item]
    if len(arrays) != len(names):
        raise ValueError(f"calibration: need an array for each of {names}, got {len(arrays)}")
    for name, array in zip(names, arrays, strict=True):
        _check(graph, name, array)
    return arrays


def _check(graph: Graph, name: str, array: Any) -> None:
    type_ = graph.types[name]
    wanted = f"calibration: need numpy.ndarrays of {type_.dtype.value} for {name!r}"
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{wanted}, got {shown(array)}")
    if array.dtype != type_.dtype.numpy:
        raise TypeError(f"{wanted}, got {array.dtype}")
    shape = type_.shape
    fits = array.ndim == len(shape) and all(
        size in (None, got) or is_open(size) or (axis == 0 and size == 1 and got > 0)
        for axis, (size, got) in enumerate(zip(shape, array.shape, strict=True))
    )
    if not fits or array.size == 0:
        raise ValueError(f"calibration: need shape {_text(shape)} for {name!r}, got {array.shape}")
    if array.dtype == np.float32 and not np.isfinite(array).all():
        raise ValueError(f"calibration: need finite numbers for {name!r}, got infinities or NaN")


def _text(shape: Sequence[int | None]) -> str:
    return "(" + ", ".join("N" if n is None or is_open(n) else str(n) for n in shape) + ")"


def _cut(graph: Graph, arrays: Sample) -> Iterator[Sample]:
    """Yield the inputs of a batch, each by itself."""
    open_ = [graph.shape(n)[:1] in ((None,), (1,)) for n in graph.inputs]
    sizes = {array.shape[0] for array, is_open in zip(arrays, open_, strict=True) if is_open}
    if not all(open_) or len(sizes) != 1:
        yield arrays
        return
    for i in range(sizes.pop()):
        yield [np.ascontiguousarray(array[i : i + 1]) for array in arrays]


class Kept:
    """Inputs spread over all that came, of at most so many bytes: how many will come is unknown.

    Whenever they are too many, every other one goes, and only every other one of those still to
    come is taken.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._step, self._seen, self._bytes = 1, 0, 0
        self.samples: list[Sample] = []

    def offer(self, sample: Sample) -> None:
        """Keep a copy of an input, or do not."""
        if self._seen % self._step == 0:
            self.samples.append([array.copy() for array in sample])
            self._bytes += sum(array.nbytes for array in sample)
        self._seen += 1
        while len(self.samples) > 1 and self._is_full():
            self.samples = self.samples[::2]
            self._bytes = sum(array.nbytes for kept in self.samples for array in kept)
            self._step *= 2

    def _is_full(self) -> bool:
        return len(self.samples) > self._most or self._bytes > self._most_bytes
