"""Finds the values of nodes whose inputs are known: the arithmetic of shapes.

Arrays of it may have elements that depend on the batch (see `importing.symbols`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ...errors import InvalidModelError
from ..importing.symbols import of_shape, settled
from ..importing.values import Known, Unsupported, Value, is_symbolic, shape_of
from .call import Call, folding
from .moves import target
from .slices import strided_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

AnyArray: TypeAlias = "NDArray[Any]"
_LARGEST = 2**20  # elements; shapes and indices have a few


def _filled(call: Call) -> Value:
    sizes, value = call.ints(0, "dims"), call.known(1, "value")
    if any(n < 0 for n in sizes) or value.size != 1:
        raise InvalidModelError(f"no array has the shape {sizes}")
    call.builder.charge(sizes)
    return Known(np.full(sizes, value.reshape(())[()], value.dtype))


def _cast(call: Call, array: AnyArray) -> AnyArray:
    kind = call.results[0].type
    if kind not in ("int32", "int64", "float32", "bool"):
        raise Unsupported(f"a cast to {kind} is not supported")
    if is_symbolic(array):
        if kind not in ("int32", "int64"):
            raise Unsupported(f"a cast of the batch to {kind}")
        return array
    return array.astype(kind)


def _concatenated(call: Call, *arrays: AnyArray) -> AnyArray:
    return np.concatenate(arrays, call.option("axis", 0))


def _range(call: Call, start: AnyArray, limit: AnyArray, delta: AnyArray) -> AnyArray:
    first, last, step = (int(a.reshape(())[()]) for a in (start, limit, delta))
    if step == 0 or math.ceil((last - first) / step) > _LARGEST:
        raise InvalidModelError(f"it has no end: {first}, {last}, {step}")
    return np.arange(first, last, step)


def _strided(call: Call, array: AnyArray, *_: AnyArray) -> AnyArray:
    parts, dropped = strided_parts(call, array.shape)
    result = array[tuple(slice(*parts.get(i, (None, None, 1))) for i in range(array.ndim))]
    return np.squeeze(result, tuple(dropped)) if dropped else result


def _slice(call: Call, array: AnyArray, *_: AnyArray) -> AnyArray:
    begins, sizes = call.ints(1, "begin"), call.ints(2, "size")
    parts = zip(begins, sizes, strict=True)
    return array[tuple(slice(b, None if n == -1 else b + n) for b, n in parts)]


def _axes(call: Call) -> tuple[int, ...]:
    return tuple(call.ints(1, "axes"))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "ADD": lambda call, a, b: a + b,
    "SUB": lambda call, a, b: a - b,
    "MUL": lambda call, a, b: a * b,
    "DIV": lambda call, a, b: a // b,  # of sizes, which are not negative
    "FLOOR_DIV": lambda call, a, b: a // b,
    "FLOOR_MOD": lambda call, a, b: a % b,
    "MAXIMUM": lambda call, a, b: np.maximum(a, b),
    "MINIMUM": lambda call, a, b: np.minimum(a, b),
    "CAST": _cast,
    "CONCATENATION": _concatenated,
    "PACK": lambda call, *arrays: np.stack(arrays, call.option("axis", 0)),
    "RANGE": _range,
    "RESHAPE": lambda call, a, *_: a.reshape(target(call)),
    "SQUEEZE": lambda call, a: np.squeeze(a, tuple(call.option("squeeze_dims", [])) or None),
    "EXPAND_DIMS": lambda call, a, _: np.expand_dims(a, _axes(call)),
    "STRIDED_SLICE": _strided,
    "SLICE": _slice,
    "GATHER": lambda call, a, b: np.take(a, b, call.option("axis", 0)),
    "REDUCE_PROD": lambda call, a, _: np.prod(
        a, axis=_axes(call), keepdims=call.option("keep_dims", False)
    ),
    "SUM": lambda call, a, _: np.sum(a, axis=_axes(call), keepdims=call.option("keep_dims", False)),
}


@folding(*_FUNCTIONS, "SHAPE", "RANK", "FILL")
def fold(call: Call) -> Value | None:
    """Return the value of a node, None if it is not known now."""
    if call.type == "SHAPE":
        return Known(settled(of_shape(shape_of(call.value(0)))))
    if call.type == "RANK":
        return Known(np.array(len(call.shape()), np.int64))
    arrays = [v.array for v in call.inputs if isinstance(v, Known)]
    if len(arrays) != sum(v is not None for v in call.inputs) or not arrays:
        return None
    if call.type == "FILL":
        return _filled(call)
    if arrays[0].dtype.kind == "f":
        return None
    if sum(a.size for a in arrays) > _LARGEST:
        raise Unsupported("its arithmetic on shapes has too many numbers")
    try:
        with np.errstate(all="ignore"):
            return Known(settled(_FUNCTIONS[call.type](call, *arrays)))
    except (ValueError, TypeError, ArithmeticError, IndexError) as error:
        if isinstance(error, InvalidModelError):
            raise
        raise InvalidModelError(str(error)) from None
