"""Finds the values of nodes whose inputs are known: shape arithmetic and what is done to weights.

Arrays of shape arithmetic may have elements that depend on the batch (see `symbols`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ...errors import InvalidModelError
from ..importing.moving import expanded
from ..importing.symbols import Dim, FloatOfSize, held, of_shape, settled
from ..importing.values import (
    UNKNOWN,
    WITHOUT_ELEMENTS,
    Computed,
    Empty,
    Known,
    Unsupported,
    Value,
    is_symbolic,
    shape_of,
)
from ..sizes import is_open, is_size
from .call import Call, charge_folding
from .folding_moves import MOVES
from .model import widened
from .ranges import import_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

AnyArray: TypeAlias = "NDArray[Any]"
DTYPES = {
    1: np.float32, 2: np.uint8, 3: np.int8, 4: np.uint16, 5: np.int16, 6: np.int32, 7: np.int64,
    9: np.bool_, 10: np.float16, 11: np.float64, 12: np.uint32, 13: np.uint64,
}  # fmt: skip


def fold(call: Call) -> Value | None:
    """Return the value of a node, None if it is not known now or not this file's business."""
    if call.type in ("Shape", "Size"):
        return _shape(call)
    if call.type == "Constant":
        return Known(_constant(call))
    if call.type == "Range":
        return import_range(call)
    if call.type == "ConstantOfShape":
        return _filled(call)
    if Empty in map(type, call.inputs):
        return _of_empty(call)
    arrays = [v.array for v in call.inputs if isinstance(v, Known)]
    if len(arrays) != sum(v is not None for v in call.inputs) or not arrays:
        return None
    if call.type in _ELEMENTWISE:
        return Known(_elementwise(call, arrays))
    if call.type in ("Expand", "Tile") and any(isinstance(n, Dim) for n in arrays[-1].flat):
        return None
    if call.type in MOVES and any(a.dtype != np.float32 for a in arrays[:1]):
        charge_folding(call, (), *arrays)
        return Known(settled(MOVES[call.type](call, arrays)))
    if call.type in ("Cast", "CastLike"):
        return _cast(call, arrays)
    return None


def _shape(call: Call) -> Value:
    x = call.value(0)
    shape = shape_of(x)
    if isinstance(x, Computed) and x.name in call.builder.graph.lengths:
        raise Unsupported("the network decides how long its input is")
    if call.type == "Size":
        if None in shape:
            raise Unsupported(f"the number of elements {UNKNOWN}")
        return Known(settled(math.prod(n or 0 for n in shape)))
    part = slice(call.attribute("start", 0), call.attribute("end", None))
    return Known(settled(of_shape(shape)[part]))


def _constant(call: Call) -> AnyArray:
    if len(call.attributes) != 1:
        raise InvalidModelError(f"need one attribute, got {sorted(call.attributes)}")
    name, value = next(iter(call.attributes.items()))
    if isinstance(value, Known):
        return value.array
    dtype: Any = {"value_int": np.int64, "value_ints": np.int64}.get(name)
    dtype = {"value_float": np.float32, "value_floats": np.float32}.get(name, dtype)
    if dtype is None:
        raise Unsupported(f"its attribute {name!r} is not supported")
    return np.array(value, dtype)


def _filled(call: Call) -> Value:
    sizes = call.sizes(0, "shape")
    value = call.attribute("value", None)
    array = np.zeros((), np.float32) if value is None else value.array
    if array.size != 1:
        raise InvalidModelError(f"value: need one number, got shape {array.shape}")
    if any(isinstance(n, Dim) for n in sizes):
        return expanded(call.builder, Known(array.reshape(())), sizes)
    if any(n < 0 for n in sizes):
        raise InvalidModelError(f"shape: no array has the shape {sizes}")
    if 0 in sizes and any(map(is_open, sizes)):
        return Empty(np.zeros([1 if is_open(n) else n for n in sizes], array.dtype), tuple(sizes))
    if any(map(is_open, sizes)):
        return call.builder.emit("expand", [Known(array.reshape(()))], shape=tuple(sizes))
    call.builder.charge(sizes)
    return Known(np.full(sizes, array.reshape(())[()], array.dtype))


