"""Writes TFLite files of a few operators, without the schema's generated code."""

from __future__ import annotations

import struct

import numpy as np

from dwsep.graph.tflite.parts import OPERATORS, OPTIONS, TYPES

# The union's number of an operator's options; LiteRT crashes where they are missing or of another.
_OPTION_TYPES = {
    **{"CONV_2D": 1, "DEPTHWISE_CONV_2D": 2, "AVERAGE_POOL_2D": 5, "MAX_POOL_2D": 5},
    **{"FULLY_CONNECTED": 8, "SOFTMAX": 9, "CONCATENATION": 10, "ADD": 11, "L2_NORMALIZATION": 12},
    **{"RESIZE_BILINEAR": 15, "RESHAPE": 17, "SPACE_TO_DEPTH": 19, "MUL": 21, "PAD": 22},
    **{"GATHER": 23, "TRANSPOSE": 26, "MEAN": 27, "SUM": 27, "REDUCE_MAX": 27, "REDUCE_MIN": 27},
    **{"REDUCE_PROD": 27, "SUB": 28, "DIV": 29, "SQUEEZE": 30, "STRIDED_SLICE": 32, "EXP": 33},
    **{"SPLIT": 35, "LOG_SOFTMAX": 36, "CAST": 37, "DEQUANTIZE": 38, "MAXIMUM": 39, "MINIMUM": 39},
    **{"NEG": 42, "PADV2": 43, "SLICE": 48, "TRANSPOSE_CONV": 49, "TILE": 51, "EXPAND_DIMS": 52},
    **{"SHAPE": 55, "POW": 56, "PACK": 59, "UNPACK": 64, "FLOOR_DIV": 65, "SQUARE": 66},
    **{"FILL": 68, "RANGE": 73, "RESIZE_NEAREST_NEIGHBOR": 74, "LEAKY_RELU": 75},
    **{
        "SQUARED_DIFFERENCE": 76,
        "MIRROR_PAD": 77,
        "ABS": 78,
        "SPLIT_V": 79,
        "ADD_N": 82,
        "COS": 84,
    },
    **{
        "QUANTIZE": 89,
        "CALL_ONCE": 103,
        "VAR_HANDLE": 111,
        "READ_VARIABLE": 112,
        "ASSIGN_VARIABLE": 113,
        "HARD_SWISH": 91,
        "DEPTH_TO_SPACE": 94,
        "DENSIFY": 99,
        "BATCH_MATMUL": 101,
    },
    **{"IF": 92, "REVERSE_V2": 81, "RFFT2D": 107, "REAL": 109, "IMAG": 108, "COMPLEX_ABS": 110},
    **{"BROADCAST_TO": 104, "GELU": 116, "SIGN": 123, "CALL_ONCE": 103, "VAR_HANDLE": 111},
    **{"READ_VARIABLE": 112, "ASSIGN_VARIABLE": 113, "UNIDIRECTIONAL_SEQUENCE_LSTM": 71},
    **{"WHILE": 93, "ARG_MAX": 40, "ARG_MIN": 57, "TOPK_V2": 34, "CUMSUM": 102, "ONE_HOT": 61},
    **{"ZEROS_LIKE": 67, "REDUCE_ANY": 27, "REDUCE_ALL": 27},
}


class Tables:
    """A FlatBuffer in the making: tables as dicts {field: (kind, value)}, parents first.

    Kinds are letters of the struct module, "s" for a text, "t" for a table, "[t" for tables and
    "[" for an array of numbers.
    """

    def __init__(self, root, identifier):
        self.data = bytearray(4) + identifier
        self._point(0, self._table(root))

    def _point(self, place, to):
        struct.pack_into("<I", self.data, place, to - place)

    def _align(self, size):
        self.data += bytes(-len(self.data) % size)

    def _table(self, fields):
        sizes = {f: struct.calcsize(k) if k in "bBiIfQ?" else 4 for f, (k, _) in fields.items()}
        count, offset, places = max(fields, default=-1) + 1, 4, {}
        for field in sorted(fields, key=lambda f: -sizes[f]):
            offset += -offset % sizes[field]
            places[field] = offset
            offset += sizes[field]
        self._align(8)
        vtable = len(self.data)
        entries = [places.get(f, 0) for f in range(count)]
        self.data += struct.pack(f"<{count + 2}H", 2 * count + 4, offset, *entries)
        self._align(8)
        start = len(self.data)
        self.data += struct.pack("<i", start - vtable) + bytes(offset - 4)
        for field, (kind, value) in fields.items():
            place = start + places[field]
            if kind in "bBiIfQ?":
                struct.pack_into(f"<{kind}", self.data, place, value)
            else:
                self._point(place, self._value(kind, value))
        return start

    def _value(self, kind, value):
        if kind == "t":
            return self._table(value)
        if kind == "s":
            value = np.frombuffer(value.encode() + b"\0", np.uint8)[:-1]
        self._align(16)
        self.data += bytes(12)
        start = len(self.data)
        if kind == "[t":
            self.data += struct.pack("<I", len(value)) + bytes(4 * len(value))
            for i, table in enumerate(value):
                self._point(start + 4 + 4 * i, self._table(table))
        else:
            array = np.ascontiguousarray(value)
            self.data += struct.pack("<I", array.size) + array.tobytes() + b"\0"
        return start


