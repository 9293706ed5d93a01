"""Networks that remember: each step begins with what the step before has left."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._core import Stream
from ._lengths import Cut, cut
from ._record import Record

if TYPE_CHECKING:
    from ._core import Network
    from ._networks import Networks
    from .graph.ir import State

__all__ = ["Session"]

_KEY = "states"  # of a network's metadata


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
    return {_KEY: json.dumps(rows)}


def kept_of(network: Network) -> tuple[Kept, ...]:
    """Return the states that a network's metadata names."""
    text = network.metadata.get(_KEY)
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
    result: list[Any] = list(arrays)
    batch = np.shape(arrays[0])[0] if arrays and np.ndim(arrays[0]) else 1
    for state in sorted(kept):
        _, shape, dtype, _ = network.inputs[state.input]
        sizes = [batch if n == -1 else n for n in shape]
        result.insert(state.input, np.full(sizes, state.initial, dtype))
    return result


class Session:
    """Runs a network step by step and keeps its state; made by :meth:`dwsep.Model.session`.

    A session belongs to one stream: threads that share one must take turns. The model stays as it
    is, and any number of sessions share its weights.
    """

    def __init__(
        self, networks: Networks, kept: tuple[Kept, ...], cuts: tuple[Cut, ...] = ()
    ) -> None:
        self._networks = networks
        self._kept = tuple(sorted(kept))
        self._hidden = hidden_outputs(kept, cuts)
        self._cuts = cuts
        self._states: list[Any] | None = None
        self._stream: Stream | None = None  # has the states where nobody else sees them
        self._first: dict[str, Stream] = {}  # and before its first step has ended
        private = all(state.hidden for state in kept) and not cuts
        self._streams = private and networks.is_single

    def __call__(self, *arrays: Any, num_threads: int | None = None) -> Any:
        """Run the next step.

        Parameters
        ----------
        *arrays : ndarray
            One for each of the model's inputs.
        num_threads : int, optional
            Default: :func:`dwsep.get_num_threads`.

        Returns
        -------
        ndarray, or tuple of them
            As the model returns them.

        Raises
        ------
        RuntimeError
            If another call of the session is seen not to have returned.
        """
        stream = self._stream
        if stream is not None:
            return stream.step(arrays, num_threads)
        if self._streams:
            return self._first_step(arrays, num_threads)
        if self._states is None:
            feeds = initial(self._networks.first, self._kept, arrays)
        else:
            feeds = list(arrays)
            for state, array in zip(self._kept, self._states, strict=True):
                feeds.insert(state.input, array)
        results = self._networks.of(feeds).run(feeds, num_threads)
        self._states = [results[state.output] for state in self._kept]
        return public(cut(results, self._cuts), self._hidden)

    def _first_step(self, arrays: tuple[Any, ...], num_threads: int | None) -> Any:
        feeds = initial(self._networks.first, self._kept, arrays)
        places = [(state.input, state.output) for state in self._kept]
        made = Stream(self._networks.first, places, [feeds[place] for place, _ in places])
        first = self._first
        stream = first.setdefault("stream", made)  # two calls at once begin with one
        try:
            results = stream.step(arrays, num_threads)
        except BaseException:
            if stream is made:
                first.clear()  # of other sizes than the next, perhaps
            raise
        self._stream = stream
        return results

    def __copy__(self) -> Session:
        # Both would go on with the state that the stream has.
        raise TypeError("a session has no copies: Model.session() makes another")

    def reset(self) -> None:
        """Begin again: the next step is the first."""
        self._states = self._stream = None
        self._first = {}


def public(results: Sequence[Any], hidden: Collection[int]) -> Any:
    """Return the outputs that are not hidden; one of them as it is."""
    shown = [array for place, array in enumerate(results) if place not in hidden]
    return shown[0] if len(shown) == 1 else tuple(shown)


def hidden_outputs(kept: Sequence[Kept], cuts: Sequence[Cut]) -> set[int]:
    """Return the places of outputs that are states or lengths alone."""
    return {state.output for state in kept if state.hidden} | {c.length for c in cuts}
