"""Chooses how to quantize a network: what gives its outputs the best ratio of signal to noise.

No rule is good for every network: each loses 1 to 20 dB with the rule that is best for another. The
outputs are compared on calibration inputs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from ..graph.ir import Array, Graph, Quantization
from .calibration import Calibration, Progress
from .insert import Inserted, insert
from .links import images_of_zero, link
from .places import Places, find_places
from .ranges import RULES, quantizations
from .refine import channel_means, refine
from .score import Scorer

__all__ = ["Candidate", "Options", "Search"]

_REFINED = 5  # ways at most whose biases are corrected


@dataclass(frozen=True)
class Options:
    """A way to quantize.

    Attributes
    ----------
    rule : str
        How ranges are found.
    by_channel : bool
        Whether inputs of depthwise convolutions have a scale for each channel.
    corrected : bool
        Whether biases are corrected.
    fitted : bool
        Whether weights are rounded for what steps read.
    """

    rule: str
    by_channel: bool
    corrected: bool = False
    fitted: bool = False

    def __str__(self) -> str:
        parts = [self.rule]
        parts += ["scales by channel"] * self.by_channel + ["biases corrected"] * self.corrected
        parts += ["weights fitted"] * self.fitted
        return ", ".join(parts)


@dataclass(frozen=True)
class Candidate:
    """A network that was tried.

    Attributes
    ----------
    options : Options
    graph : Graph
    places : Places
    scales : dict of str to Quantization
    """

    options: Options
    graph: Graph
    places: Places
    scales: dict[str, Quantization]


class Search:
    """Makes and compares quantized networks.

    Parameters
    ----------
    graph : Graph
        The float network, as `simplify` leaves it.
    gathered : Calibration
    per_channel : bool
        Whether weights have scales by channel.
    keep_float : collection of str
        Names of steps that stay as they are.
    progress : callable or None
    """

    def __init__(
        self,
        graph: Graph,
        gathered: Calibration,
        *,
        per_channel: bool,
        keep_float: Collection[str],
        progress: Progress | None,
    ) -> None:
        self.graph, self.gathered, self.per_channel = graph, gathered, per_channel
        self.keep_float = keep_float
        self.tried: dict[str, float] = {}
        self._progress, self._total = progress, 0
        self._ratios: dict[Options, float] = {}
        self._best: Candidate | None = None
        self._ranks = {value: len(type_.shape) for value, type_ in graph.types.items()}

    @cached_property
    def scorer(self) -> Scorer:
        """What compares networks with the float one."""
        return Scorer(self.graph, self.gathered.inputs)

    @cached_property
    def _means(self) -> Mapping[str, Array]:
        return channel_means(self.graph, self.places().steps, self.gathered.inputs)

    def places(self) -> Places:
        """Return what is stored as integers."""
        return find_places(self.graph, keep_float=self.keep_float)

    def make(self, options: Options) -> Candidate:
        """Make a network; it is not compared."""
        places, scales = self._scales(options)
        inserted: Inserted = insert(self.graph, places, scales, per_channel=self.per_channel)
        graph = inserted.graph
        if options.corrected:
            inputs, fit = self.gathered.inputs, options.fitted
            graph = refine(inserted, places.steps, self._means, inputs, fit=fit)
        return Candidate(options, graph, places, scales)

    def _scales(self, options: Options) -> tuple[Places, dict[str, Quantization]]:
        places = self.places()
        exact = images_of_zero(self.graph, places)
        while True:
            scales = quantizations(
                places,
                self.gathered.statistics,
                options.rule,
                self._ranks,
                by_channel=options.by_channel,
                exact=exact,
            )
            failed = link(self.graph, places, scales)
            if not failed:
                return places, scales
            places = replace(places, by_channel=places.by_channel - failed)

    def compare(self, options: Options) -> float:
        """Make a network, compare it with the float one and return the ratio in dB."""
        made = self.make(options)
        ratio = self.scorer(made.graph)
        self._ratios[options] = ratio
        if self._leaders(1) == [options]:
            self._best = made  # the others take memory
        self.tried[str(options)] = ratio
        if self._progress is not None:
            done = len(self._ratios)
            self._progress("choosing", done, max(done, self._total))
        return ratio

    def _leaders(self, count: int) -> list[Options]:
        """Return the best so far."""
        return sorted(self._ratios, key=lambda o: self._ratios[o], reverse=True)[:count]

    def _promising(self, channels: bool) -> list[Options]:
        """Return what to correct: the best, and the best of those with scales by channel.

        These gain most: PP-OCRv4's recogniser goes from 10 to 20 dB, and with one scale, where it
        begins at 15, to 17.
        """
        leaders = self._leaders(len(self._ratios))
        by_channel = [options for options in leaders if options.by_channel == channels]
        return [*dict.fromkeys([*leaders[:2], *by_channel[: _REFINED - 2]])]

    def best(self) -> Candidate:
        """Try the rules, then what may help the best of them, and return the best network."""
        first = Options(RULES[0], self.per_channel)
        channels = self.per_channel and bool(self.places().by_channel)
        self._total = len(RULES) + 2 * channels + _REFINED + 1
        for rule in RULES:
            self.compare(replace(first, rule=rule, by_channel=channels))
        for options in self._leaders(2 * channels):
            self.compare(replace(options, by_channel=False))
        for options in self._promising(channels):
            self.compare(replace(options, corrected=True))
        self.compare(replace(self._leaders(1)[0], corrected=True, fitted=True))
        assert self._best is not None
        return self._best
