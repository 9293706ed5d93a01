"""Grows the graph: every importer of an operator adds its nodes here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..ir import AnyArray, Array, DType, Graph, Node, Quantization, TensorType
from ..ops import OPS, float32_only, infer
from ..sizes import Shape, plain
from .values import (
    OTHER_FLOATS,
    UNKNOWN,
    WITHOUT_ELEMENTS,
    Computed,
    Empty,
    Known,
    Unsupported,
    Value,
    as_float32,
    dtype_of,
    is_symbolic,
    shape_of,
    type_of,
)

LARGEST_CONSTANT = 2**28  # bytes of one folded value
_LARGEST_WORK = 2**33  # bytes touched, or multiplications, by all folding of one import


class Builder:
    """A graph in the making, and the name of the operator that is being imported.

    `channels_last` says whether images are NHWC in this format, or NCHW.
    """

    def __init__(self, name: str, *, channels_last: bool) -> None:
        self.graph = Graph(name, [], [], channels_last=channels_last)
        self.node_name = ""
        self.reserved: set[str] = set()  # names of the file's values, which nothing else may take
        self._work = 0
        self._numbers: dict[str, int] = {}

    def add_input(
        self,
        name: str,
        shape: Shape,
        dtype: DType = DType.FLOAT32,
        quantization: Quantization | None = None,
    ) -> Computed:
        """Add an input of the network."""
        self.graph.inputs.append(name)
        self.graph.types[name] = TensorType(shape, dtype, quantization)
        return Computed(name, self.graph.types[name])

    def emit(
        self,
        kind: str,
        inputs: Sequence[Value],
        weights: dict[str, Array] | None = None,
        **attributes: Any,
    ) -> Value:
        """Add a node and return its value; without computed inputs the value is found now."""
        node = Node(kind, [], self.fresh(kind), attributes, weights or {}, self.node_name)
        only_floats = OPS[kind].dtype is float32_only
        inputs = [self._readable(value, only_floats) for value in inputs]
        types = [type_of(v) for v in inputs]
        channels_last = self.graph.channels_last
        type_ = infer(node, types, channels_last=channels_last)
        known = [v.array for v in inputs if isinstance(v, Known)]
        if len(known) == len(inputs):
            from ..folding import cost, foldable, value_of  # the values of few nodes are known

            if foldable(node, known, channels_last=channels_last):
                self.charge(type_.shape, cost(node, [t.shape for t in types]))
                return Known(value_of(node, known))
        node.inputs = [self._name_of(v) for v in inputs]
        if self.graph.lengths:
            self._follow_lengths(node, types, type_)
        self.graph.nodes.append(node)
        self.graph.types[node.output] = type_
        return Computed(node.output, type_)

    def _follow_lengths(self, node: Node, types: Sequence[TensorType], type_: TensorType) -> None:
        """Mark the value of a node if some of its inputs are marked."""
        marks = [self.graph.lengths.get(name) for name in node.inputs]
        if any(mark is not None for mark in marks):
            from .lengths import followed

            shapes = [t.shape for t in types]
            self.graph.lengths[node.output] = followed(node, shapes, type_.shape, marks)

    def _readable(self, value: Value, only_floats: bool) -> Value:
        """Return an input of a node; constants of other floating-point types become float32."""
        if isinstance(value, Known):
            if isinstance(value, Empty):
                raise Unsupported(f"its input {value.name!r} {WITHOUT_ELEMENTS}")
            if is_symbolic(value.array):
                from .symbols import held

                value = Known(held(value.array), value.name)
            if is_symbolic(value.array):
                raise Unsupported(f"its input {value.name!r} {UNKNOWN}")
            if value.array.dtype.char in OTHER_FLOATS:
                value = Known(as_float32(value.array), value.name)
        if only_floats and dtype_of(value) != "float32":
            raise Unsupported(
                f"its input {value.name!r} is {dtype_of(value)}, dwsep computes it in float32 only"
            )
        return value

    def charge(self, shape: Sequence[int | None], work: int = 0) -> None:
        """Raise Unsupported if finding a value of this shape now would take too much."""
        size = 8
        for n in shape:
            size *= n if type(n) is int else plain(n or 0)
        if size > LARGEST_CONSTANT:
            raise Unsupported(f"it makes a constant of more than {LARGEST_CONSTANT} bytes")
        self._work += size + work
        if self._work > _LARGEST_WORK:
            raise Unsupported("the network's constants take too much work to compute")

    def rename(self, value: Computed, name: str, first: int) -> None:
        """Give a value another name; its readers are among the nodes from number `first`."""
        old, value.name = value.name, name
        self.graph.types[name] = self.graph.types.pop(old)
        if old in self.graph.lengths:
            self.graph.lengths[name] = self.graph.lengths.pop(old)
        nodes = self.graph.nodes
        if nodes and nodes[-1].output == old:  # as a rule; nothing can read it yet
            nodes[-1].output = name
            return
        for node in nodes[first:]:
            node.inputs = [name if i == old else i for i in node.inputs]
            if node.output == old:
                node.output = name

    def fresh(self, like: str) -> str:
        """Return a name that no value has."""
        base = f"{self.node_name}/{like}" if self.node_name else like
        name = base
        while name in self.graph.types or name in self.reserved:
            self._numbers[base] = number = self._numbers.get(base, 0) + 1
            name = f"{base}_{number}"
        return name

    def _name_of(self, value: Value) -> str:
        if isinstance(value, Computed):
            return value.name
        value.array = _compact(value.array)
        if self.graph.constants.get(value.name) is not value.array:
            if not value.name or value.name in self.graph.types:
                value.name = self.fresh("constant")
            self.graph.constants[value.name] = value.array
            self.graph.types[value.name] = TensorType.of(value.array)
            if value.quantization is not None and value.array.size == 1:
                self.graph.stored[value.name] = value.quantization
        return value.name

    # Shorthands for the nodes that compositions are made of.

    def constant(self, number: float, like: DType = DType.FLOAT32) -> Known:
        """Return a scalar of a type."""
        return Known(np.array(number, like.numpy))

    def cast(self, x: Value, to: DType) -> Value:
        """Add a cast, unless the type stays, or the numbers were float32 before."""
        if type_of(x).dtype is to:
            return x
        if to is DType.FLOAT32 and isinstance(x, Computed) and x.floats is not None:
            return x.floats
        return self.emit("cast", [x], to=to.value)

    def whole(self, x: Value, to: DType) -> Value:
        """Add a cast of float32 that are integers of the type, which a cast back would not change.

        Two casts around each product of dynamically quantized values were 35 % of a transformer's
        time (50 tokens of 64 channels; AMD EPYC, Zen 3, AVX2, 2026-11-30).
        """
        y = self.cast(x, to)
        if isinstance(x, Computed) and isinstance(y, Computed):
            y.floats = x
        return y

    def quantize(self, x: Value, q: Quantization, **limits: Any) -> Value:
        """Add a conversion to integers; limits are `least` and `most` where not the type's."""
        return self.emit("quantize", [x], None, to=q.dtype.value, **q.attributes, **limits)

    def dequantize(self, x: Value, q: Quantization) -> Value:
        """Add a conversion of integers to what they stand for."""
        return self.emit("dequantize", [x], None, **q.attributes)

    def binary(self, function: str, a: Value, b: Value | float) -> Value:
        """Add a function of two values, the second perhaps a number; of integers, one of those."""
        type_ = type_of(a).dtype
        if isinstance(b, (int, float)):
            b = self.constant(b, type_)
        if type_ is not DType.FLOAT32:
            return self.emit("integers", [a, b], function=function)
        return self.emit("binary", [a, b], function=function, activation=None)

    def unary(self, function: str, x: Value) -> Value:
        """Add a function of one value."""
        return self.emit("unary", [x], function=function)

    def activation(self, activation: Any, x: Value) -> Value:
        """Add an activation."""
        return self.emit("activation", [x], activation=activation)

    def activated(self, activation: Any, x: Value) -> Value:
        """Add an activation that belongs to the operator, to its last node where that can be.

        A pass would put it there later. Arithmetic with constants may first become something else.
        """
        node = self.graph.nodes[-1] if self.graph.nodes else None
        made = node is not None and node.output == x.name and node.name == self.node_name
        if node is None or not made or node.attributes.get("activation", "") is not None:
            return self.activation(activation, x)
        if node.kind == "binary" and not self.graph.constants.keys().isdisjoint(node.inputs):
            return self.activation(activation, x)
        node.attributes["activation"] = activation
        return x

    def reduce(self, function: str, x: Value, axes: Sequence[int], keepdims: bool = True) -> Value:
        """Add a reduction: sum, mean, max, min or prod."""
        axes = sorted(axes)
        if type_of(x).dtype is DType.FLOAT32 and function != "prod":
            attributes = {"axes": tuple(axes), "keepdims": keepdims}
            return self.emit("reduce", [x], None, function=function, **attributes)
        return self._accumulated(function, x, axes, keepdims)

    def _accumulated(self, function: str, x: Value, axes: Sequence[int], keepdims: bool) -> Value:
        """Add a reduction axis by axis, the innermost first; a mean of integers is cut."""
        shape, count = shape_of(x), 1
        for axis in reversed(axes):
            if shape[axis] is None:
                raise Unsupported("it reduces the batch, whose size is unknown")
            count *= shape[axis] or 0
            folded = "sum" if function == "mean" else function
            x = self.emit("accumulate", [x], function=folded, axis=axis)
        if function == "mean":
            x = self.binary("div", x, count)
        if keepdims:
            return x
        kept = [i for i in range(len(shape)) if i not in axes]
        sizes = [shape[i] for i in kept]
        return self.reshape(
            x, [n if n is not None else 0 if i == kept[i] else -1 for i, n in enumerate(sizes)]
        )

    def reshape(self, x: Value, target: Sequence[int]) -> Value:
        """Add a reshape, unless the shape stays."""
        node = Node("reshape", [], "", {"shape": tuple(target)})
        if infer(node, [type_of(x)]).shape == shape_of(x):
            return x
        return self.emit("reshape", [x], shape=tuple(target))

    def transpose(self, x: Value, perm: Sequence[int]) -> Value:
        """Add a transposition, unless the order stays."""
        if list(perm) == list(range(len(shape_of(x)))):
            return x
        return self.emit("transpose", [x], perm=tuple(perm))


def _compact(array: AnyArray) -> AnyArray:
    """Return an array whose elements lie one after the other."""
    return array if array.flags.c_contiguous else array.copy()
