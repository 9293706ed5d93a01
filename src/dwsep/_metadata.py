"""What the metadata of a network say of its inputs and outputs: states, and lengths of outputs.

A state is an input that takes what an output was in the step before (see `session`). Of an output
that has a length the network decides how long it is: it is cut to what counts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._record import Record

if TYPE_CHECKING:
    from ._core import Network
    from .graph.ir import Graph, State

_LENGTHS, _STATES = "lengths", "states"  # keys


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
    return {_LENGTHS: json.dumps(rows)}


def cuts_of(network: Network) -> tuple[Cut, ...]:
    """Return the cuts that a network's metadata names."""
    text = network.metadata.get(_LENGTHS)
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


class Kept(Record):
    """Which output of a network is which input of the next step, by their places."""

    input: int
    output: int
    initial: float
    hidden: bool


def states_text(states: Mapping[str, State]) -> dict[str, str]:
    """Return states as metadata of a network; nothing if there are none."""
    if not states:
        return {}
    import json

    rows = {name: [state.output, state.initial, state.hidden] for name, state in states.items()}
    return {_STATES: json.dumps(rows)}


def kept_of(network: Network) -> tuple[Kept, ...]:
    """Return the states that a network's metadata names."""
    text = network.metadata.get(_STATES)
    if text is None:
        return ()
    import json  # two milliseconds, of which networks without state have no use

    try:
        rows = json.loads(text)
        inputs, outputs = ([value[0] for value in v] for v in (network.inputs, network.outputs))
        return tuple(
            Kept(inputs.index(name), outputs.index(output), float(first), bool(hidden))
            for name, (output, first, hidden) in rows.items()
        )
    except (ValueError, TypeError, AttributeError):
        raise ValueError("the network's metadata name states that it does not have") from None


def initial(network: Network, kept: Sequence[Kept], arrays: Sequence[Any]) -> list[Any]:
    """Return arrays for all inputs: those given, and first values of the states between them."""
    result, wanted = list(arrays), len(network.inputs) - len(kept)
    if len(result) != wanted:
        raise ValueError(f"inputs: need {wanted} array{'s'[: wanted != 1]}, got {len(result)}")
    batch = np.shape(arrays[0])[0] if arrays and np.ndim(arrays[0]) else 1
    for state in sorted(kept):
        _, shape, dtype, _ = network.inputs[state.input]
        sizes = [batch if n == -1 else n for n in shape]
        result.insert(state.input, np.full(sizes, state.initial, dtype))
    return result


def public(results: Sequence[Any], hidden: Collection[int]) -> Any:
    """Return the outputs that are not hidden; one of them as it is."""
    shown = [array for place, array in enumerate(results) if place not in hidden]
    return shown[0] if len(shown) == 1 else tuple(shown)


def hidden_outputs(kept: Sequence[Kept], cuts: Sequence[Cut]) -> set[int]:
    """Return the places of outputs that are states or lengths alone."""
    return {state.output for state in kept if state.hidden} | {c.length for c in cuts}
