"""The shapes of a network's inputs: as the file declares them, or as the caller gives them.

Sizes that stay open are those of an example while a file is imported.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from ...errors import InvalidModelError, ShapeError
from .. import sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from ..ir import DType
    from ..open_sizes import Axis, OpenSizes
    from ..sizes import Shape

# Of an axis, what it is likely to be ("N", "C", "H" or "W"), and its name in the file, which may be
# empty: the size of the example; None for a batch that is to stay unknown.
Example: TypeAlias = "Callable[[Axis, str, str], int | None]"

# Of open heights and widths, for which a network is imported: multiples that pyramids need, and
# numbers that few networks have otherwise. What makes the batch part of other axes needs a number
# for it, too: a batch of another size may then become a network of its own.
_SIDES = ((448, 704), (224, 224), (48, 704), (32, 704), (64, 704), (64, 64), (16, 16))
_BATCHES: tuple[dict[str, int], ...] = ({}, {"N": 1})
_EXAMPLES = [
    {**batch, "C": channels, "H": height, "W": width}
    for batch in _BATCHES
    for channels, (height, width) in [*((3, sides) for sides in _SIDES), (1, _SIDES[0])]
]

Result = TypeVar("Result")


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


def check_names(
    file: str, given: Collection[str], inputs: Collection[str], what: str = "input_shapes"
) -> None:
    """Raise InvalidModelError for names of inputs that there are not."""
    if unknown := set(given) - set(inputs):
        raise InvalidModelError(
            f"{what}: {file} has no input {sorted(unknown)}, it has {list(inputs)}"
        )


def input_shape(
    file: str,
    name: str,
    declared: Sequence[int | str] | None,
    given: Sequence[int | None] | None,
    opened: Opened,
) -> Shape:
    """Return an input's shape.

    Parameters
    ----------
    file, name : str
        For messages.
    declared : sequence of int or str, or None
        As the file has it; a str, perhaps empty, is the name of a size that it leaves open.
    given : sequence of int or None, or None
        As the caller wants it instead; None is a size that is open.
    opened : Opened
        Gets the sizes that are open, but for the first, the batch.
    """
    label = f"{file}: input {name!r}"
    if given is None:
        if declared is None:
            raise InvalidModelError(f"{label} has no shape; give it with input_shapes")
        return _declared_shape(label, name, declared, opened)
    try:
        shape = tuple(None if n is None else operator.index(n) for n in given)
    except TypeError:
        raise InvalidModelError(f"input_shapes: need ints for {name!r}, got {given!r}") from None
    if declared is not None and len(shape) != len(declared):
        raise InvalidModelError(f"input_shapes: {label} has {len(declared)} axes, got {shape}")
    if None in shape[1:] and not opened.allowed:
        raise InvalidModelError(f"input_shapes: {label}: only the first size may be None: {shape}")
    names = [str(size) for size in declared or [""] * len(shape)]
    return checked(label, opened.filled(name, shape, names))


def _declared_shape(label: str, name: str, declared: Sequence[int | str], opened: Opened) -> Shape:
    shape: list[int | None] = []
    for axis, size in enumerate(declared):
        if isinstance(size, int):
            shape.append(size)
        elif axis == 0 or opened.allowed:
            shape.append(None)
        else:
            raise InvalidModelError(
                f"{label}: axis {axis} ({size or 'without a name'}) has no size; only the "
                "first may be open. Give the shape, such as "
                f"input_shapes={{{name!r}: ({', '.join(_example(declared))})}}"
            )
    return checked(label, opened.filled(name, shape, [str(size) for size in declared]))


def _example(declared: Sequence[int | str]) -> list[str]:
    return [
        str(size) if isinstance(size, int) else "None" if axis == 0 else "224"
        for axis, size in enumerate(declared)
    ]


def fixed_input(
    file: str, name: str, declared: Sequence[int | str] | None, dtype: DType, value: Any
) -> NDArray[Any]:
    """Return what the caller gives an input for good, as an array of the input's type.

    A number may stand for an array of one element.

    Raises
    ------
    InvalidModelError
        If it is no array of the input's shape, or the type does not hold its values.
    """
    label = f"constants: {file}: input {name!r}"
    given: NDArray[Any] = np.empty(0, object)
    try:
        given = np.asarray(value)
        if given.dtype.kind not in "biuf":
            raise TypeError
        with np.errstate(all="ignore"):
            array = given.astype(dtype.numpy)
        same = np.array_equal(array, given, equal_nan=dtype.is_float)
    except (TypeError, ValueError, OverflowError):
        same = False
    if not same and not (dtype.is_float and given.dtype.kind == "f"):  # a float may be rounded
        raise InvalidModelError(f"{label} is {dtype.value}, which does not hold {value!r}")
    sizes = [n if isinstance(n, int) else None for n in declared] if declared is not None else None
    if sizes is not None and array.ndim == 0 and all(n in (1, None) for n in sizes):
        array = array.reshape([1] * len(sizes))
    if sizes is not None and (
        len(sizes) != array.ndim
        or any(n not in (None, m) for n, m in zip(sizes, array.shape, strict=True))
    ):
        raise InvalidModelError(f"{label} has shape {tuple(declared or ())}, got {array.shape}")
    return array


def checked(label: str, shape: Shape) -> Shape:
    """Return a shape that an array can have, else raise InvalidModelError."""
    try:
        return sizes.checked(shape)
    except ShapeError as error:
        raise InvalidModelError(f"{label}: {error}") from None


def first_fitting(made: Callable[[Example], Result]) -> Result:
    """Return what `made` makes for the first example that fits its file.

    Raises
    ------
    ValueError
        If none does: what was wrong with the first.
    """
    refusals: list[ValueError] = []
    failed: list[dict[str, int | None]] = []  # what was asked for of each example
    for sample in _EXAMPLES:
        if any(all(sample.get(letter) == n for letter, n in past.items()) for past in failed):
            continue
        example = _SizesByName(sample)
        try:
            return made(example)
        except ValueError as error:
            # Its traceback holds what was made of the file, and this frame, which would hold it:
            # nothing of that was freed until the garbage collector came.
            refusals.append(error.with_traceback(None))
            failed.append(example.asked)
            if getattr(error, "lacks_operators", False):
                break
    raise _joined(refusals)


def _joined(refusals: list[ValueError]) -> ValueError:
    """Return the only refusal, or what to tell of several."""
    if len(refusals) == 1:
        return refusals.pop()
    first = refusals[0]
    tried = ", ".join(f"{letter} {size}" for letter, size in _EXAMPLES[0].items())
    refusals.clear()
    return type(first)(
        f"{first}\n  sizes that the file leaves open were taken as {tried}, and others; give "
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
