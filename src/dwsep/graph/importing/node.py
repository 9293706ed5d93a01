"""A node of a file as importers of any format read it, and the order in which they do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...errors import InvalidModelError


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
