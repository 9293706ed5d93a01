"""Examples of the sizes that a file leaves open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from ..open_sizes import Axis
    from .inputs import Example

# Of open heights and widths, for which a network is imported: multiples that pyramids need, and
# numbers that few networks have otherwise. What makes the batch part of other axes needs a number
# for it, too: a batch of another size may then become a network of its own.
_SIDES = ((448, 704), (224, 224), (48, 704), (32, 704), (64, 704), (64, 64))
_BATCHES: tuple[dict[str, int], ...] = ({}, {"N": 1})
_EXAMPLES = [
    {**batch, "C": channels, "H": height, "W": width}
    for batch in _BATCHES
    for channels, (height, width) in [*((3, sides) for sides in _SIDES), (1, _SIDES[0])]
]

Result = TypeVar("Result")


def first_fitting(made: Callable[[Example], Result]) -> Result:
    """Return what `made` makes for the first example that fits its file.

    Raises
    ------
    ValueError
        If none does: what was wrong with the first.
    """
    refusals: list[ValueError] = []
    failed: list[dict[str, int | None]] = []  # what was asked for of each example
    for sizes in _EXAMPLES:
        if any(all(sizes.get(letter) == n for letter, n in past.items()) for past in failed):
            continue
        example = _SizesByName(sizes)
        try:
            return made(example)
        except ValueError as error:
            refusals.append(error)
            failed.append(example.asked)
            if getattr(error, "lacks_operators", False):
                break
    if len(refusals) == 1:
        raise refusals[0]
    tried = ", ".join(f"{letter} {size}" for letter, size in _EXAMPLES[0].items())
    raise type(refusals[0])(
        f"{refusals[0]}\n  sizes that the file leaves open were taken as {tried}, and others; give "
        "those that it needs with input_shapes"
    )


class _SizesByName:
    """An example of open sizes, in which those are equal that two inputs call by one name."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.asked: dict[str, int | None] = {}
        self._sizes = sizes
        self._named: dict[str, tuple[str, int | None]] = {}

    def __call__(self, where: Axis, letter: str, name: str) -> int | None:
        size = self.asked[letter] = self._sizes.get(letter)
        owner, known = self._named.setdefault(name, (where.input, size))
        return known if name and owner != where.input else size
