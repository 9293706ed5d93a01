"""Reads and writes .dwsep files as docs/file_format.md says, in plain Python: a second opinion."""

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np

HEADER = struct.Struct("<8sIIQQQQQQ")
MAGIC = b"dwsepnet"
INPUT, CONSTANT, STEP = 1, 2, 3
RAW, MATRIX, DEPTHWISE = 0, 1, 2
INTEGERS, FLOATS, STRING = 0, 1, 2
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
class Data:
    """Where floats lie in the data: an offset in bytes and how many."""

    offset: int
    floats: int


@dataclass
class Weights:
    kind: int
    dims: list[int]
    data: list[Data]


@dataclass
class Input:
    name: str
    dims: list[int]


@dataclass
class Constant:
    dims: list[int]
    data: Data


@dataclass
class Step:
    kind: str
    name: str
    inputs: list[int]
    attributes: dict[str, tuple[int, Any]]
    weights: dict[str, Weights]


@dataclass
class File:
    lanes: int
    half_panel: int
    metadata: dict[str, str] = field(default_factory=dict)
    values: list[Input | Constant | Step] = field(default_factory=list)
    outputs: list[tuple[str, int]] = field(default_factory=list)
    data: bytes = b""

    def to_bytes(self) -> bytes:
        out = _Writer()
        out.numbers("II", self.lanes, self.half_panel, len(self.metadata))
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
        described = len(out.content)
        start = -(-(HEADER.size + described) // 64) * 64
        size = start + len(self.data)
        header = HEADER.pack(MAGIC, 1, 0x01020304, size, described, start, 0, 0, 0)
        gap = bytes(start - HEADER.size - described)
        return sealed(header + bytes(out.content) + gap + self.data)


def parse(content: bytes) -> File:
    """Read a sound file."""
    magic, version, order, size, described, start, *_ = HEADER.unpack_from(content)
    assert (magic, version, order, size) == (MAGIC, 1, 0x01020304, len(content))
    read = _Reader(content[64 : 64 + described])
    file = File(*read.numbers("II"), data=content[start:])
    for _ in range(read.number("I")):
        key = read.text()
        file.metadata[key] = read.text()
    file.values = [read.value() for _ in range(read.number("I"))]
    file.outputs = [(read.text(), read.number("I")) for _ in range(read.number("I"))]
    assert read.at == described
    return file


def _floats(file: File, data: Data) -> np.ndarray:
    return np.frombuffer(file.data, "<f4", data.floats, data.offset)


def unpacked_depthwise(file: File, weights: Weights) -> tuple[np.ndarray, np.ndarray]:
    """Return filters (KH, KW, channels, multiplier) and bias."""
    kh, kw, channels, multiplier = weights.dims
    outputs = channels * multiplier
    packed, bias = (_floats(file, data) for data in weights.data)
    filters = packed.reshape(-1, kw, kh, file.lanes).transpose(2, 1, 0, 3)
    return filters.reshape(kh, kw, -1)[..., :outputs].reshape(weights.dims), bias[:outputs]


def unpacked_matrix(file: File, weights: Weights) -> tuple[np.ndarray, np.ndarray]:
    """Return a matrix (K, columns) and its bias."""
    k, columns = weights.dims
    v = file.lanes
    rest = columns % v
    has_half = file.half_panel != 0 and 0 < rest <= v // 2
    whole = columns // v if has_half else -(-columns // v)
    panels = [2] * ((whole - 1) // 2 if has_half else whole // 2 - 1)
    widths = [[vectors * v] for vectors in (*panels, whole - sum(panels))]
    if has_half:
        widths[-1] += [v // 2] * (2 if file.half_panel == 1 else 1)
    packed, bias = (_floats(file, data) for data in weights.data)
    parts, biases = [], []
    for panel in widths:
        width = sum(panel)
        shown = sum(panel[:2])
        parts.append(packed[: k * width].reshape(k, width)[:, :shown])
        biases.append(bias[:shown])
        packed, bias = packed[k * width :], bias[width:]
    assert packed.size == bias.size == 0
    return np.concatenate(parts, 1)[:, :columns], np.concatenate(biases)[:columns]


class _Writer:
    def __init__(self):
        self.content = bytearray()

    def numbers(self, kinds, *values):
        kinds = kinds if len(kinds) == len(values) else kinds[0] * len(values)
        self.content += struct.pack(f"<{kinds}", *values)

    def text(self, text):
        encoded = text.encode("utf-8", "surrogateescape")
        self.numbers("I", len(encoded))
        self.content += encoded

    def dims(self, dims):
        self.numbers("B", len(dims))
        self.numbers("q" * len(dims), *dims)

    def value(self, value):
        if isinstance(value, Input):
            self.numbers("B", INPUT)
            self.text(value.name)
            self.dims(value.dims)
        elif isinstance(value, Constant):
            self.numbers("B", CONSTANT)
            self.dims(value.dims)
            self.numbers("Q", value.data.offset, value.data.floats)
        else:
            self.step(value)

    def step(self, step):
        self.numbers("B", STEP)
        self.text(step.kind)
        self.text(step.name)
        self.numbers("I", len(step.inputs), *(n & 0xFFFFFFFF for n in step.inputs))
        self.numbers("I", len(step.attributes))
        for name, (kind, value) in step.attributes.items():
            self.text(name)
            self.numbers("B", kind)
            if kind == STRING:
                self.text(value)
            else:
                self.numbers("I", len(value))
                self.numbers(("q" if kind == INTEGERS else "d") * len(value), *value)
        self.numbers("I", len(step.weights))
        for name, weights in step.weights.items():
            self.text(name)
            self.numbers("B", weights.kind)
            self.dims(weights.dims)
            for data in weights.data:
                self.numbers("Q", data.offset, data.floats)


class _Reader:
    def __init__(self, content):
        self.content, self.at = content, 0

    def numbers(self, kinds):
        values = struct.unpack_from(f"<{kinds}", self.content, self.at)
        self.at += struct.calcsize(f"<{kinds}")
        return values

    def number(self, kind):
        return self.numbers(kind)[0]

    def text(self):
        size = self.number("I")
        self.at += size
        return self.content[self.at - size : self.at].decode("utf-8", "surrogateescape")

    def dims(self):
        return list(self.numbers("q" * self.number("B")))

    def data(self):
        return Data(*self.numbers("QQ"))

    def value(self):
        kind = self.number("B")
        if kind == INPUT:
            return Input(self.text(), self.dims())
        if kind == CONSTANT:
            return Constant(self.dims(), self.data())
        assert kind == STEP
        step = Step(self.text(), self.text(), [], {}, {})
        step.inputs = list(self.numbers("I" * self.number("I")))
        for _ in range(self.number("I")):
            name, attribute = self.text(), self.number("B")
            if attribute == STRING:
                step.attributes[name] = (STRING, self.text())
            else:
                letter = "q" if attribute == INTEGERS else "d"
                step.attributes[name] = (attribute, list(self.numbers(letter * self.number("I"))))
        for _ in range(self.number("I")):
            name, weights = self.text(), self.number("B")
            dims = self.dims()
            data = [self.data() for _ in range(1 if weights == RAW else 2)]
            step.weights[name] = Weights(weights, dims, data)
        return step
