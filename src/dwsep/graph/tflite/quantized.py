"""Integers that stand for real numbers: conversions, and operators on such integers.

Every operator on quantized values is here what it is by definition: its inputs are dequantized, the
operator computes float32, its result is quantized. Integers remain between two operators only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import InvalidModelError
from ..importing.values import Computed, Known, Unsupported, Value
from ..ir import DType, Quantization
from ..ops import BYTES
from .call import Call, core_quantization, dequantized, operator
from .parts import COMPLEX, TAKES_COMPLEX, Tensor


def by_definition(call: Call, importer: Callable[[Call], Any]) -> list[Value | None]:
    """Import an operator with real numbers in place of the integers that stand for them."""
    if importer in (dequantize, quantize):
        return [importer(call)]
    _check_use(call)
    if (value := _in_fixed_point(call)) is not None:
        return [value]
    call.inputs = [
        _real(call, value, tensor) for value, tensor in zip(call.inputs, call.tensors, strict=True)
    ]
    return stored(call, call.imported(importer))


def stored(call: Call, results: list[Value | None]) -> list[Value | None]:
    """Return results as the tensors of the file have them."""
    return [
        None if value is None else _stored(call, value, tensor)
        for value, tensor in zip(results, call.results, strict=True)
    ]


def _check_use(call: Call) -> None:
    """Refuse complex numbers where an operator would take them for others."""
    computed = [t for t, v in zip(call.tensors, call.inputs, strict=True) if t and v is not None]
    if any(t.type == COMPLEX for t in computed) and call.type not in TAKES_COMPLEX:
        raise Unsupported("it takes complex numbers")


def _in_fixed_point(call: Call) -> Value | None:
    """Return the result of an operator that TFLite computes otherwise than by definition."""
    if call.type == "HARD_SWISH":
        from .hard_swish import hard_swish_table

        return _table(call, hard_swish_table)
    if call.type == "RSQRT":
        from .fixed_point import rsqrt_table

        return _table(call, rsqrt_table)
    if call.type == "LEAKY_RELU":
        from .fixed_point import leaky_relu_table

        slope = float(call.option("alpha", 0.0))
        return _table(call, lambda x, y: leaky_relu_table(x, y, slope))
    if call.type != "SQUARED_DIFFERENCE":
        return None
    scales = [core_quantization(t) for t in (*call.tensors, call.results[0]) if t is not None]
    a, b = call.value(0), call.value(1)
    if not isinstance(a, Computed) or not isinstance(b, Computed):
        return None
    known = [q for q in scales if q is not None and q.axis is None and q.dtype is DType.INT8]
    if len(known) != 3 or [a.type.quantization, b.type.quantization] != known[:2]:
        return None
    from .fixed_point import squared_difference

    return squared_difference(call.builder, a, b, known)


def _table(call: Call, make: Callable[[Quantization, Quantization], Any]) -> Value | None:
    """Return a function of integers as TFLite's interpreter computes it."""
    value, tensors = call.value(0), (call.tensors[0], call.results[0])
    scales = [None if t is None else core_quantization(t) for t in tensors]
    x, y = scales
    if not isinstance(value, Computed) or x is None or y is None:
        return None
    if any(q.axis is not None or q.dtype is DType.INT32 for q in (x, y)):
        return None
    values = make(x, y)
    if values is None or value.type.quantization != x:
        return None
    to = {"to": y.dtype.value, "scale": y.scale, "zero_point": y.zero_point}
    return call.builder.emit("table", [value], None, values=tuple(values), **to)


def _real(call: Call, value: Value | None, tensor: Tensor | None) -> Value | None:
    """Return what a computed value stands for; constants are left to who knows what they are.

    Those of a sum or product stay integers with a scale, as the products of TFLite round: a float32
    that is as near as any to the constant is no multiple of its scale.
    """
    if isinstance(value, Known) and tensor is not None and _stays_integer(call, tensor):
        quantization = core_quantization(tensor)
        assert quantization is not None
        value = call.builder.emit("reinterpret", [value], None, **quantization.attributes)
    if not isinstance(value, Computed) or tensor is None or tensor.type == "float32":
        return value
    quantization = core_quantization(tensor)
    return value if quantization is None else call.builder.dequantize(value, quantization)


def _stays_integer(call: Call, constant: Tensor) -> bool:
    """Return whether a constant is one of the two bytes of which the core makes a third."""
    if call.type not in ("ADD", "SUB", "MUL"):
        return False
    scales = [core_quantization(t) for t in (constant, *call.tensors, *call.results) if t]
    return all(q is not None and q.axis is None and q.dtype in BYTES for q in scales)


def _stored(call: Call, value: Value, tensor: Tensor) -> Value:
    call.builder.graph.fixed_point = True
    quantization = core_quantization(tensor)
    if quantization is None:
        plain = isinstance(value, Known) or value.type.dtype.value == tensor.type
        plain = plain or (tensor.type == COMPLEX and call.type in (*TAKES_COMPLEX, "RFFT2D"))
        if not plain:
            raise Unsupported(f"its output is {tensor.type} without a quantization")
        return value
    if isinstance(value, Known) and value.array.dtype.name == tensor.type:
        return value
    limits = {"least": -(2**15), "most": 2**15 - 1} if tensor.type == "int16" else {}
    return call.builder.quantize(value, quantization, **limits)


@operator("DEQUANTIZE")
def dequantize(call: Call) -> Value:
    """Import a conversion to real numbers; of weights that are stored in other types, at once."""
    value, tensor = call.value(0), call.tensors[0]
    if tensor is None:
        raise InvalidModelError("input 0 is missing")
    if isinstance(value, Known):
        call.builder.charge(value.array.shape)
        return Known(dequantized(value, tensor))
    if tensor.type == "float16":
        return call.builder.cast(value, DType.FLOAT32)
    quantization = core_quantization(tensor)
    if quantization is None:
        raise InvalidModelError(f"its input is {tensor.type} without a quantization")
    return call.builder.dequantize(value, quantization)


@operator("QUANTIZE")
def quantize(call: Call) -> Value:
    """Import a conversion to integers, of real numbers or of other integers."""
    from .fixed_point import rescaling_table

    if (table := _table(call, rescaling_table)) is not None:
        return table
    value = _real(call, call.value(0), call.tensors[0])
    assert value is not None
    return _stored(call, value, call.results[0])