def _of_empty(call: Call) -> Value | None:
    """Return the value of a node of which an input has no elements, and open sizes."""
    if call.type in ("Concat", "Identity"):
        return None
    first = next(v for v in call.inputs if isinstance(v, Empty))
    others = [v for v in call.inputs if v is not first]
    arrays = [v.array for v in call.inputs if isinstance(v, Known)]
    if len(arrays) == len(call.inputs) and all(shape_of(v) in ((), (1,)) for v in others if v):
        if call.type in ("Cast", "CastLike") and first is call.inputs[0]:
            return Empty(_cast(call, arrays).array, first.sizes)
        if call.type in _ELEMENTWISE:
            return Empty(_elementwise(call, arrays), first.sizes)
    raise Unsupported(f"its input {first.name!r} {WITHOUT_ELEMENTS}")


def _cast(call: Call, arrays: list[AnyArray]) -> Known:
    array = arrays[0]
    dtype: Any = arrays[1].dtype if call.type == "CastLike" else None
    if dtype is None:
        to = call.attribute("to", ...)
        if to not in DTYPES:
            raise Unsupported(f"a cast to type {to} is not supported")
        dtype = np.dtype(DTYPES[to])
    if is_symbolic(array):
        if dtype in (np.int64, np.int32):
            return Known(array)
        if array.size == 1 and is_size(array.item()) and dtype == np.float32:
            return FloatOfSize(array.item(), array.shape)
        array = held(array)
    if is_symbolic(array):
        raise Unsupported(f"a value that {UNKNOWN}")
    call.builder.charge(array.shape)
    with np.errstate(all="ignore"):
        return Known(widened(array.astype(dtype)))


def _divide(a: AnyArray, b: AnyArray) -> AnyArray:
    """Return the quotient; of integers towards 0."""
    if a.dtype == object or b.dtype == object:
        return np.asarray(np.frompyfunc(_quotient, 2, 1)(a, b))
    if np.issubdtype(a.dtype, np.floating):
        return np.asarray(a / b)
    if np.any(b == 0):
        raise InvalidModelError("it divides by 0")
    quotient = a // b
    return np.asarray(quotient + ((a % b != 0) & ((a < 0) != (b < 0))))


def _quotient(a: Any, b: Any) -> Any:
    if isinstance(a, Dim) or isinstance(b, Dim) or (a >= 0) == (b > 0):
        return a // b
    return -(-a // b)


def _modulo(a: AnyArray, b: AnyArray) -> AnyArray:
    if np.any(b == 0):
        raise InvalidModelError("it divides by 0")
    return np.asarray(a % b)


_ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "Add": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "Mul": lambda a, b: a * b,
    "Div": _divide,
    "Mod": _modulo,
    "Neg": lambda a: -a,
    "Abs": abs,
    "Floor": np.floor,
    "Ceil": np.ceil,
    "Sqrt": np.sqrt,
    "Reciprocal": lambda a: 1 / a,
    "Equal": np.equal,  # unlike ==, it never swallows an error of a Dim
    "Less": lambda a, b: a < b,
    "LessOrEqual": lambda a, b: a <= b,
    "Greater": lambda a, b: a > b,
    "GreaterOrEqual": lambda a, b: a >= b,
    "And": np.logical_and,
    "Or": np.logical_or,
    "Not": np.logical_not,
    "Where": lambda c, a, b: np.where(c, a, b),
    "Min": lambda *arrays: _many(np.minimum, arrays),
    "Max": lambda *arrays: _many(np.maximum, arrays),
}


def _many(function: Any, arrays: tuple[AnyArray, ...]) -> AnyArray:
    result = arrays[0]
    for array in arrays[1:]:
        result = function(result, array)
    return result


def _elementwise(call: Call, arrays: list[AnyArray]) -> AnyArray:
    if call.type == "Mod" and call.flag("fmod", False):
        raise Unsupported("fmod is not supported")
    kinds = {a.dtype for a in arrays if not is_symbolic(a)}
    if call.type != "Where" and len(kinds) > 1:
        raise InvalidModelError(f"its inputs are {', '.join(sorted(map(str, kinds)))}")
    try:
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        charge_folding(call, shape, *arrays)
        with np.errstate(all="ignore"):
            result = settled(_ELEMENTWISE[call.type](*arrays))
    except (ValueError, TypeError, ArithmeticError) as error:
        if isinstance(error, InvalidModelError):
            raise
        raise InvalidModelError(str(error)) from None
    floats = all(a.dtype == np.float32 for a in arrays)
    return result.astype(np.float32) if floats and result.dtype == np.float64 else result


FOLDED = frozenset(
    {*_ELEMENTWISE, *MOVES, "Shape", "Size", "Constant", "ConstantOfShape", "Range"}
    | {"If", "Loop", "Scan"}
)
