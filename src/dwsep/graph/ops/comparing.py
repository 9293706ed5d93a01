"""Comparisons, choices between two arrays, and arithmetic on integers."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ShapeError
from ..ir import DType, Node, TensorType
from ..sizes import Shape, broadcast
from . import DTypes, OpSpec, one_type, register
from .attributes import choice

COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
_LOGIC = ("and", "or", "xor")
INTEGERS = ("add", "sub", "mul", "div", "mod", "min", "max", *_LOGIC)
_NO_INTEGERS = (DType.FLOAT32, DType.FLOAT16)


def _broadcast(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    shape = inputs[0]
    for other in inputs[1:]:
        shape = broadcast(shape, other)
    return shape


def _compare(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    one_type(inputs)
    return DType.BOOL, None


def _where(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    if inputs[0].dtype is not DType.BOOL:
        raise ShapeError(f"need a condition of bool, got {inputs[0].dtype.value}")
    return one_type(inputs[1:])


def _integers(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    dtype, _ = one_type(inputs)
    logic = node.attributes["function"] in _LOGIC
    if dtype in _NO_INTEGERS or (dtype is DType.BOOL and not logic):
        raise ShapeError(f"need inputs of an integer type, got {dtype.value}")
    return dtype, None


register(
    OpSpec(
        "compare",
        "whether a comparison holds, for two arrays of one type",
        _broadcast,
        inputs=("a", "b"),
        attributes={"function": choice(*COMPARISONS)},
        dtype=_compare,
        layout="aligned",
        folds=True,
    ),
    OpSpec(
        "where",
        "a where the condition holds, else b",
        _broadcast,
        inputs=("condition", "a", "b"),
        dtype=_where,
        layout="aligned",
        folds=True,
    ),
    OpSpec(
        "integers",
        "a function of two integers; what overflows loses its upper bits, div is cut towards "
        "zero, mod has the sign of b, and of nothing both are 0",
        _broadcast,
        inputs=("a", "b"),
        attributes={"function": choice(*INTEGERS)},
        dtype=_integers,
        layout="aligned",
        folds=True,
    ),
)
