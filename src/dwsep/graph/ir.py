"""The graph that importers make, passes rewrite and lowering turns into a plan.

A graph is a list of nodes in topological order. Every node has one output, whose name is the name
of the value. Every value has a type: shape, data type and quantization (see `types`); weights are
float32, constants and other values of any type. The first axis of an input may be of unknown size
(None), the batch; every other size is an int, or depends on sizes that the file leaves open and
counts as the int of an example (see `open_sizes`).

The kinds of nodes, with their attributes, weights and rules, are in `ops`, a file for each family.
Activations are spelled as in the functional API (None, "relu6", ("clip", lo, hi), ...), pairs are
(vertical, horizontal), `padding` is (top, bottom, left, right).

An importer makes conv, conv_transpose, batch_norm, dense and the simple ones, with images as in
the file (NCHW for ONNX). After the layout pass all axes are those of memory and images are NHWC;
after the last pass conv, conv_transpose, batch_norm and dense are gone. What remains are the kinds
that the C++ core knows under the same names and attributes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .open_sizes import OpenSizes
from .types import Shape, TensorType

Array = NDArray[np.float32]
AnyArray = NDArray[Any]


@dataclass(eq=False)
class Node:
    """One operation; `output` is the name of its value, `name` is for messages."""

    kind: str
    inputs: list[str]
    output: str
    attributes: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, Array] = field(default_factory=dict)
    name: str = ""


class State(NamedTuple):
    """What an input takes from the call before: the output of that name; first a number.

    The output may be one that the caller gets as well, or `hidden`.
    """

    output: str
    initial: float = 0.0
    hidden: bool = True


@dataclass(frozen=True)
class Length:
    """Of a value, the axis of which the first elements count, and the value that says how many."""

    axis: int
    count: str


@dataclass(eq=False)
class Graph:
    """A network: `types` has every value's, `constants` are values that are known.

    `channels_last` says whether images are NHWC, as they are after the layout pass, or NCHW.
    """

    name: str
    inputs: list[str]
    outputs: list[str]
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, AnyArray] = field(default_factory=dict)
    types: dict[str, TensorType] = field(default_factory=dict)
    channels_last: bool = False
    states: dict[str, State] = field(default_factory=dict)  # by names of inputs
    lengths: dict[str, Length] = field(default_factory=dict)  # by names of values
    # Why nodes of a quantized network compute with float32, by names; the passes find out.
    float_steps: dict[str, str] = field(default_factory=dict)
    open: OpenSizes | None = None

    def shape(self, value: str) -> Shape:
        """Return the shape of a value."""
        return self.types[value].shape

    def producer(self, value: str) -> Node | None:
        """Return the node that computes a value, None for inputs and constants."""
        return next((n for n in self.nodes if n.output == value), None)

    def users(self) -> dict[str, list[Node]]:
        """Return the nodes that read each value; a node that reads it twice is there twice."""
        users: dict[str, list[Node]] = {}
        for node in self.nodes:
            for value in node.inputs:
                users.setdefault(value, []).append(node)
        return users
