"""JSON text that every reader takes: the standard has no NaN and no infinities."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

__all__ = ["to_json"]


def to_json(value: Any, indent: int | None = 2) -> str:
    """Return JSON; what is not finite becomes "NaN", "Infinity" or "-Infinity", as in protobuf's.

    Examples
    --------
    >>> to_json([1.5, float("-inf")], indent=None)
    '[1.5, "-Infinity"]'
    """
    return json.dumps(_finite(value), indent=indent, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
