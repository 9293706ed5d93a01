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

from typing import TYPE_CHECKING, Any, TypeAlias

from .._record import Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .open_sizes import OpenSizes
    from .types import Quantization, Shape, TensorType

Array: TypeAlias = "NDArray[np.float32]"
AnyArray: TypeAlias = "NDArray[Any]"


class Node:
    """One operation; `output` is the name of its value, `name` is for messages."""

    __slots__ = ("attributes", "inputs", "kind", "name", "output", "weights")

    def __init__(
        self,
        kind: str,
        inputs: list[str],
        output: str,
        attributes: dict[str, Any] | None = None,
        weights: dict[str, Array] | None = None,
        name: str = "",
    ) -> None:
        self.kind = kind
        self.inputs = inputs
        self.output = output
        self.attributes: dict[str, Any] = {} if attributes is None else attributes
        self.weights: dict[str, Array] = {} if weights is None else weights
        self.name = name


class State(Record):
    """What an input takes from the call before: the output of that name; first a number.

    The output may be one that the caller gets as well, or `hidden`.
    """

    output: str
    initial: float = 0.0
    hidden: bool = True


class Length:
    """Of a value, the axis of which the first elements count, and the value that says how many."""

    __slots__ = ("axis", "count")

    def __init__(self, axis: int, count: str) -> None:
        self.axis, self.count = axis, count


class Graph:
    """A network: `types` has every value's, `constants` are values that are known.

    `channels_last` says whether images are NHWC, as they are after the layout pass, or NCHW.
    """

    def __init__(
        self,
        name: str,
        inputs: list[str],
        outputs: list[str],
        nodes: list[Node] | None = None,
        constants: dict[str, AnyArray] | None = None,
        types: dict[str, TensorType] | None = None,
        channels_last: bool = False,
    ) -> None:
        self.name = name
        self.inputs = inputs
        self.outputs = outputs
        self.nodes: list[Node] = [] if nodes is None else nodes
        self.constants: dict[str, AnyArray] = {} if constants is None else constants
        self.types: dict[str, TensorType] = {} if types is None else types
        self.channels_last = channels_last
        self.states: dict[str, State] = {}  # by names of inputs
        self.lengths: dict[str, Length] = {}  # by names of values
        # Why nodes of a quantized network compute with float32, by names; the passes find out.
        self.float_steps: dict[str, str] = {}
        self.open: OpenSizes | None = None
        # Sums and products of integers round as in onnxruntime: after the zero point was added.
        self.zero_first = False
        self.fixed_point = False  # sums of integers round as in TFLite, by XNNPACK
        self.stored: dict[str, Quantization] = {}  # of constants that were single integers

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
