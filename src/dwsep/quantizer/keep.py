"""Which steps compute in float32: those that the caller names, or those that cost most."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import prod

from .._checks import shown
from ..graph.ir import Graph
from ..graph.replaced import replaced
from .insert import copied
from .places import step_name
from .samples import Sample
from .score import Scorer
from .search import Candidate, Search

__all__ = ["alone", "check_keep_float", "few", "keep_worst"]

_FEW = 4  # inputs that steps are compared on, one by one
_MOST_WORK = 3 << 29  # elements of values, over all steps and inputs; MobileNetV2 just keeps four


def check_keep_float(graph: Graph, keep_float: object) -> None:
    """Refuse what is neither names of steps, a number of them, nor a ratio in dB."""
    wanted = "keep_float: need names of steps, a number of them (int) or decibels (float)"
    if isinstance(keep_float, (int, float)):
        if isinstance(keep_float, bool) or not 0 <= keep_float < float("inf"):
            raise ValueError(f"{wanted}, got {keep_float!r}")
        return
    if isinstance(keep_float, (str, bytes)) or not isinstance(keep_float, Collection):
        raise TypeError(f"{wanted}, got {shown(keep_float)}")
    names = {step_name(node) for node in graph.nodes}
    if unknown := [name for name in keep_float if name not in names]:
        raise ValueError(f"keep_float: need names of steps, which summary() lists, got {unknown}")


def few(graph: Graph, candidate: Candidate, inputs: Sequence[Sample]) -> list[Sample]:
    """Return some of the inputs, the fewer the larger the network: all steps are tried on each."""
    stored = candidate.places.stored
    elements = sum(prod(n or 1 for n in graph.shape(value)) for value in stored)
    count = min(_FEW, max(1, _MOST_WORK // max(1, elements * len(stored))))
    return [*inputs[:: max(1, len(inputs) // count)][:count]]


def alone(graph: Graph, candidate: Candidate, scorer: Scorer, output: str) -> float:
    """Return the ratio of the network's outputs if one step alone is quantized, in dB.

    Parameters
    ----------
    graph : Graph
        The float network.
    candidate : Candidate
        The quantized one.
    scorer : Scorer
    output : str
        The name of the step's value.
    """
    mixed = copied(graph)
    mixed.nodes = []
    makers = {node.output: node for node in candidate.graph.nodes}
    pair = [n for n in candidate.graph.nodes if n.kind == "quantize" and n.inputs == [output]]
    renamed: dict[str, str] = {}

    def add_rounding() -> None:
        for quantize in pair:
            back = next(n for n in candidate.graph.nodes if n.inputs == [quantize.output])
            mixed.nodes += [quantize, back]
            for node in (quantize, back):
                mixed.types[node.output] = candidate.graph.types[node.output]
            renamed[output] = back.output

    if output not in makers:
        add_rounding()
    for node in graph.nodes:
        node = replaced(node, inputs=[renamed.get(v, v) for v in node.inputs])
        if node.output == output:
            # The bias as it was: a corrected one makes up for what the other steps do.
            bias = {name: w for name, w in node.weights.items() if name == "bias"}
            node.weights = {**makers[output].weights, **bias}
        mixed.nodes.append(node)
        if node.output == output:
            add_rounding()
    return scorer(mixed)


def keep_worst(search: Search, candidate: Candidate, wanted: float) -> tuple[Candidate, list[str]]:
    """Let the steps that cost most compute in float32.

    Parameters
    ----------
    search : Search
    candidate : Candidate
        Without such steps.
    wanted : int or float
        How many, or the ratio in dB that the outputs have to reach.

    Returns
    -------
    candidate : Candidate
    names : list of str
        The steps.
    """
    worst = _worst_first(search, candidate)

    def with_kept(count: int) -> Candidate:
        search.keep_float = worst[:count]
        return search.make(candidate.options)

    if isinstance(wanted, int):
        return with_kept(wanted), worst[:wanted]
    if search.scorer(candidate.graph) >= wanted:
        return candidate, []
    low, high = 0, len(worst)  # too few, and enough as far as that can be had
    while high - low > 1:
        middle = (low + high) // 2
        if search.scorer(with_kept(middle).graph) >= wanted:
            high = middle
        else:
            low = middle
    return with_kept(high), worst[:high]


def _worst_first(search: Search, candidate: Candidate) -> list[str]:
    """Return the names of the convolutions that are quantized, those that cost most first."""
    inputs = search.gathered.inputs
    scorer = Scorer(search.graph, few(search.graph, candidate, inputs))
    ratios = {
        step_name(node): alone(search.graph, candidate, scorer, output)
        for output, node in candidate.places.steps.items()
    }
    return sorted(ratios, key=lambda name: ratios[name])
