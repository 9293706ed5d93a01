"""Whole networks that are ready to run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from . import _core
from ._checks import check_kind
from ._checks import shown as shown_value
from ._networks import STATES_AND_LENGTHS, Memory, Networks, ValueInfo, infos, shape_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._metadata import Cut, Kept
    from ._profile import Profile
    from ._summary import Summary
    from .quantizer.report import QuantizationReport
    from .session import Session

    Array: TypeAlias = NDArray[Any]

__all__ = ["Model", "ValueInfo"]


class Model:
    """A network that is ready to run; made by :func:`load`.

    A model is immutable and may be called by several threads at once. The GIL is released while it
    runs. Neither the number of threads nor the batch size changes a bit of a result.

    Examples
    --------
    >>> import dwsep
    >>> model = dwsep.load(dwsep.models.mobilenet_v2(resolution=96))  # or a path
    >>> import numpy as np
    >>> model(np.zeros((1, 3, 96, 96), np.float32)).shape
    (1, 1000)
    """

    def __init__(
        self,
        network: _core.Network | Networks,
        quantization_report: QuantizationReport | None = None,
    ) -> None:
        self._networks = network if isinstance(network, Networks) else Networks(network)
        self._network = network = self._networks.first
        self._quantization_report = quantization_report
        self._kept: tuple[Kept, ...] = ()
        self._cuts: tuple[Cut, ...] = ()
        self._hidden: set[int] = set()
        inputs, outputs = network.inputs, network.outputs
        if not STATES_AND_LENGTHS.isdisjoint(network.metadata):
            from ._metadata import cuts_of, hidden_outputs, kept_of, opened

            self._kept, self._cuts = kept_of(network), cuts_of(network)
            self._hidden = hidden_outputs(self._kept, self._cuts)
            kept = {k.input for k in self._kept}
            inputs = [v for i, v in enumerate(inputs) if i not in kept]
            shown = opened(outputs, self._cuts)
            outputs = [v for i, v in enumerate(shown) if i not in self._hidden]
        self._inputs, self._outputs = infos(inputs), infos(outputs)

    @property
    def name(self) -> str:
        """What the file calls the network."""
        return self._network.metadata.get("name", "")

    @property
    def quantization_report(self) -> QuantizationReport | None:
        """What :func:`dwsep.quantize` did to the network that it made; None of any other."""
        return self._quantization_report

    @property
    def inputs(self) -> tuple[ValueInfo, ...]:
        """Names, shapes and data types of the inputs."""
        return self._inputs

    @property
    def outputs(self) -> tuple[ValueInfo, ...]:
        """Names, shapes and data types of the outputs."""
        return self._outputs

    def __call__(self, *arrays: Array, num_threads: int | None = None) -> Any:
        """Run the network.

        Parameters
        ----------
        *arrays : ndarray
            One for each of :attr:`inputs`, in their order, of their shapes and types. Arrays of
            other libraries (DLPack on the CPU, `__array_interface__`) are read in place.
        num_threads : int, optional
            Default: :func:`dwsep.get_num_threads`.

        Returns
        -------
        ndarray, or tuple of them
            The output; a tuple where there are several. :attr:`outputs` has the types.

        Raises
        ------
        TypeError
            If an array is not an ``ndarray`` of the input's type.
        ValueError
            If the number of arrays or a shape does not fit; the message names the input.
        """
        if self._kept:
            return self.session()(*arrays, num_threads=num_threads)
        results = self._networks.of(arrays).run(arrays, num_threads)
        if self._cuts:
            from ._metadata import cut, public

            return public(cut(results, self._cuts), self._hidden)
        return results[0] if len(results) == 1 else tuple(results)

    def session(self) -> Session:
        """Return a session, which runs the network step by step and keeps its state.

        Variables of a TFLite file are the state. The model itself has none: each of its calls is a
        first step. Without state a session calls the model.

        Examples
        --------
        >>> import numpy as np
        >>> import dwsep
        >>> session = dwsep.load(dwsep.models.mobilenet_v2(resolution=96)).session()
        >>> session(np.zeros((1, 3, 96, 96), np.float32)).shape
        (1, 1000)
        >>> session.reset()
        """
        from .session import Session  # which few networks have a use for

        return Session(self._networks, self._kept, self._cuts)

    def run(
        self,
        output_names: Sequence[str] | None,
        feeds: Mapping[str, Array],
        *,
        num_threads: int | None = None,
    ) -> list[Array]:
        """Run the network, as ``onnxruntime.InferenceSession.run`` does.

        Parameters
        ----------
        output_names : sequence of str, or None
            Outputs wanted, in this order; None for all. Values inside the network are outputs
            where ``load(..., outputs=...)`` asked for them.
        feeds : mapping of str to ndarray
            One array for the name of each input.
        num_threads : int, optional
            Default: :func:`dwsep.get_num_threads`.

        Returns
        -------
        list of ndarray

        Raises
        ------
        ValueError
            If a name is unknown or missing, or a shape does not fit.
        TypeError
            If an argument is of the wrong type, an array not an ``ndarray`` of the input's type.
        """
        check_kind(feeds, Mapping, "feeds", "a mapping of names to arrays")
        if output_names is not None:
            check_kind(output_names, Sequence, "output_names", "None or a sequence of names")
        names = [info.name for info in self._inputs]
        if set(feeds) != set(names) or len(feeds) != len(names):
            raise ValueError(f"feeds: need arrays named {names}, got {sorted(map(str, feeds))}")
        known = [info.name for info in self._outputs]
        wanted = known if output_names is None else list(output_names)
        unknown = [name for name in wanted if name not in known]
        if unknown:
            raise ValueError(
                f"output_names: need names among {known} (load(..., outputs=[...]) adds others), "
                f"got {unknown}"
            )
        arrays = self(*(feeds[n] for n in names), num_threads=num_threads)
        results = dict(zip(known, arrays if len(known) > 1 else (arrays,), strict=True))
        return [results[name] for name in wanted]

    def summary(
        self,
        batch: int = 1,
        *,
        input_shapes: Mapping[str, Sequence[int]] | None = None,
        num_threads: int | None = None,
    ) -> Summary:
        """Summarise the network: shapes, multiply-adds, parameters and kernels.

        Parameters
        ----------
        batch : int, default 1
            Size of the first axis of inputs that leave it open.
        input_shapes : mapping of str to shape, optional
            Shapes of inputs by their names, instead.
        num_threads : int, optional
            Default: :func:`dwsep.get_num_threads`. It decides which kernels run, not what they
            compute.

        Returns
        -------
        Summary
            Prints as a table; `rows` has the steps, `to_json()` all of it.

        Raises
        ------
        ValueError
            If a name is unknown or a shape does not fit.
        TypeError
            If `batch` or a size is no int, or `input_shapes` no mapping.
        """
        from ._summary import summarize

        if input_shapes is not None:
            check_kind(
                input_shapes, Mapping, "input_shapes", "None or a mapping of names to shapes"
            )
        return summarize(self._networks, self.name, batch, input_shapes, num_threads)

    def profile(self, *arrays: Array, rounds: int = 20, num_threads: int | None = None) -> Profile:
        """Time every step of the network and compare it with the machine's limits.

        The first profile in a process measures the machine, which takes a second or two.

        Parameters
        ----------
        *arrays : ndarray
            One for each of :attr:`inputs`.
        rounds : int, default 20
            Calls that medians are taken of.
        num_threads : int, optional
            Default: :func:`dwsep.get_num_threads`.

        Returns
        -------
        Profile
            Prints as a table; `rows` has the times, `to_json()` all of it, `plot(path)` draws a
            roofline.

        Raises
        ------
        ValueError, TypeError
            As a call does, and if `rounds` is no positive int.
        """
        from ._metadata import initial
        from ._profiling import profile

        feeds = initial(self._network, self._kept, arrays) if self._kept else arrays
        return profile(self._networks.of(feeds), self.name, feeds, rounds, num_threads)

    def memory(self) -> Memory:
        """Return the bytes that the model holds between two calls."""
        return self._networks.memory()

    def trim(self) -> None:
        """Give back the memory of plans, which the next calls plan anew."""
        self._networks.trim()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a ``.dwsep`` file, whole or not at all.

        Weights are stored as this processor reads them, so that :func:`load` only reads or maps
        them; on another kind of processor they are packed anew. Links are followed, and a file that
        was there before keeps its permissions.

        Raises
        ------
        OSError
            If the file cannot be written; one that was there before is untouched.
        TypeError
            If `path` is no path.
        """
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"path: need a str or an os.PathLike, got {shown_value(path)}")
        self._network.save(os.fsencode(path))

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_bytes, (self._network.to_bytes(),)

    def __repr__(self) -> str:
        inputs = ", ".join(f"{i.name} {shape_text(i.shape)}" for i in self._inputs)
        outputs = ", ".join(f"{o.name} {shape_text(o.shape)}" for o in self._outputs)
        return f"<dwsep.Model {self.name!r}: {inputs} -> {outputs}>"


def _from_bytes(content: bytes) -> Model:
    return Model(_core.Network.from_bytes(content))
