"""Types, comparisons and truth values."""

from __future__ import annotations

from ..importing.values import Unsupported, Value
from ..ir import DType
from .call import IMPORTERS, Call, operator
from .parts import COMPLEX


@operator("CAST")
def cast(call: Call) -> Value:
    """Import a cast of a computed value."""
    kind = call.results[0].type
    if call.tensors[0] is not None and call.tensors[0].type == COMPLEX and kind == "float32":
        real: Value = IMPORTERS["REAL"](call)
        return real
    if kind not in DType.all:
        raise Unsupported(f"a cast to {kind} is not supported")
    return call.builder.cast(call.value(0), DType(kind))


_COMPARISONS = ("EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL")


_LOGIC = {"LOGICAL_AND": "and", "LOGICAL_OR": "or"}


@operator(*_COMPARISONS, "NOT_EQUAL")
def compare(call: Call) -> Value:
    """Import a comparison."""
    build, inputs = call.builder, [call.real(0), call.real(1)]
    if call.type == "NOT_EQUAL":
        return _negated(call, build.emit("compare", inputs, function="equal"))
    return build.emit("compare", inputs, function=call.type.lower())


def _negated(call: Call, x: Value) -> Value:
    true = call.builder.constant(1, DType.BOOL)
    return call.builder.emit("integers", [x, true], function="xor")


@operator(*_LOGIC, "LOGICAL_NOT")
def logic(call: Call) -> Value:
    """Import a function of truth values."""
    if call.type == "LOGICAL_NOT":
        return _negated(call, call.value(0))
    inputs = [call.value(0), call.value(1)]
    return call.builder.emit("integers", inputs, function=_LOGIC[call.type])


@operator("SELECT", "SELECT_V2")
def select(call: Call) -> Value:
    """Import a where the condition holds, else b."""
    return call.builder.emit("where", [call.value(0), call.operand(1), call.operand(2)])
