"""Operators that compute in float32 and are exact on int8 and uint8, of which it has all."""

from __future__ import annotations

from ..importing.values import Computed, Value
from ..ir import DType
from ..replaced import replaced
from .call import Call
from .registry import IMPORTERS

_EXACT = frozenset(("MaxPool", "GlobalMaxPool", "Relu", "Resize", "Sign", "Upsample"))
_SMALL = (DType.INT8, DType.UINT8)


def import_call(call: Call) -> Value | list[Value | None]:
    """Import a node; around some operators, small integers are cast to float32 and back."""
    importer = IMPORTERS[call.type]
    x = call.inputs[0] if call.inputs else None
    if call.type not in _EXACT or not isinstance(x, Computed) or x.type.dtype not in _SMALL:
        result: Value | list[Value | None] = importer(call)
        return result
    build = call.builder
    y = importer(replaced(call, inputs=[build.cast(x, DType.FLOAT32), *call.inputs[1:]]))
    return build.cast(y[0] if isinstance(y, list) else y, x.type.dtype)
