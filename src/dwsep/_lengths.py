"""Outputs of which the network decides how long they are: cut to what counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ._record import Record

if TYPE_CHECKING:
    from ._core import Network
    from .graph.ir import Graph

_KEY = "lengths"  # of a network's metadata


class Cut(Record):
    """An output by its place, its axis that is cut, and the place of the output with the length."""

    output: int
    axis: int
    length: int


def lengths_text(graph: Graph) -> dict[str, str]:
    """Return the lengths of a graph's outputs as metadata of a network; nothing without any."""
    if not graph.lengths:
        return {}
    import json

    rows = {name: [length.axis, length.count] for name, length in graph.lengths.items()}
    return {_KEY: json.dumps(rows)}


def cuts_of(network: Network) -> tuple[Cut, ...]:
    """Return the cuts that a network's metadata names."""
    text = network.metadata.get(_KEY)
    if text is None:
        return ()
    import json

    try:
        names = [output[0] for output in network.outputs]
        cuts = tuple(
            Cut(names.index(name), int(axis), names.index(count))
            for name, (axis, count) in json.loads(text).items()
        )
        if all(0 <= c.axis < len(network.outputs[c.output][1]) for c in cuts):
            return cuts
    except (ValueError, TypeError, AttributeError):
        pass
    raise ValueError("the network's metadata name lengths that it does not have")


def cut(results: Sequence[Any], cuts: Sequence[Cut]) -> list[Any]:
    """Return the outputs, each cut to its length."""
    results = list(results)
    for output, axis, length in cuts:
        kept = slice(0, int(results[length].reshape(-1)[0]))
        results[output] = results[output][(slice(None),) * axis + (kept,)]
    return results


def opened(outputs: Sequence[tuple[Any, ...]], cuts: Sequence[Cut]) -> list[tuple[Any, ...]]:
    """Return what is known of outputs, with axes that are cut open (-1)."""
    result = [tuple(output) for output in outputs]
    for place, axis, _ in cuts:
        name, shape, *rest = result[place]
        sizes = tuple(-1 if i == axis else n for i, n in enumerate(shape))
        result[place] = (name, sizes, *rest)
    return result
