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

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from .._record import Record
from ..errors import InvalidModelError
from .sizes import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .open_sizes import OpenSizes

Array: TypeAlias = "NDArray[np.float32]"
AnyArray: TypeAlias = "NDArray[Any]"


class DType(str):
    """The data types of values, by NumPy's names; there is one object of each."""

    FLOAT32: ClassVar[DType]
    INT8: ClassVar[DType]
    UINT8: ClassVar[DType]
    INT32: ClassVar[DType]
    FLOAT16: ClassVar[DType]
    INT64: ClassVar[DType]
    BOOL: ClassVar[DType]
    all: ClassVar[dict[str, DType]] = {}  # by their names, in the order of their numbers in files

    value: str  # the name, as the core takes it
    numpy: np.dtype[Any]
    is_float: bool

    def __new__(cls, name: str) -> DType:
        """Return the type of a name; ValueError where it is none."""
        if name not in cls.all:
            raise ValueError(f"{name!r} is no data type")
        return cls.all[name]

    @classmethod
    def _add(cls, name: str) -> None:
        made = str.__new__(cls, name)
        made.value, made.numpy = name, np.dtype(name)
        made.is_float = made.numpy.kind == "f"
        cls.all[name] = made
        setattr(cls, name.upper(), made)

    def __repr__(self) -> str:
        return f"DType.{self.upper()}"


for _name in ("float32", "int8", "uint8", "int32", "float16", "int64", "bool"):
    DType._add(_name)


_TYPES = {type_.numpy: type_ for type_ in DType.all.values()}


def dtype_of(array: NDArray[Any]) -> DType:
    """Return the data type of an array."""
    if (known := _TYPES.get(array.dtype)) is not None:
        return known
    try:
        return DType(array.dtype.name)  # of another order of bytes
    except ValueError:
        raise InvalidModelError(f"values of type {array.dtype} are not supported") from None


class Quantization(Record):
    """What integers stand for: real = scale * (integer - zero_point).

    Attributes
    ----------
    scale : tuple of float
        One for the whole tensor, or one for each index along `axis`.
    zero_point : tuple of int
        As many as scales.
    axis : int or None
        The axis of the scales, None if there is one scale.
    dtype : DType
        Of the integers.
    """

    scale: tuple[float, ...]
    zero_point: tuple[int, ...] = (0,)
    axis: int | None = None
    dtype: DType = DType.INT8

    @property
    def attributes(self) -> dict[str, Any]:
        """The scales, zero points and axis as attributes of nodes."""
        return {"scale": self.scale, "zero_point": self.zero_point, "axis": self.axis}

    @property
    def core(self) -> tuple[list[float], list[int], int]:
        """The scales, zero points and axis as the core takes them."""
        axis = -1 if self.axis is None else self.axis
        return list(self.scale), list(self.zero_point), axis


class TensorType(Record):
    """Shape, data type and quantization of a value; the quantization is None for floats."""

    shape: Shape
    dtype: DType = DType.FLOAT32
    quantization: Quantization | None = None

    @classmethod
    def of(cls, array: NDArray[Any]) -> TensorType:
        """Return the type of an array that is not quantized."""
        return cls(array.shape, dtype_of(array))

    @property
    def core_quantization(self) -> tuple[list[float], list[int], int] | None:
        """The quantization as the core takes it."""
        return None if self.quantization is None else self.quantization.core

    def with_shape(self, shape: Shape) -> TensorType:
        """Return the same type with another shape, where scales along an axis have no place."""
        quantization = self.quantization
        if quantization is not None and quantization.axis is not None and shape != self.shape:
            quantization = None
        return self._replace(shape=shape, quantization=quantization)

    def permuted(self, perm: tuple[int, ...]) -> TensorType:
        """Return the type after a transposition: axis k is what was axis perm[k]."""
        quantization = self.quantization
        if quantization is not None and quantization.axis is not None:
            quantization = quantization._replace(axis=perm.index(quantization.axis))
        return TensorType(tuple(self.shape[axis] for axis in perm), self.dtype, quantization)


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
