"""What only moves elements: slices, concatenations, other shapes and orders of axes."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ShapeError
from ..ir import Node, TensorType
from ..sizes import Shape, axis_of, bounds, broadcast, reshaped, shown, steps
from . import DTypes, OpSpec, as_input, moved, one_type, register, same_type
from .attributes import Float, Indices, Int, Ints, Stops, choice

# --- shapes ---------------------------------------------------------------------------------------


def _concat(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    first = inputs[0]
    axis = axis_of(node.attributes["axis"], first)
    rest = first[:axis] + first[axis + 1 :]
    if any(len(s) != len(first) or s[:axis] + s[axis + 1 :] != rest for s in inputs):
        raise ShapeError(f"{', '.join(map(shown, inputs))} do not fit along axis {axis}")
    if any(s[axis] is None for s in inputs):
        raise ShapeError("cannot concatenate along the batch while its size is unknown")
    return (*first[:axis], sum(s[axis] or 0 for s in inputs), *first[axis + 1 :])


def _slice(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    parts = (node.attributes[name] for name in ("starts", "stops", "steps"))
    result: list[int | None] = []
    for size, start, stop, step in zip(inputs[0], *parts, strict=True):
        if size is None:
            if (start, stop, step) != (0, None, 1):
                raise ShapeError("cannot take a part of the batch while its size is unknown")
            result.append(None)
        else:
            result.append(steps(*bounds(start, stop, step, size)))
    return tuple(result)


def _pad(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    result: list[int | None] = []
    mode = node.attributes["mode"]
    for size, before, after in zip(
        inputs[0], node.attributes["before"], node.attributes["after"], strict=True
    ):
        if min(before, after) < 0:
            raise ShapeError(f"padding needs to be at least 0, got {before} and {after}")
        if size is None and before + after:
            raise ShapeError("cannot pad the batch while its size is unknown")
        if mode == "reflect" and size is not None and max(before, after) >= size:
            raise ShapeError(f"cannot reflect {max(before, after)} of {size}")
        result.append(None if size is None else size + before + after)
    return tuple(result)


def _transpose(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    perm = node.attributes["perm"]
    if sorted(perm) != list(range(len(inputs[0]))):
        raise ShapeError(f"{tuple(perm)} does not permute the axes of {shown(inputs[0])}")
    return tuple(inputs[0][axis] for axis in perm)


def _reshape(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    return reshaped(inputs[0], node.attributes["shape"])


def _gather(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    shape, indices = inputs[0], node.attributes["indices"]
    axis = axis_of(node.attributes["axis"], shape)
    size = shape[axis]
    if size is None:
        raise ShapeError("cannot take a part of the batch while its size is unknown")
    if indices.size and not -size <= indices.min() <= indices.max() < size:
        raise ShapeError(f"indices need to be from {-size} to {size - 1}")
    return (*shape[:axis], *indices.shape, *shape[axis + 1 :])


def _expand(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    shape, target = inputs[0], tuple(node.attributes["shape"])
    aligned = (1,) * (len(target) - len(shape)) + shape
    first = len(aligned) - len(target)
    return broadcast(
        shape, tuple(aligned[first + i] if n == 0 else n for i, n in enumerate(target))
    )


def _one_type(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    return one_type(inputs)


register(
    OpSpec(
        "identity",
        "x",
        as_input,
        dtype=same_type,
        layout="identity",
        folds=True,
    ),
    OpSpec(
        "reshape",
        "another shape; 0 keeps the size of the same axis, -1 (once) is what remains",
        _reshape,
        attributes={"shape": Ints()},
        dtype=moved,
        layout="reshape",
        folds=True,
        moves_values=True,
        changes_nothing=lambda a: True,
    ),
    OpSpec(
        "transpose",
        "another order of axes",
        _transpose,
        attributes={"perm": Ints()},
        dtype=moved,
        layout="transpose",
        folds=True,
        moves_values=True,
        changes_nothing=lambda a: list(a["perm"]) == sorted(a["perm"]),
    ),
    OpSpec(
        "concat",
        "arrays side by side",
        _concat,
        inputs=("x", "..."),
        attributes={"axis": Int()},
        dtype=_one_type,
        layout="concat",
        folds=True,
        moves_values=True,
        changes_nothing=lambda a: True,
    ),
    OpSpec(
        "slice",
        "Python's slice of every axis",
        _slice,
        attributes={"starts": Ints(), "stops": Stops(), "steps": Ints()},
        dtype=moved,
        layout="slice",
        folds=True,
        moves_values=True,
        changes_nothing=lambda a: all(step == 1 for step in a["steps"]),
    ),
    OpSpec(
        "pad",
        "elements before and after those of every axis: a value, a reflection or the edge",
        _pad,
        attributes={
            "mode": choice("constant", "reflect", "edge"),
            "before": Ints(),
            "after": Ints(),
            "value": Float(required=False),
        },
        dtype=moved,
        layout="pad",
        folds=True,
        moves_values=True,
        changes_nothing=lambda a: not any((*a["before"], *a["after"])),
    ),
    OpSpec(
        "gather",
        "chosen elements of an axis",
        _gather,
        attributes={"axis": Int(), "indices": Indices()},
        dtype=moved,
        layout="gather",
        folds=True,
        moves_values=True,
    ),
    OpSpec(
        "expand",
        "broadcast to a shape, as NumPy does; 0 keeps a size",
        _expand,
        attributes={"shape": Ints()},
        dtype=moved,
        layout="expand",
        folds=True,
        moves_values=True,
        changes_nothing=lambda a: True,
    ),
)