_TYPE_NUMBERS = {name: number for number, name in enumerate(TYPES) if name} | {"string": 5}


def tensor(name, shape, dtype="float32", **more):
    """Describe a tensor: of `shape`, which may have -1, or `data`, with `quantization`."""
    return {"name": name, "shape": tuple(shape), "dtype": dtype, **more}


def constant(name, array, **more):
    array = np.asarray(array)
    return {"name": name, "shape": array.shape, "dtype": array.dtype.name, "data": array, **more}


def model(tensors, operators, inputs, outputs, *, signatures=(), others=()):
    """Return the bytes of a file; an operator is (type, inputs, outputs, options).

    Inputs and outputs are names of tensors; "" leaves an input out. Subgraphs after the first are
    `others`, of the same four parts.
    """
    graphs = [(tensors, operators, inputs, outputs), *others]
    types = list(dict.fromkeys(o[0] for graph in graphs for o in graph[1]))
    buffers = [{}]
    root = {
        0: ("I", 3),
        1: ("[t", [_code(t) for t in types]),
        2: ("[t", [_graph(graph, types, buffers) for graph in graphs]),
        4: ("[t", buffers),
    }
    if signatures:
        numbers = {t["name"]: i for i, t in enumerate(tensors)}
        root[7] = ("[t", [_signature(s, numbers) for s in signatures])
    return bytes(Tables(root, b"TFL3").data)


def _graph(graph, types, buffers):
    tensors, operators, inputs, outputs = graph
    numbers = {t["name"]: i for i, t in enumerate(tensors)}
    records = []
    for t in tensors:
        declared = [max(n, 1) if n < 0 else n for n in t["shape"]]
        record = {
            0: ("[", np.array(declared, np.int32)),
            1: ("b", _TYPE_NUMBERS[t["dtype"]]),
            3: ("s", t["name"]),
        }
        if "data" in t:
            record[2] = ("I", len(buffers))
            buffers.append({0: ("[", np.frombuffer(np.asarray(t["data"]).tobytes(), np.uint8))})
        if -1 in t["shape"]:
            record[7] = ("[", np.array(t["shape"], np.int32))
        if "quantization" in t:
            scale, zero, axis = t["quantization"]
            record[4] = (
                "t",
                {
                    2: ("[", np.atleast_1d(np.float32(scale))),
                    3: ("[", np.atleast_1d(np.int64(zero))),
                    6: ("i", axis),
                },
            )
        if "sparsity" in t:
            record[6] = ("t", t["sparsity"])
        records.append(record)
    return {
        0: ("[t", records),
        1: ("[", np.array([numbers[n] for n in inputs], np.int32)),
        2: ("[", np.array([numbers[n] for n in outputs], np.int32)),
        3: ("[t", [_operator(o, types, numbers) for o in operators]),
    }


def _code(type_):
    if type_ not in OPERATORS:
        return {0: ("b", OPERATORS.index("CUSTOM")), 1: ("s", type_), 3: ("i", 32)}
    number = OPERATORS.index(type_)
    version = 2 if type_ == "BROADCAST_TO" else 1
    return {0: ("b", min(number, 127)), 2: ("i", version), 3: ("i", number)}


def _operator(operator, types, numbers):
    type_, inputs, outputs, options = operator
    record = {
        0: ("I", types.index(type_)),
        1: ("[", np.array([numbers[n] if n else -1 for n in inputs], np.int32)),
        2: ("[", np.array([numbers[n] for n in outputs], np.int32)),
    }
    if "custom" in options:
        record[5] = ("[", np.frombuffer(options["custom"], np.uint8))
    elif type_ in _OPTION_TYPES:
        fields = OPTIONS.get(type_, {})
        table = {}
        for name, value in options.items():
            field, kind, _ = fields[name]
            table[field] = (kind, np.array(value, np.int32) if kind == "[" else value)
        record[3], record[4] = ("B", _OPTION_TYPES[type_]), ("t", table)
    return record


def _signature(signature, numbers):
    key, inputs, outputs = signature

    def ports(names):
        return [{0: ("s", public), 1: ("I", numbers[n])} for public, n in names.items()]

    return {0: ("[t", ports(inputs)), 1: ("[t", ports(outputs)), 2: ("s", key)}
