"""Damages TFLite files: words and bytes of the file, or what it describes, before it is written."""

from __future__ import annotations

import copy
import struct

import numpy as np
from tflite_cases import CASES, f, i32
from tflite_writer import constant, model, tensor

from dwsep.graph.tflite.call import FOLDED, IMPORTERS

OPERATORS = sorted({*IMPORTERS, *FOLDED})
INTEGERS = [0, 1, -1, 2, 3, -2, 7, 1000, 2**16, 2**31 - 1, -(2**31)]
FLOATS = [0.0, -1.0, 0.5, 1e-40, 1e30, float("inf"), float("-inf"), float("nan")]
DTYPES = ["float32", "float16", "int8", "uint8", "int16", "int32", "int64", "bool", "string"]
SIZES = [0, 1, 1, 2, 3, 4, 8, 9, 16, -1, 2**20, 2**31 - 1]
QUANTIZATIONS = [(0.05, 3, 0), (np.float32([0.1, 0.2]), np.int64([0, 1]), 1), (0.0, 0, 0)]
QUANTIZATIONS += [(float("nan"), 0, 0), (0.01, 2**40, 3), (1e30, -1, -1), (-0.5, 0, 2**20)]


def quantized():
    """Return a network of bytes: a convolution with weights for each channel, and a sum."""
    scale = np.linspace(0.01, 0.02, 8, dtype=np.float32)
    steps = np.random.default_rng(0).integers(-127, 128, (8, 3, 3, 4)).astype(np.int8)
    x, y = (0.05, 3, 0), (0.06, -5, 0)
    tensors = [
        tensor("x", (-1, 9, 9, 4), "int8", quantization=x),
        constant("w", steps, quantization=(scale, np.zeros(8), 0)),
        constant("b", i32(*range(8)), quantization=(np.float32(0.05) * scale, np.zeros(8), 0)),
        tensor("c", (-1, 5, 5, 8), "int8", quantization=y),
        tensor("d", (-1, 5, 5, 8), "int8", quantization=y),
        tensor("y", (-1, 5, 5, 8)),
    ]
    operators = [
        ("CONV_2D", ["x", "w", "b"], ["c"], {"stride_w": 2, "stride_h": 2}),
        ("ADD", ["c", "c"], ["d"], {"activation": 1}),
        ("DEQUANTIZE", ["d"], ["y"], {}),
    ]
    return tensors, operators, ["x"], ["y"]


def remembering():
    """Return a network with a variable."""
    tensors = [
        tensor("x", (1, 4)),
        tensor("h", (1,), "int32"),
        tensor("r", (1, 4)),
        tensor("y", (1, 4)),
    ]
    operators = [
        ("VAR_HANDLE", [], ["h"], {"shared_name": "v"}),
        ("READ_VARIABLE", ["h"], ["r"], {}),
        ("ADD", ["x", "r"], ["y"], {}),
        ("ASSIGN_VARIABLE", ["h", "y"], [], {}),
    ]
    return tensors, operators, ["x"], ["y"]


def sparse():
    """Return a product with a matrix of which only some columns are stored."""
    counts, columns = i32(0, 2, 3, 5), np.uint8([0, 3, 1, 2, 4])
    rows = {0: ("b", 0), 1: ("i", 3)}
    level = {0: ("b", 1), 2: ("B", 1), 3: ("t", {0: ("[", counts)})}
    level |= {4: ("B", 3), 5: ("t", {0: ("[", columns)})}
    stored = constant("s", f(5), sparsity={0: ("[", i32(0, 1)), 2: ("[t", [rows, level])})
    stored["shape"] = (3, 6)
    tensors = [tensor("x", (2, 6)), stored, tensor("w", (3, 6)), tensor("y", (2, 3))]
    operators = [("DENSIFY", ["s"], ["w"], {}), ("FULLY_CONNECTED", ["x", "w"], ["y"], {})]
    return tensors, operators, ["x"], ["y"]


def transform():
    tensors = [
        tensor("x", (2, 1, 8)),
        constant("n", i32(1, 8)),
        tensor("f", (2, 1, 5), "complex64"),
    ]
    tensors.append(tensor("y", (2, 1, 5)))
    operators = [("RFFT2D", ["x", "n"], ["f"], {}), ("COMPLEX_ABS", ["f"], ["y"], {})]
    return tensors, operators, ["x"], ["y"]


SEEDS = [case.parts for case in CASES] + [quantized, remembering, sparse, transform] * 8


