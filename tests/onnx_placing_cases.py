"""Cases of operators that put values in places: patches, rows, ones."""

from __future__ import annotations

import math

import numpy as np
from onnx_case import Case, f, i, of

_PATCHES = (  # image, block, strides, pads, dilations
    ((5, 6), (2, 3), (1, 1), (0, 0, 0, 0), (1, 1)),
    ((7, 8), (3, 2), (2, 2), (1, 0, 1, 1), (1, 1)),
    ((8, 8), (2, 2), (2, 2), (0, 0, 0, 0), (1, 1)),
    ((9, 9), (3, 3), (2, 1), (1, 1, 1, 1), (2, 1)),
    ((10, 7), (3, 2), (3, 2), (0, 0, 0, 0), (1, 1)),  # the last column is in no patch
)


def _patches(image, block, strides, pads, dilations):
    counts = [
        (image[k] + pads[k] + pads[k + 2] - dilations[k] * (block[k] - 1) - 1) // strides[k] + 1
        for k in (0, 1)
    ]
    return Case(
        "Col2Im",
        [(2, 3 * math.prod(block), math.prod(counts)), i(*image), i(*block)],
        {"strides": strides, "pads": pads, "dilations": dilations},
        (18, 21),
    )


_INDICES = np.array([[[0, 1], [3, 4]], [[2, 2], [-1, 0]]])
_ELEMENTS = np.array([[0, 1, 2], [1, -1, 0]])

PLACING_CASES = [
    *(_patches(*patches) for patches in _PATCHES),
    Case("ScatterND", [(4, 5, 3), _INDICES, (2, 2, 3)], open_batch=False),
    Case("ScatterND", [(4, 5, 3), i(0, 3, 2).reshape(3, 1), (3, 5, 3)], open_batch=False),
    Case("ScatterND", [(4, 5), i(0, 3, 2, 1).reshape(4, 1), (4, 5)], open_batch=False),
    Case("ScatterND", [f(4, 5), i(3, 1).reshape(2, 1), (2, 5)], open_batch=False),
    Case("ScatterND", [of("int64", 4), i(2).reshape(1, 1), of("int64", 1)], open_batch=False),
    Case("Scatter", [(4, 5), _ELEMENTS, (2, 3)], {"axis": 1}, (9, 10), open_batch=False),
    *(
        Case("ScatterElements", [(4, 5), _ELEMENTS, (2, 3)], {"axis": axis}, open_batch=False)
        for axis in (0, 1, -1)
    ),
    *(
        Case(
            "ScatterElements", [(8, 9), of("int64", 8, 9), (8, 9)], {"axis": axis}, open_batch=axis
        )
        for axis in (0, 1)
    ),
    Case("ScatterElements", [(2, 9, 8), of("int32", 2, 7, 3), (2, 7, 3)], {"axis": 1}),
    Case("ScatterND", [(9, 8, 3), of("int64", 4, 2), (4, 3)], open_batch=False),
    Case("ScatterND", [(9, 8), of("int64", 2, 3, 2), (2, 3)], open_batch=False),
    *(
        Case(op, [data, given, updates], {"reduction": reduction}, (18, 21), open_batch=False)
        for reduction in ("add", "mul", "max", "min")
        for op, data, given, updates in (
            ("ScatterElements", (8, 9), of("int64", 6, 9), (6, 9)),
            ("ScatterElements", of("int64", 8, 5), np.zeros((3, 5), np.int64), of("int64", 3, 5)),
            ("ScatterND", (9, 4), i(3, 3, -2).reshape(3, 1), (3, 4)),
        )
    ),
    *(
        Case("OneHot", [of("int64", 2, 3), np.array(4), values], {"axis": axis}, open_batch=axis)
        for values in (i(0, 7), np.float32([-1, 3]))
        for axis in (0, 1, 2, -1)
    ),
    Case("EyeLike", [f(4, 3)], {"k": -1}, open_batch=False),
    Case("EyeLike", [i(1, 2, 3, 4).reshape(2, 2)], {"dtype": 1}, open_batch=False),
]
