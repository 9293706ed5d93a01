"""Reads and writes .dwsep files as docs/file_format.md says, in plain Python: a second opinion."""

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np

HEADER = struct.Struct("<8sIIQQQQQQ")
MAGIC = b"dwsepnet"
VERSION = 2
INPUT, CONSTANT, STEP = 1, 2, 3
ROW_MAJOR, MATRIX, DEPTHWISE = 0, 1, 2
FLOAT32, INT8, UINT8, INT32, FLOAT16, INT64, BOOL = range(7)
INTEGERS, FLOATS, STRING, FLOATS32, INTEGERS8 = range(5)
ELEMENTS = {INTEGERS: "q", FLOATS: "d", FLOATS32: "f", INTEGERS8: "b"}  # of attributes
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
class Type:
    """A data type, and scales, zero points and an axis where values are quantized."""

    dtype: int = FLOAT32
    scales: list[float] = field(default_factory=list)
    zero_points: list[int] = field(default_factory=list)
    axis: int = -1


@dataclass
class Range:
    """Where bytes lie in the data, and how many."""

    offset: int
    bytes: int


@dataclass
class Array:
    """A constant, or weights of a step."""

    dims: list[int]
    ranges: list[Range]
    layout: int = ROW_MAJOR
    parameters: list[int] = field(default_factory=list)
    type: Type = field(default_factory=Type)


@dataclass
class Input:
    name: str
    dims: list[int]
    type: Type = field(default_factory=Type)


@dataclass
class Step:
    kind: str
    name: str
    inputs: list[int]
    attributes: dict[str, tuple[int, Any]]
    weights: dict[str, Array]


@dataclass
class Open:
    """Sizes that inputs leave open; lists of tuples, as the records have them."""

    example: list[list[int]]
    terms: list[tuple[int, int, int]]  # operation, a, b
    conditions: list[tuple[int, int, str]]  # term, relation, text
    uses: list[tuple[int, str, int, int, int]]  # value, attribute, position, term, divisor
    axes: list[tuple[int, int]]  # output, axis


@dataclass
class File:
    metadata: dict[str, str] = field(default_factory=dict)
    values: list[Input | Array | Step] = field(default_factory=list)
    outputs: list[tuple[str, int]] = field(default_factory=list)
    data: bytes = b""
    open: Open | None = None

    def to_bytes(self) -> bytes:
        out = _Writer()
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
    read = _Reader(content[64 : 64 + described])
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

    def open(self, sizes):
        for dims in sizes.example:
            self.dims(dims)
        self.numbers("I", len(sizes.terms))
        for term in sizes.terms:
            self.numbers("Bqq", *term)
        self.numbers("I", len(sizes.conditions))
        for term, relation, text in sizes.conditions:
            self.numbers("iB", term, relation)
            self.text(text)
        self.numbers("I", len(sizes.uses))
        for value, attribute, position, term, divisor in sizes.uses:
            self.numbers("i", value)
            self.text(attribute)
            self.numbers("Iii", position, term, divisor)
        self.numbers("I", len(sizes.axes))
        for axis in sizes.axes:
            self.numbers("ii", *axis)

    def type(self, kind):
        self.numbers("I", kind.dtype, len(kind.scales))
        if kind.scales:
            self.numbers("f" * len(kind.scales), *kind.scales)
            self.numbers("i" * len(kind.zero_points), *kind.zero_points)
            self.numbers("i", kind.axis)

    def array(self, name, array):
        self.text(name)
        self.type(array.type)
        self.numbers("I", array.layout, len(array.parameters), *array.parameters)
        self.dims(array.dims)
        self.numbers("I", len(array.ranges))
        for part in array.ranges:
            self.numbers("Q", part.offset, part.bytes)

    def value(self, value):
        if isinstance(value, Input):
            self.numbers("B", INPUT)
            self.text(value.name)
            self.type(value.type)
            self.dims(value.dims)
        elif isinstance(value, Array):
            self.numbers("B", CONSTANT)
            self.array("", value)
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
                self.numbers(ELEMENTS[kind] * len(value), *value)
        self.numbers("I", len(step.weights))
        for name, weights in step.weights.items():
            self.array(name, weights)


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

    def open(self, inputs):
        return Open(
            [self.dims() for _ in range(inputs)],
            [self.numbers("Bqq") for _ in range(self.number("I"))],
            [(*self.numbers("iB"), self.text()) for _ in range(self.number("I"))],
            [
                (self.number("i"), self.text(), *self.numbers("Iii"))
                for _ in range(self.number("I"))
            ],
            [self.numbers("ii") for _ in range(self.number("I"))],
        )

    def type(self):
        kind = Type(self.number("I"))
        count = self.number("I")
        if count:
            kind.scales = list(self.numbers("f" * count))
            kind.zero_points = list(self.numbers("i" * count))
            kind.axis = self.number("i")
        return kind

    def array(self):
        kind, layout = self.type(), self.number("I")
        parameters = list(self.numbers("I" * self.number("I")))
        dims = self.dims()
        ranges = [Range(*self.numbers("QQ")) for _ in range(self.number("I"))]
        return Array(dims, ranges, layout, parameters, kind)

    def value(self):
        kind = self.number("B")
        if kind == INPUT:
            name, type_ = self.text(), self.type()
            return Input(name, self.dims(), type_)
        if kind == CONSTANT:
            assert self.text() == ""
            return self.array()
        assert kind == STEP
        step = Step(self.text(), self.text(), [], {}, {})
        step.inputs = list(self.numbers("I" * self.number("I")))
        for _ in range(self.number("I")):
            name, attribute = self.text(), self.number("B")
            if attribute == STRING:
                step.attributes[name] = (STRING, self.text())
            else:
                letter = ELEMENTS[attribute]
                step.attributes[name] = (attribute, list(self.numbers(letter * self.number("I"))))
        for _ in range(self.number("I")):
            name = self.text()
            step.weights[name] = self.array()
        return step
