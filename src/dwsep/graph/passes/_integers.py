"""What passes ask about values that are integers and stand for real numbers."""

from __future__ import annotations

from typing import Any

from ..ir import Node
from ..ops.spec import BYTES
from ..types import Quantization
from ._edit import Edit


def integers_of(edit: Edit, value: str) -> str | None:
    """Return the int8 or uint8 value, of one scale, whose real numbers a value is."""
    node = edit.made_by(value, "dequantize")
    if node is None or meaning_of(edit, node.inputs[0]) != scales(node):
        return None
    return node.inputs[0]


def meaning_of(edit: Edit, value: str) -> dict[str, Any] | None:
    """Return scale and zero point, as attributes have them, of int8 or uint8 values."""
    type_ = edit.graph.types[value]
    q = type_.quantization
    if type_.dtype not in BYTES or q is None or q.axis is not None:
        return None
    return {"scale": q.scale, "zero_point": q.zero_point}


def scales(node: Node) -> dict[str, Any] | None:
    """Return scale and zero point of a conversion that has one."""
    a = node.attributes
    if a.get("axis") is not None:
        return None
    return {"scale": tuple(a["scale"]), "zero_point": tuple(a["zero_point"])}


def rounds_to_bytes(node: Node) -> bool:
    """Return whether a node quantizes to the whole of int8 or uint8, by one scale."""
    a = node.attributes
    whole = a.get("least") is None and a.get("most") is None
    return node.kind == "quantize" and whole and scales(node) is not None and a["to"] != "int32"


def only_rounded_by(edit: Edit, value: str) -> Node | None:
    """Return the node that quantizes a value, if nothing else reads it."""
    readers = edit.readers(value)
    if edit.is_output(value) or len(readers) != 1 or not rounds_to_bytes(readers[0]):
        return None
    return readers[0]


def output_of(node: Node) -> dict[str, Any]:
    """Return the attributes that give another node the type of what a node quantizes."""
    return {"to": node.attributes["to"], **(scales(node) or {})}


def quantization_of(edit: Edit, value: str) -> Quantization:
    q = edit.graph.types[value].quantization
    assert q is not None
    return q