def joined(rng, count):
    """Return several networks in one, most inputs of which read what others compute."""
    tensors, operators, inputs, outputs = [], [], [], []
    for number in range(count):
        part = copy.deepcopy(rng.choice(SEEDS)())
        new = {t["name"]: f"{t['name']}_{number}" for t in part[0]}
        for t in part[0]:
            t["name"] = new[t["name"]]
        made = [name for o in operators for name in o[2]]
        for name in part[2]:
            if made and rng.random() < 0.8:
                new[name] = rng.choice(made[-3:])
            else:
                inputs.append(new[name])
        tensors += part[0]
        names = [[[new.get(n, n) for n in side] for side in o[1:3]] for o in part[1]]
        operators += [(o[0], *n, o[3]) for o, n in zip(part[1], names, strict=True)]
        outputs += [new[name] for name in part[3]]
    return tensors, operators, inputs, outputs if rng.random() < 0.5 else outputs[-1:]


def changed(parts, rng):
    """Change what a file describes, in one of nine ways, and return which."""
    tensors, operators, _, _ = parts
    kind = rng.randrange(9)
    at = rng.randrange(len(operators))
    _, reads, writes, options = operators[at]
    chosen = rng.choice(tensors)
    numbers = sorted(name for name, value in options.items() if isinstance(value, (int, float)))
    if kind == 0 and numbers:
        name = rng.choice(numbers)
        options[name] = rng.choice(INTEGERS if rng.random() < 0.8 else FLOATS)
    elif kind == 1:
        operators[at] = (rng.choice(OPERATORS), reads, writes, {})
    elif kind == 2 and reads:
        reads[rng.randrange(len(reads))] = rng.choice([*(t["name"] for t in tensors), ""])
    elif kind == 3 and reads:
        del reads[rng.randrange(len(reads))]
    elif kind == 4:
        reads.append(rng.choice(tensors)["name"])
    elif kind == 5:
        shape = list(chosen["shape"])
        shape[rng.randrange(len(shape) + 1) :][:1] = [rng.choice(SIZES)]
        if shape and rng.random() < 0.7:
            shape[rng.randrange(len(shape))] = rng.choice(SIZES)
        chosen["shape"] = tuple(shape)
    elif kind == 6:
        chosen["dtype"] = rng.choice(DTYPES)
    elif kind == 7:
        chosen["quantization"] = rng.choice(QUANTIZATIONS)
    elif kind == 8 and chosen.get("data") is not None and np.size(chosen["data"]):
        data = np.array(chosen["data"])
        values = FLOATS if data.dtype.kind == "f" else INTEGERS
        with np.errstate(all="ignore"):
            wanted = np.array(rng.choice(values)).astype(data.dtype)
        data.reshape(-1)[rng.randrange(data.size)] = wanted
        chosen["data"] = data
    return kind


def damaged(data, rng):
    """Return a file with words and bytes changed, or cut short."""
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        kind, at = rng.randrange(6), rng.randrange(len(data))
        word = min(at // 4 * 4, len(data) - 4)
        (value,) = struct.unpack_from("<i", data, word)
        if kind == 0:
            data[at] = rng.randrange(256)
        elif kind == 1:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            struct.pack_into("<i", data, word, rng.choice(INTEGERS))
        elif kind == 3:  # another place: a circle, one table in place of another
            near = value + 4 * rng.choice([-8, -2, -1, 1, 2, 8, -word // 4])
            struct.pack_into("<i", data, word, max(-(2**31), min(2**31 - 1, near)))
        elif kind == 4:
            struct.pack_into("<H", data, min(at // 2 * 2, len(data) - 2), rng.randrange(64))
        elif rng.random() < 0.2:
            del data[at:]
            data += bytes(max(0, 16 - len(data)))
    return bytes(data)


# Steps and poles: rounding before them may change all that follows.
DELICATE = {
    *("SIGN", "FLOOR", "CEIL", "ROUND", "FLOOR_DIV", "DIV", "LOG", "SQRT", "RSQRT", "POW"),
    *(
        "L2_NORMALIZATION",
        "LOG_SOFTMAX",
        "SIN",
        "COS",
        "EXP",
        "REDUCE_PROD",
        "DENSIFY",
        "COMPLEX_ABS",
    ),
}


def is_delicate(parts):
    tensors, operators, _, _ = parts
    stored = any("quantization" in t or "sparsity" in t for t in tensors)
    return stored or (len(operators) > 1 and any(o[0] in DELICATE for o in operators))


def drawn(rng):
    """Return a file, and whether LiteRT should see in it what dwsep does."""
    parts = joined(rng, rng.choice([1, 1, 1, 2, 3]))
    data, sound = model(*parts), not is_delicate(parts)
    for _ in range(rng.choice([0, 1, 1, 2, 3])):
        try:
            # LiteRT believes what types, shapes and orders a file states.
            sound = changed(parts, rng) == 0 and sound
            data = model(*parts)
        except (KeyError, struct.error, ValueError, OverflowError, TypeError):
            break  # nobody could write such a file
    if rng.random() < 0.3:
        return damaged(data, rng), False
    return data, sound
