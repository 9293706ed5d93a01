"""Dilated convolutions as Keras writes them: of every d-th pixel, in images that are a batch.

SPACE_TO_BATCH_ND pads and divides an image, a convolution without padding or steps follows, and
BATCH_TO_SPACE_ND puts the parts together and crops what they have more. For sequences the
convolution is one of images of one row, between EXPAND_DIMS and RESHAPE or SQUEEZE.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from ..importing.node import FileNode
from ..replaced import replaced
from .parts import File

_DIVIDES, _JOINS = "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"


class _Division(NamedTuple):
    """The other inputs of a node that divides or joins: a block, and pairs of sizes."""

    block: list[int]
    sides: list[list[int]]


def with_dilations(file: File, outputs: Collection[str]) -> File:
    """Return a file in which such convolutions are nodes with a dilation.

    `outputs` are values that somebody asks for, besides the outputs of the file.
    """
    maker = {name: node for node in file.nodes for name in node.outputs}
    readers: dict[str, int] = dict.fromkeys([*file.outputs, *outputs], 1)
    for node in file.nodes:
        for name in node.inputs:
            readers[name] = readers.get(name, 0) + 1
    gone: set[int] = set()
    instead: dict[int, list[FileNode]] = {}
    for node in file.nodes:
        if node.type == _JOINS and (chain := _chain(node, maker, readers)):
            made = _dilated(file, chain)
            if made is not None:
                gone.update(id(part) for part in chain[1:-1])
                instead[id(node)] = made
    nodes: list[FileNode] = []
    for node in file.nodes:
        nodes += instead.get(id(node), [] if id(node) in gone else [node])
    return replaced(file, nodes=nodes)


def _chain(
    join: FileNode, maker: dict[str, FileNode], readers: dict[str, int]
) -> list[FileNode] | None:
    """Return the nodes from the last to the first, unless others read what lies between."""
    chain = [join]
    types = [
        ("RESHAPE", "SQUEEZE"),
        ("CONV_2D", "DEPTHWISE_CONV_2D"),
        ("EXPAND_DIMS",),
        (_DIVIDES,),
    ]
    first = maker.get(_first_input(join))
    if first is not None and first.type in types[1]:
        types = [types[1], types[3]]
    for wanted in types:
        name = _first_input(chain[-1])
        node = maker.get(name)
        if node is None or node.type not in wanted:
            return None
        if readers[name] > 1 and node.type != _DIVIDES:  # what nothing reads is left out later
            return None
        chain.append(node)
    return chain


def _dilated(file: File, chain: list[FileNode]) -> list[FileNode] | None:
    join, divide = chain[0], chain[-1]
    conv = next(node for node in chain if node.type in ("CONV_2D", "DEPTHWISE_CONV_2D"))
    crops, pads = _division(file, join), _division(file, divide)
    rows = len(chain) == 5  # a sequence, of which an image has one row
    if crops is None or pads is None or crops.block != pads.block or len(crops.block) != 2 - rows:
        return None
    options = conv.attributes
    steps = [options.get(f"stride_{side}") for side in "hw"]
    dilations = [options.get(f"dilation_{side}_factor") or 1 for side in "hw"]
    if options.get("padding") != 1 or [*steps, *dilations] != [1] * 4:
        return None
    sides = [
        pad - crop
        for pair, less in zip(pads.sides, crops.sides, strict=True)
        for pad, crop in zip(pair, less, strict=True)
    ]
    given = [n for pair in (*pads.sides, *crops.sides) for n in pair]
    if min(*sides, *given) < 0 or min(pads.block) < 1:
        return None
    kept = [(divide.inputs[0], divide.outputs[0]), (join.inputs[0], join.outputs[0])]
    if any(_quantization(file, one) != _quantization(file, other) for one, other in kept):
        return None
    sizes = _shape(file, divide.inputs[0])[1:]
    if any(
        size >= 0 and (size + sum(pair)) % part
        for size, pair, part in zip(sizes, pads.sides, pads.block, strict=False)
    ):
        return None
    block = [1, *pads.block] if rows else pads.block
    attributes = {
        **options,
        "dilation_h_factor": block[0],
        "dilation_w_factor": block[1],
        "sides": (0, 0, *sides) if rows else tuple(sides),
    }
    x = divide.inputs[0]
    if not rows:
        return [FileNode(join.name, conv.type, [x, *conv.inputs[1:]], join.outputs, attributes)]
    expand, row = chain[3], chain[1]
    if len(expand.inputs) != 2 or _ints(file, expand.inputs[1]) not in ([1], [-3]):
        return None
    length = (sizes[0] + sum(pads.sides[0])) // pads.block[0] if sizes and sizes[0] >= 0 else None
    if not _drops_rows(file, row, conv, length):
        return None
    return [
        FileNode(expand.name, expand.type, [x, *expand.inputs[1:]], expand.outputs, {}),
        FileNode(conv.name, conv.type, conv.inputs, conv.outputs, attributes),
        FileNode(join.name, "SQUEEZE", conv.outputs, join.outputs, {"squeeze_dims": [1]}),
    ]


def _first_input(node: FileNode) -> str:
    return node.inputs[0] if node.inputs else ""


def _shape(file: File, name: str) -> tuple[int, ...]:
    return file.tensors[name].shape if name in file.tensors else ()


def _quantization(file: File, name: str) -> tuple[list[float], list[int]] | None:
    found = file.tensors[name].quantization if name in file.tensors else None
    return None if found is None else (found.scale.tolist(), found.zero_point.tolist())


def _drops_rows(file: File, node: FileNode, conv: FileNode, length: int | None) -> bool:
    """Say whether a node takes the one row of a convolution's images away and does nothing else.

    `length` is the images' width, where it is known.
    """
    if node.type == "SQUEEZE":
        return list(node.attributes.get("squeeze_dims") or ()) in ([1], [-3])
    filters = _shape(file, conv.inputs[1]) if len(conv.inputs) > 1 else ()
    to = _ints(file, node.inputs[1]) if len(node.inputs) == 2 else None
    if length is None or to is None or len(to) != 3 or len(filters) != 4:
        return False
    outputs = filters[0] if conv.type == "CONV_2D" else filters[3]
    return to[1:] == [length - (filters[2] - 1), outputs]


def _division(file: File, node: FileNode) -> _Division | None:
    if len(node.inputs) != 3 or len(node.outputs) != 1:
        return None
    block, sides = (_ints(file, name) for name in node.inputs[1:3])
    if block is None or sides is None or len(sides) != 2 * len(block):
        return None
    return _Division(block, [sides[i : i + 2] for i in range(0, len(sides), 2)])


def _ints(file: File, name: str) -> list[int] | None:
    """Return a tensor of integers if it is known, whatever its shape."""
    tensor = file.tensors.get(name)
    if tensor is None or tensor.data is None or tensor.type not in ("int32", "int64"):
        return None
    return [int(n) for n in tensor.array().ravel()]
