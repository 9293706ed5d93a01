"""Sums of products, and reductions, of computed arrays."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ShapeError
from ..ir import Node, TensorType
from ..sizes import Shape, axis_of, broadcast, known_product, shown
from . import BYTES, DTypes, OpSpec, of_integers, register
from .attributes import ONE_SCALE, Flag, Ints, choice


def _matmul(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    a, b = inputs
    if len(a) < 2 or len(b) < 2 or a[-1] != b[-2] or a[-1] is None:
        raise ShapeError(f"cannot multiply {shown(a)} by {shown(b)}")
    return (*broadcast(a[:-2], b[:-2]), a[-2], b[-1])


def _matmul_cost(node: Node, inputs: Sequence[Shape]) -> int:
    a, b = inputs
    return known_product(a) * (b[-1] or 1) + known_product(b) * (a[-2] or 1)


def _reduce(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    axes = {axis_of(axis, inputs[0]) for axis in node.attributes["axes"]}
    if node.attributes["keepdims"]:
        return tuple(1 if axis in axes else n for axis, n in enumerate(inputs[0]))
    return tuple(n for axis, n in enumerate(inputs[0]) if axis not in axes)


def _reduce_type(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    shape, axes = inputs[0].shape, node.attributes["axes"]
    if inputs[0].dtype in BYTES:
        last = any(axis % len(shape) == len(shape) - 1 for axis in axes)
        if node.attributes["function"] != "mean" or last or not 1 <= len(axes) <= 2:
            raise ShapeError("of integers need a mean over one or two axes but the last")
    return of_integers(node, inputs)


register(
    OpSpec(
        "matmul",
        "NumPy's matmul of two computed arrays",
        _matmul,
        inputs=("a", "b"),
        folds=True,
        cost=_matmul_cost,
    ),
    OpSpec(
        "reduce",
        "the sum, the mean or an extreme over some axes; with `zero_first` a mean of integers is "
        "their sum times x_scale / (scale * count), in place of x_scale / scale / count",
        _reduce,
        attributes={
            "function": choice("sum", "max", "min", "mean"),
            "axes": Ints(),
            "keepdims": Flag(),
            "zero_first": Flag(required=False),
            **ONE_SCALE,
        },
        dtype=_reduce_type,
        layout="reduce",
        folds=True,
        integer=BYTES,
    ),
)
