"""Nodes of a file as importers of any format read them: their order, and their inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InvalidModelError
from ..ir import Array
from ..sizes import Shape
from .builder import Builder
from .values import UNKNOWN, Computed, Unsupported, Value, as_float32, is_symbolic, shape_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_SIZES = 64  # elements of a shape, a list of axes and the like


class FileNode:
    """A node with its attributes as Python values; "" stands for a value that is not there.

    `captured` is what graphs inside the node read.
    """

    __slots__ = ("attributes", "captured", "inputs", "name", "outputs", "type")

    def __init__(
        self,
        name: str,
        type_: str,
        inputs: list[str],
        outputs: list[str],
        attributes: dict[str, Any],
        captured: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.type = type_
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes
        self.captured = captured

    @property
    def reads(self) -> list[str]:
        """Return the names of all values that the node may need."""
        return [*self.inputs, *self.captured]


def needed_nodes(
    file: str,
    nodes: Sequence[tuple[Sequence[str], Sequence[str]]],
    given: set[str],
    outputs: Sequence[str],
    label: Callable[[int], str],
) -> list[int]:
    """Return the numbers of the nodes that the outputs need, each after those that it reads.

    Parameters
    ----------
    file : str
        For messages.
    nodes : sequence of (inputs, outputs)
        The names of each node's values.
    given : set of str
        Values that no node makes: inputs and constants.
    outputs : sequence of str
        Those of the network.
    label : callable
        Names a node for people.

    Raises
    ------
    InvalidModelError
        If two values have one name, if nothing makes a value, or if a cycle goes through one.
    """
    makers: dict[str, int] = {}
    for number, (_, made) in enumerate(nodes):
        for name in made:
            if name and (name in makers or name in given):
                raise InvalidModelError(f"{file}: two values have the name {name!r}")
            makers[name] = number
    needed: list[int] = []
    state = [0] * len(nodes)  # 1: its inputs are being visited, 2: done
    stack = [makers[name] for name in reversed(outputs) if name in makers]
    while stack:  # depth first, without recursion: files choose the depth
        number = stack[-1]
        if state[number] == 0:
            state[number] = 1
            for name in nodes[number][0]:
                if not name or name in given:
                    continue
                before = makers.get(name)
                if before is None:
                    raise InvalidModelError(
                        f"{file}: node {label(number)} reads {name!r}, which nothing makes"
                    )
                if state[before] != 2:
                    if state[before] == 1:
                        raise InvalidModelError(f"{file}: a cycle goes through {name!r}")
                    stack.append(before)
            continue
        stack.pop()
        if state[number] == 1:
            state[number] = 2
            needed.append(number)
    return needed


class OperatorCall:
    """A node with its inputs found: what importers of operators work on.

    Each format adds how it spells attributes.

    Of `outputs`, those that nobody reads are "".
    """

    def __init__(
        self,
        builder: Builder,
        name: str,
        type_: str,
        inputs: list[Value | None],
        outputs: list[str],
    ) -> None:
        self.builder = builder
        self.name = name
        self.type = type_
        self.inputs = inputs
        self.outputs = outputs

    def has(self, index: int) -> bool:
        """Return whether an input is there."""
        return index < len(self.inputs) and self.inputs[index] is not None

    @property
    def is_known(self) -> bool:
        """Whether all inputs are known now."""
        return Computed not in map(type, self.inputs)

    def value(self, index: int) -> Value:
        """Return an input that must be there."""
        if index < len(self.inputs) and (value := self.inputs[index]) is not None:
            return value
        raise InvalidModelError(f"input {index} is missing")

    def shape(self, index: int = 0) -> Shape:
        """Return the shape of an input."""
        return shape_of(self.value(index))

    def known(self, index: int, what: str) -> NDArray[Any]:
        """Return an input that must be known now; `what` names it in the error."""
        value = self.value(index)
        if isinstance(value, Computed):
            raise Unsupported(f"its {what} {value.name!r} is computed by the network")
        return value.array

    def weight(self, index: int, what: str) -> Array:
        """Return an input that must be a constant, as float32."""
        array = self.known(index, what)
        if array.dtype in (np.float16, np.float64):
            array = as_float32(array)
        if array.dtype != np.float32:
            raise Unsupported(
                f"its {what} {self._name(index)!r} is {array.dtype}, dwsep computes in float32"
            )
        return array

    def _name(self, index: int) -> str:
        value = self.inputs[index]
        return value.name if value is not None else ""

    def scalar(self, index: int, what: str) -> float:
        """Return an input that must be one number."""
        array = self.known(index, what)
        if is_symbolic(array):
            from .symbols import held

            array = held(array)
        if array.size != 1 or is_symbolic(array):
            raise InvalidModelError(f"{what}: need one number, got shape {array.shape}")
        return float(array.reshape(())[()])

    def sizes(self, index: int, what: str) -> list[Any]:
        """Return an input that is a short list of integers, perhaps with Dims."""
        array = self.known(index, what)
        if array.ndim > 1 or array.size > _MOST_SIZES or not _integral(array):
            raise InvalidModelError(
                f"{what}: need a short list of integers, got {array.dtype} {array.shape}"
            )
        return array.reshape(-1).tolist()

    def ints(self, index: int, what: str) -> list[int]:
        """Return an input that is a short list of integers known now."""
        sizes = self.sizes(index, what)
        if not all(isinstance(n, int) for n in sizes):
            raise Unsupported(f"its {what} {UNKNOWN}")
        return sizes

    def axes(self, name: str, given: list[int] | None, rank: int) -> list[int]:
        """Return axes counted from the front, each once."""
        axes = [self.axis(axis, rank, name) for axis in given or []]
        if len(set(axes)) != len(axes):
            raise InvalidModelError(f"{name}: an axis is there twice in {given}")
        return axes

    def axis(self, axis: int, rank: int, name: str = "axis") -> int:
        """Return an axis counted from the front."""
        if not -rank <= axis < rank:
            raise InvalidModelError(f"{name}: need from {-rank} to {rank - 1}, got {axis}")
        return axis % rank


def _integral(array: NDArray[Any]) -> bool:
    return is_symbolic(array) or np.issubdtype(array.dtype, np.integer)
