"""Matrices with ones on a diagonal, and rows with a one at an index."""

from __future__ import annotations

import numpy as np

from ...errors import InvalidModelError
from ..importing.moving import one_hot
from ..importing.values import Known, Unsupported, Value, dtype_of
from ..ir import DType
from ..sizes import LARGEST_SIZE
from .call import Call
from .comparing import data_type
from .registry import operator


@operator("EyeLike")
def eye_like(call: Call) -> Value:
    """Import a matrix of the shape of another."""
    shape, k = call.shape(), call.attribute("k", 0)
    type_ = call.attribute("dtype", None)
    like = dtype_of(call.value(0)) if type_ is None else data_type(type_).value
    if len(shape) != 2:
        raise InvalidModelError(f"need a matrix, got shape {shape}")
    if not all(isinstance(n, int) for n in shape):
        raise Unsupported(f"its input has the shape {shape}")
    call.builder.charge(shape)
    rows, columns = (n or 0 for n in shape)
    return Known(np.eye(rows, columns, max(-rows, min(k, columns)), dtype=like))


@operator("OneHot")
def one_hot_(call: Call) -> Value:
    """Import a choice of two values at each index along a new axis; negative ones wrap."""
    build, indices = call.builder, call.value(0)
    depth, values = call.scalar(1, "depth"), call.known(2, "values").reshape(-1)
    if values.size != 2 or depth != int(depth):
        raise InvalidModelError(f"need a depth and two values, got {depth} and {values.size}")
    if not 1 <= depth <= LARGEST_SIZE:
        raise InvalidModelError(f"depth: need from 1 to {LARGEST_SIZE}, got {int(depth)}")
    indices = build.cast(indices, DType.INT64)
    negative = build.emit("compare", [indices, build.constant(0, DType.INT64)], function="less")
    moved = build.binary("add", indices, int(depth))
    indices = build.emit("where", [negative, moved, indices])
    off, on = (Known(values[i].reshape(())) for i in range(2))
    return one_hot(build, indices, int(depth), on, off, call.attribute("axis", -1))
