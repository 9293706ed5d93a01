"""Rows of numbers: known now, or up to a size that the file leaves open."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import InvalidModelError
from ..importing.symbols import FloatOfSize
from ..importing.values import Known, Value
from ..sizes import MOST
from .call import Call, charge_folding


def import_range(call: Call) -> Value:
    """Import a row of numbers, which is known unless its limit is an open size."""
    limit = call.value(1)
    start, delta = call.scalar(0, "start"), call.scalar(2, "delta")
    whole = start.is_integer() and delta.is_integer() and abs(start) <= MOST >= delta > 0
    # Integers may be indices, which others have to know now.
    if isinstance(limit, FloatOfSize) and whole:
        count = -((int(start) - limit.size) // int(delta))
        if count > 0:
            return _open_range(call, int(start), count, int(delta))
    end = call.scalar(1, "limit")
    if delta == 0 or not all(map(math.isfinite, (start, end, delta))):
        raise InvalidModelError(f"it has no end: {start}, {end}, {delta}")
    count = max(math.ceil((end - start) / delta), 0)
    like = call.known(0, "start")
    charge_folding(call, (count,), like)
    return Known((start + np.arange(count) * delta).astype(like.dtype))


def _open_range(call: Call, start: int, count: Any, delta: int) -> Value:
    """Return numbers up to an open size, such as the places of anchors: steps of the network."""
    build = call.builder
    deltas = build.emit("expand", [Known(np.array(delta, np.float32))], shape=(count,))
    y = build.emit("cumulative_sum", [deltas], axis=0, exclusive=True, reverse=False)
    return build.binary("add", y, Known(np.array(start, np.float32))) if start else y
