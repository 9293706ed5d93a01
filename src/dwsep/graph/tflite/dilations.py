"""Dilated convolutions as Keras writes them: of every d-th pixel, in images that are a batch.

SPACE_TO_BATCH_ND pads and divides an image, a convolution without padding or steps follows, and
BATCH_TO_SPACE_ND puts the parts together and crops what they have more. For sequences the
convolution is one of images of one row, between EXPAND_DIMS and RESHAPE or SQUEEZE.
"""

from __future__ import annotations

from typing import NamedTuple

from ..importing.node import FileNode
from ..replaced import replaced
from .parts import File

_DIVIDES, _JOINS = "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"


class _Division(NamedTuple):
    """The other inputs of a node that divides or joins: a block, and pairs of sizes."""

    block: list[int]
    sides: list[list[int]]


def with_dilations(file: File) -> File:
    """Return a file in which such convolutions are nodes with a dilation."""
    maker = {name: node for node in file.nodes for name in node.outputs}
    readers: dict[str, int] = dict.fromkeys(file.outputs, 1)
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
    first = maker.get(join.inputs[0])
    if first is not None and first.type in types[1]:
        types = [types[1], types[3]]
    for wanted in types:
        name = chain[-1].inputs[0]
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
    if min(sides) < 0 or min(pads.block) < 1:
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
    expand = chain[3]
    axis = _ints(file, expand.inputs[1])
    if axis not in ([1], [-3]):
        return None
    return [
        FileNode(expand.name, expand.type, [x, *expand.inputs[1:]], expand.outputs, {}),
        FileNode(conv.name, conv.type, conv.inputs, conv.outputs, attributes),
        FileNode(join.name, "SQUEEZE", conv.outputs, join.outputs, {"squeeze_dims": [1]}),
    ]


def _division(file: File, node: FileNode) -> _Division | None:
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
