"""Axes of which the network decides how much counts, as of what non-maximum suppression keeps.

Such a value has room for all there may be. What follows must treat every index of the axis by
itself, so that the part that counts stays in front; anything else is refused. Outputs are cut when
they are returned.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..ir import Length, Node
from ..sizes import Shape, known_product
from .values import Unsupported

_OF_EACH = ("cast", "unary", "activation", "quantize", "dequantize", "identity")
_BROADCAST = ("binary", "integers", "compare", "where", "expand")
_ALONG = ("softmax", "accumulate", "arg", "top_k", "cumulative_sum", "layer_norm", "dense")


def followed(
    node: Node, shapes: Sequence[Shape], output: Shape, marks: Sequence[Length | None]
) -> Length:
    """Return the mark of a node's value, some of whose inputs are marked."""
    counts = {mark.count for mark in marks if mark is not None}
    axes = [None if mark is None else mark.axis for mark in marks]
    axis = _axis(node, shapes, output, axes) if len(counts) == 1 else None
    if axis is None:
        raise Unsupported("it reads a value of which the network decides how long it is")
    return Length(axis, counts.pop())


def _axis(
    node: Node, shapes: Sequence[Shape], output: Shape, axes: Sequence[int | None]
) -> int | None:
    """Return the axis in the output, None where the node mixes what counts with the rest."""
    kind, attributes, first = node.kind, node.attributes, axes[0]
    if kind in _OF_EACH:
        return first
    if kind in _BROADCAST:
        return _broadcast(shapes, output, axes)
    if kind == "concat":
        alike = first is not None and all(axis == first for axis in axes)
        return first if alike and attributes["axis"] != first else None
    if kind == "take":
        return None if axes[1] is None or first is not None else attributes["axis"] + axes[1]
    if kind == "gather_elements":
        return axes[1] if first is None else None
    if first is None or any(axis is not None for axis in axes[1:]):
        return None
    if kind in _ALONG:
        return first if attributes.get("axis", len(shapes[0]) - 1) != first else None
    if kind == "transpose":
        return int(attributes["perm"].index(first))
    if kind == "slice":
        part = attributes["starts"][first], attributes["stops"][first], attributes["steps"][first]
        return first if part == (0, None, 1) else None
    if kind == "gather":
        more = attributes["indices"].ndim - 1
        return (
            None
            if attributes["axis"] == first
            else first + (more if first > attributes["axis"] else 0)
        )
    if kind == "reshape":
        return _reshaped(shapes[0], output, first)
    return None


def _broadcast(shapes: Sequence[Shape], output: Shape, axes: Sequence[int | None]) -> int | None:
    found = {
        axis + len(output) - len(shape)
        for axis, shape in zip(axes, shapes, strict=True)
        if axis is not None
    }
    at = found.pop()
    for axis, shape in zip(axes, shapes, strict=True):
        place = at - len(output) + len(shape)
        if axis is None and place >= 0 and shape[place] != 1:
            return None
    return None if found else at


def _reshaped(before: Shape, after: Shape, axis: int) -> int | None:
    if None in before or None in after:
        return None
    outer = known_product(before[:axis])
    for place, size in enumerate(after):
        if size == before[axis] and known_product(after[:place]) == outer:
            return place
    return None
