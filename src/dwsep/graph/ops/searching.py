"""Where the largest elements lie, elements at computed places, and running sums."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ShapeError
from ..ir import DType, Node, TensorType
from ..sizes import Shape, axis_of, shown
from . import DTypes, OpSpec, as_input, moved, register
from .attributes import Flag, Int, choice

_NO_NUMBERS = (DType.FLOAT16, DType.BOOL)
_INDICES = (DType.INT32, DType.INT64)
_EXTREMES = choice("max", "min")


def _number(type_: TensorType) -> None:
    if type_.dtype in _NO_NUMBERS:
        raise ShapeError(f"need numbers, got {type_.dtype.value}")


def _indices(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    _number(inputs[0])
    return DType.INT64, None


def _same_number(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    _number(inputs[0])
    return inputs[0].dtype, None


def _moved(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    if inputs[1].dtype not in _INDICES:
        raise ShapeError(f"need indices of int32 or int64, got {inputs[1].dtype.value}")
    return moved(node, inputs)


def _placed(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    if node.attributes["function"] != "last":
        _number(inputs[0])
    if inputs[2].dtype is not inputs[0].dtype:
        raise ShapeError(f"need updates of {inputs[0].dtype.value}, got {inputs[2].dtype.value}")
    return _moved(node, inputs)


def _sized(shape: Shape, axis: int) -> int:
    size = shape[axis_of(axis, shape)]
    if size is None:
        raise ShapeError("cannot search along the batch while its size is unknown")
    return size


def _arg(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    axis = node.attributes["axis"]
    if _sized(inputs[0], axis) == 0:
        raise ShapeError(f"nothing along axis {axis} of {shown(inputs[0])}")
    return (*inputs[0][:axis], 1, *inputs[0][axis + 1 :])


def _top_k(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    axis, k = node.attributes["axis"], node.attributes["k"]
    if not 0 <= k <= _sized(inputs[0], axis):
        raise ShapeError(f"cannot take {k} of axis {axis} of {shown(inputs[0])}")
    return (*inputs[0][:axis], k, *inputs[0][axis + 1 :])


def _gather_elements(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    x, indices = inputs
    axis = node.attributes["axis"]
    size = _sized(x, axis)
    fits = len(x) == len(indices)
    for i, (a, b) in enumerate(zip(x, indices, strict=False)):
        if i != axis:
            fits = fits and (a == b or (a is not None and b is not None and b <= a))
    if not fits or (size == 0 and indices[axis] != 0):
        raise ShapeError(f"indices {shown(indices)} do not fit {shown(x)} along axis {axis}")
    return indices


def _scatter(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    indices = _gather_elements(node, inputs[:2], channels_last)
    if inputs[2] != indices:
        raise ShapeError(f"updates {shown(inputs[2])} do not fit indices {shown(indices)}")
    return inputs[0]


def _take(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    x, indices = inputs
    axis = node.attributes["axis"]
    if _sized(x, axis) == 0:
        raise ShapeError(f"nothing along axis {axis} of {shown(x)}")
    if None in x and None in indices:
        raise ShapeError("an array may have the batch on one axis only")
    return (*x[:axis], *indices, *x[axis + 1 :])


register(
    OpSpec(
        "accumulate",
        "the sum, the product or an extreme along an axis, which stays with size 1; of integers "
        "too, whose sums lose their upper bits",
        _arg,
        attributes={"function": choice("sum", "prod", "max", "min"), "axis": Int()},
        dtype=_same_number,
        layout="along_axis",
        folds=True,
    ),
    OpSpec(
        "arg",
        "the index of an extreme along an axis, which stays with size 1; of equal ones the first, "
        "or the last",
        _arg,
        attributes={"function": _EXTREMES, "axis": Int(), "last": Flag(required=False)},
        dtype=_indices,
        layout="along_axis",
        folds=True,
    ),
    OpSpec(
        "top_k",
        "the indices of the k largest or smallest along an axis, in order; of equal ones the first "
        "comes first",
        _top_k,
        attributes={"function": _EXTREMES, "axis": Int(), "k": Int()},
        dtype=_indices,
        layout="along_axis",
        folds=True,
    ),
    OpSpec(
        "gather_elements",
        "elements at computed indices along an axis; one out of range becomes the nearest",
        _gather_elements,
        inputs=("x", "indices"),
        attributes={"axis": Int()},
        dtype=_moved,
        layout="as_in_file",
        folds=True,
    ),
    OpSpec(
        "take",
        "parts of an axis at computed indices; one out of range becomes the nearest",
        _take,
        inputs=("x", "indices"),
        attributes={"axis": Int()},
        dtype=_moved,
        layout="as_in_file",
        folds=True,
    ),
    OpSpec(
        "scatter",
        "x with the updates at computed indices along an axis, of equal ones the last, or with the "
        "sum, the product or an extreme of all; one out of range becomes the nearest",
        _scatter,
        inputs=("x", "indices", "updates"),
        attributes={"function": choice("last", "sum", "prod", "max", "min"), "axis": Int()},
        dtype=_placed,
        layout="as_in_file",
        folds=True,
    ),
    OpSpec(
        "cumulative_sum",
        "sums of the elements up to each along an axis, without it where exclusive, from the end "
        "where reversed",
        as_input,
        attributes={
            "axis": Int(),
            "exclusive": Flag(required=False),
            "reverse": Flag(required=False),
        },
        dtype=_same_number,
        layout="along_axis",
        folds=True,
    ),
)
