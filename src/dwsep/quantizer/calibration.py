"""One walk through the calibration inputs: statistics of values, and the inputs that are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..graph.ir import Graph
from .observe import Observer, Statistics
from .samples import Kept, Sample, samples

__all__ = ["Calibration", "Progress", "calibrate"]

Progress: TypeAlias = Callable[[str, int, int | None], object]

_KEPT, _KEPT_BYTES = 32, 1 << 26  # inputs to compare networks with; a quarter of the bytes held out


@dataclass(frozen=True)
class Calibration:
    """What was gathered.

    Attributes
    ----------
    statistics : dict of str to Statistics
        Of the values that were asked for.
    inputs : list of Sample
        Some of the inputs that they come from.
    held_out : list of Sample
        Some of those that they do not come from; empty where few inputs came.
    count : int
        Of the inputs that the statistics come from.
    """

    statistics: dict[str, Statistics]
    inputs: list[Sample]
    held_out: list[Sample]
    count: int


def calibrate(
    graph: Graph,
    values: Sequence[str],
    calibration: Iterable[Any],
    *,
    histograms: bool,
    progress: Progress | None,
) -> Calibration:
    """Run the float network on all calibration inputs.

    Parameters
    ----------
    graph : Graph
        As `simplify` leaves it.
    values : sequence of str
        What to gather statistics of.
    calibration : iterable
        Of batches.
    histograms : bool
        Whether to count values.
    progress : callable or None

    Raises
    ------
    ValueError
        If there are no inputs, or they do not fit.
    """
    observer = Observer(graph, values, histograms=histograms)
    inputs, held_out = Kept(_KEPT, _KEPT_BYTES), Kept(_KEPT, _KEPT_BYTES // 4)
    batches = len(calibration) if isinstance(calibration, Sized) else None
    count = done = 0

    def counted() -> Iterable[Any]:
        nonlocal done
        for batch in calibration:
            yield batch
            done += 1
            if progress is not None:
                progress("calibrating", done, batches)

    for sample, is_held_out in samples(graph, counted()):
        (held_out if is_held_out else inputs).offer(sample)
        if not is_held_out:
            observer.add(sample)
            count += 1
    if not count:
        raise ValueError("calibration: need one input at least, got none")
    return Calibration(observer.statistics, inputs.samples, held_out.samples, count)
