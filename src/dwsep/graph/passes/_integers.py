"""What passes ask about values that are integers and stand for real numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..ir import Node, Quantization
from ..ops import BYTES
from ._edit import Edit


def integers_of(edit: Edit, value: str, *, per_channel: bool = False) -> str | None:
    """Return the int8 or uint8 value whose real numbers a value is.

    It has one scale, or, where `per_channel`, perhaps one for each index along the last axis.
    """
    node = edit.made_by(value, "dequantize")
    if node is None or meaning_of(edit, node.inputs[0]) != scales(node):
        return None
    if node.attributes.get("axis") is not None and not per_channel:
        return None
    return node.inputs[0] if _last(edit, node) else None


def meaning_of(edit: Edit, value: str) -> dict[str, Any] | None:
    """Return scale, zero point and axis, as attributes have them, of int8 or uint8 values."""
    type_ = edit.graph.types[value]
    q = type_.quantization
    if type_.dtype not in BYTES or q is None:
        return None
    return q.attributes


def scales(node: Node) -> dict[str, Any]:
    """Return scale, zero point and axis of a conversion."""
    a = node.attributes
    scale, zero = tuple(a["scale"]), tuple(a["zero_point"])
    return {"scale": scale, "zero_point": zero, "axis": a.get("axis")}


def _last(edit: Edit, node: Node) -> bool:
    axis = node.attributes.get("axis")
    return axis is None or axis == len(edit.shape(node.output)) - 1


def rounds_to_bytes(edit: Edit, node: Node, *, per_channel: bool = False) -> bool:
    """Return whether a node quantizes to the whole of int8 or uint8, as `integers_of` has it."""
    a = node.attributes
    if node.kind != "quantize" or a["to"] == "int32":
        return False
    if a.get("axis") is not None and not per_channel:
        return False
    return a.get("least") is None and a.get("most") is None and _last(edit, node)


def only_rounded_by(edit: Edit, value: str, *, per_channel: bool = False) -> Node | None:
    """Return the node that quantizes a value, if nothing else reads it."""
    readers = edit.readers(value)
    if edit.is_output(value) or len(readers) != 1:
        return None
    return readers[0] if rounds_to_bytes(edit, readers[0], per_channel=per_channel) else None


def output_of(node: Node) -> dict[str, Any]:
    """Return the attributes that give another node the type of what a node quantizes."""
    return {"to": node.attributes["to"], **scales(node)}


def quantization_of(edit: Edit, value: str) -> Quantization:
    q = edit.graph.types[value].quantization
    assert q is not None
    return q


def ordinary(scale: Iterable[float]) -> bool:
    """Return whether products and quotients of such scales are float32, as the core demands."""
    numbers = np.asarray(scale)
    return bool(((numbers >= 1e-12) & (numbers <= 1e12)).all())
