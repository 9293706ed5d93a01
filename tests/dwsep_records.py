"""The records of .dwsep files: what they hold, and how they are written and read."""

import struct
from dataclasses import dataclass, field
from typing import Any

INPUT, CONSTANT, STEP = 1, 2, 3
ROW_MAJOR, MATRIX, DEPTHWISE = 0, 1, 2
FLOAT32, INT8, UINT8, INT32, FLOAT16, INT64, BOOL = range(7)
INTEGERS, FLOATS, STRING, FLOATS32, INTEGERS8 = range(5)
ELEMENTS = {INTEGERS: "q", FLOATS: "d", FLOATS32: "f", INTEGERS8: "b"}  # of attributes


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


class Writer:
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


class Reader:
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
