"""The sizes that a file leaves open, with the example of them for which it is imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ..open_sizes import Axis, OpenSizes
    from ..types import Shape

# Of an axis, what it is likely to be ("N", "C", "H" or "W"), and its name in the file, which may be
# empty: the size of the example; None for a batch that is to stay unknown.
Example: TypeAlias = "Callable[[Axis, str, str], int | None]"


class Opened:
    """The open sizes of one import.

    Parameters
    ----------
    example : callable, optional
        Without it a file must not leave open any size but the batch, which stays unknown.
    channels_last : bool
        Whether images are NHWC in this format, or NCHW.
    """

    def __init__(self, example: Example | None, *, channels_last: bool) -> None:
        self.sizes: OpenSizes | None = None  # until a file leaves one open: most do not
        self._example = example
        self._channels_last = channels_last

    @property
    def allowed(self) -> bool:
        return self._example is not None

    def filled(self, name: str, shape: Sequence[int | None], names: Sequence[str]) -> Shape:
        """Return the shape of an input, its open sizes (None) as such."""
        if self._example is None:
            return tuple(shape)
        result = list(shape)
        if None not in result:
            return tuple(result)
        from ..open_sizes import Axis, OpenSizes

        letters = _letters(shape, self._channels_last)
        for axis, size in enumerate(shape):
            if size is None:
                where = Axis(name, axis)
                example = self._example(where, letters[axis], names[axis])
                if example is not None:
                    self.sizes = self.sizes or OpenSizes()
                    result[axis] = self.sizes.axis(where, example)
        return tuple(result)


def _letters(shape: Sequence[int | None], channels_last: bool) -> str:
    if len(shape) != 4:
        return ("N" + "H" * len(shape))[: len(shape) - 1] + "W" if len(shape) > 1 else "N"
    if shape[1] is None and shape[3] is not None:  # a fixed size says that it is the channels'
        channels_last = True
    return "NHWC" if channels_last else "NCHW"
