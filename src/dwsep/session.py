"""Networks that remember: each step begins with what the step before has left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from . import _core
from ._core import Stream
from ._metadata import Cut, Kept, cut, hidden_outputs, initial, public

if TYPE_CHECKING:
    from inspect import Signature

    from numpy.typing import NDArray
    from typing_extensions import Never

    from ._networks import Networks

    Array: TypeAlias = NDArray[Any]

__all__ = ["Session"]


class _CallSignature:
    """Says how sessions are called, as models are: the core's calls have no signature to ask."""

    def __get__(self, session: Session | None, owner: object = None) -> Signature:
        if session is None:
            raise AttributeError("__signature__")  # the class has its own
        from inspect import signature

        return signature(_call)


def _call(*arrays: Array, num_threads: int | None = None) -> Any:
    """Have the signature of a session."""


class Session(_core.Session):
    """Runs a network step by step and keeps its state; made by :meth:`dwsep.Model.session`.

    A session belongs to one stream: threads that share one must take turns. The model stays as it
    is, and any number of sessions share its weights. A session is neither copied nor pickled, as
    two would go on with one state: the model is, and each has sessions of its own.

    ``session(*arrays, num_threads=None)`` runs the next step:

    Parameters
    ----------
    *arrays : ndarray
        As for the model: one for each of its inputs.
    num_threads : int, optional
        Default: :func:`dwsep.get_num_threads`.

    Returns
    -------
    ndarray, or tuple of them
        As of the model.

    Raises
    ------
    ValueError, TypeError
        If the arrays do not fit the model's inputs.
    RuntimeError
        If another call of the session is seen not to have returned.
    """

    __signature__ = _CallSignature()

    def __init__(
        self, networks: Networks, kept: tuple[Kept, ...], cuts: tuple[Cut, ...] = ()
    ) -> None:
        self._networks = networks
        self._kept = tuple(sorted(kept))
        self._hidden = hidden_outputs(kept, cuts)
        self._cuts = cuts
        self._states: list[Any] | None = None
        self._stream = None  # has the states where nobody else sees them
        self._first: dict[str, Stream] = {}  # and before its first step has ended
        private = all(state.hidden for state in kept) and not cuts
        self._streams = private and networks.is_single

    def _step(self, arrays: tuple[Any, ...], num_threads: int | None) -> Any:
        """Run a step that the core does not by itself: the first, or one of states others see."""
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

    def __reduce__(self) -> Never:
        raise TypeError(
            "a session has no copies and is not pickled: copy or pickle its model, "
            "of which session() makes another"
        )

    def reset(self) -> None:
        """Begin again: the next step is the first."""
        self._states = None
        self._stream = None
        self._first = {}
