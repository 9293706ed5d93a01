"""Reads and writes .dwsep files as docs/file_format.md says, in plain Python: a second opinion."""

import struct
from dataclasses import dataclass, field

import numpy as np
from dwsep_records import (
    DEPTHWISE,
    FLOATS,
    FLOATS32,
    INT8,
    INTEGERS,
    INTEGERS8,
    MATRIX,
    ROW_MAJOR,
    STRING,
    Array,
    Input,
    Open,
    Range,
    Reader,
    Step,
    Writer,
)

__all__ = [
    "DEPTHWISE",
    "FLOATS",
    "FLOATS32",
    "HEADER",
    "INT8",
    "INTEGERS",
    "INTEGERS8",
    "MAGIC",
    "MATRIX",
    "ROW_MAJOR",
    "STRING",
    "VERSION",
    "Array",
    "File",
    "Input",
    "Open",
    "Range",
    "Step",
    "checksum",
    "parse",
    "sealed",
    "unpacked_depthwise",
    "unpacked_matrix",
]

HEADER = struct.Struct("<8sIIQQQQQQ")
MAGIC = b"dwsepnet"
VERSION = 2
_MASK = 2**64 - 1
_PRIME = 0x9E3779B97F4A7C15


def checksum(content: bytes) -> int:
    """Checksum of a file, whose header may hold any."""
    content = content[16:48] + content[64:]
    chains = [1, 2, 3, 4]
    words = struct.unpack(f"<{len(content) // 8}Q", content)
    for lane in range(4):
        chain = chains[lane]
        for word in words[lane::4]:
            product = ((chain ^ word) * _PRIME) & _MASK
            chain = ((product << 31) | (product >> 33)) & _MASK
        chains[lane] = chain
    value = 0
    for chain in chains:
        value = ((value ^ chain ^ (chain >> 29)) * _PRIME) & _MASK
    return value ^ (value >> 32)


def sealed(content: bytes) -> bytes:
    """Return a file with the checksum that it should have."""
    if len(content) < HEADER.size or len(content) % 32:
        return content
    return content[:48] + struct.pack("<Q", checksum(content)) + content[56:]


@dataclass
class File:
    metadata: dict[str, str] = field(default_factory=dict)
    values: list[Input | Array | Step] = field(default_factory=list)
    outputs: list[tuple[str, int]] = field(default_factory=list)
    data: bytes = b""
    open: Open | None = None

    def to_bytes(self) -> bytes:
        out = Writer()
        out.numbers("I", len(self.metadata))
        for key, text in self.metadata.items():
            out.text(key)
            out.text(text)
        out.numbers("I", len(self.values))
        for value in self.values:
            out.value(value)
        out.numbers("I", len(self.outputs))
        for name, number in self.outputs:
            out.text(name)
            out.numbers("I", number & 0xFFFFFFFF)
        if self.open is not None:
            out.open(self.open)
        described = len(out.content)
        start = -(-(HEADER.size + described) // 64) * 64
        size = start + len(self.data)
        header = HEADER.pack(MAGIC, VERSION, 0x01020304, size, described, start, 0, 0, 0)
        gap = bytes(start - HEADER.size - described)
        return sealed(header + bytes(out.content) + gap + self.data)


def parse(content: bytes) -> File:
    """Read a sound file."""
    magic, version, order, size, described, start, *_ = HEADER.unpack_from(content)
    assert (magic, version, order, size) == (MAGIC, VERSION, 0x01020304, len(content))
    read = Reader(content[64 : 64 + described])
    file = File(data=content[start:])
    for _ in range(read.number("I")):
        key = read.text()
        file.metadata[key] = read.text()
    file.values = [read.value() for _ in range(read.number("I"))]
    file.outputs = [(read.text(), read.number("I")) for _ in range(read.number("I"))]
    if read.at < described:
        file.open = read.open(sum(isinstance(value, Input) for value in file.values))
    assert read.at == described
    return file


def _floats(file: File, part: Range) -> np.ndarray:
    return np.frombuffer(file.data, "<f4", part.bytes // 4, part.offset)


def unpacked_depthwise(file: File, weights: Array) -> tuple[np.ndarray, np.ndarray]:
    """Return filters (KH, KW, channels, multiplier) and bias."""
    assert weights.layout == DEPTHWISE
    (lanes,) = weights.parameters
    kh, kw, channels, multiplier = weights.dims
    outputs = channels * multiplier
    packed, bias = (_floats(file, part) for part in weights.ranges)
    filters = packed.reshape(-1, kw, kh, lanes).transpose(2, 1, 0, 3)
    return filters.reshape(kh, kw, -1)[..., :outputs].reshape(weights.dims), bias[:outputs]


def unpacked_matrix(file: File, weights: Array) -> tuple[np.ndarray, np.ndarray]:
    """Return a matrix (K, columns) and its bias."""
    assert weights.layout == MATRIX
    k, columns = weights.dims
    v, half_panel = weights.parameters
    rest = columns % v
    has_half = half_panel != 0 and 0 < rest <= v // 2
    whole = columns // v if has_half else -(-columns // v)
    panels = [2] * ((whole - 1) // 2 if has_half else whole // 2 - 1)
    widths = [[vectors * v] for vectors in (*panels, whole - sum(panels))]
    if has_half:
        widths[-1].append(v // 2)
    packed, bias = (_floats(file, part) for part in weights.ranges)
    parts, biases = [], []
    for panel in widths:
        width = sum(panel)
        shown = sum(panel[:2])
        parts.append(packed[: k * width].reshape(k, width)[:, :shown])
        biases.append(bias[:shown])
        packed, bias = packed[k * width :], bias[width:]
    assert packed.size == bias.size == 0
    return np.concatenate(parts, 1)[:, :columns], np.concatenate(biases)[:columns]
