"""Cases of other types than float32, and of operators that make them, for `onnx_cases`."""

from __future__ import annotations

import numpy as np
from onnx_case import IMAGE, NEW, Case, f, i, of

BYTES, LONGS, TRUTHS = (of(dtype, *IMAGE) for dtype in ("uint8", "int64", "bool"))
TYPED_CASES = [
    *(Case("Cast", [IMAGE], {"to": to}) for to in (6, 7, 9, 11)),
    *(Case("Cast", [of(dtype, 2, 5)], {"to": 1}) for dtype in ("uint8", "int8", "int32", "bool")),
    *(Case("Cast", [of(dtype, 2, 5)], {"to": 7}) for dtype in ("int64", "float16", "uint8")),
    *(Case(name, [IMAGE, f(9, 1)]) for name in ("Less", "Greater")),
    *(Case(name, [IMAGE, IMAGE], {}, (12, 16)) for name in ("LessOrEqual", "GreaterOrEqual")),
    *(Case("Equal", [x, x]) for x in (LONGS, TRUTHS)),
    *(Case(name, [TRUTHS, TRUTHS]) for name in ("And", "Or", "Xor")),
    Case("Not", [TRUTHS]),
    *(Case(f"Bitwise{name}", [LONGS, i(*range(8))], {}, (18, 21)) for name in ("And", "Or", "Xor")),
    Case("Where", [TRUTHS, IMAGE, f(8)]),
    Case("Where", [TRUTHS, f(8), f(9, 1)]),
    Case("Where", [np.arange(8) % 2 == 0, LONGS, LONGS]),
    *(Case("Trilu", [x], {"upper": u}, (14, 21)) for x in (IMAGE, LONGS, TRUTHS) for u in (0, 1)),
    *(Case("Trilu", [IMAGE, np.array(k)], {}, (14,)) for k in (2, -3, 9, -(2**60))),
    *(Case(name, [LONGS, i(*range(1, 9))]) for name in ("Add", "Sub", "Mul", "Div", "Mod")),
    *(Case(name, [LONGS, i(3)], {}, NEW) for name in ("Min", "Max")),
    Case("Neg", [LONGS]),
    Case("Abs", [LONGS]),
    Case("Clip", [LONGS, np.array(-2), np.array(1)], {}, (12, 21)),
    Case("Pow", [LONGS, i(2)], {}, (13, 21)),
    Case("IsNaN", [IMAGE]),
    Case("IsInf", [IMAGE], {}, (10, 20)),
    Case("IsInf", [IMAGE], {"detect_negative": 0}, (10, 20)),
    *(
        Case(name, [x], {"axis": axis, "keepdims": keep}, (11,))
        for name in ("ArgMax", "ArgMin")
        for axis, keep in ((1, 0), (-1, 1))
        for x in (IMAGE, of("int32", *IMAGE))
    ),
    Case("ArgMax", [IMAGE], {"axis": 2, "select_last_index": 1}, (12, 21)),
    Case("TopK", [IMAGE, i(2)], {"axis": 1}, outputs=2),
    Case("TopK", [LONGS, i(3)], {"largest": 0}, outputs=2),
    Case(
        "GatherElements",
        [IMAGE, np.arange(288).reshape(2, 2, 9, 8) % 7 % 4 - 1],
        {"axis": 1},
        open_batch=False,
    ),
    Case("Gather", [IMAGE, of("int64", 2, 3)], {"axis": 2}, open_batch=False),
    *(
        Case("CumSum", [x, i(2)], {"exclusive": e, "reverse": r}, (11, 14))
        for x, e, r in ((IMAGE, 0, 0), (LONGS, 1, 0), (IMAGE, 0, 1))
    ),
    Case("MaxPool", [BYTES], {"kernel_shape": [2, 3], "pads": [1, 1, 0, 1]}, (12, 21)),
    *(
        Case(f"Reduce{name}", [x], {"axes": [1, 3], "keepdims": keep}, (13,))
        for name in ("Prod", "Max", "Min")
        for x in (IMAGE, of("int32", *IMAGE))
        for keep in (0, 1)
    ),
    *(Case(f"Reduce{name}", [LONGS, i(-2, 3)], {"keepdims": 0}, (18, 21)) for name in ("Prod",)),
    Case("ReduceSum", [LONGS, i(-2, 3)], {"keepdims": 0}, (13, 21)),
    *(
        Case(f"Reduce{name}", [IMAGE], {"axes": [1, 3], "keepdims": keep}, (13,), positive=True)
        for name in ("LogSum", "LogSumExp")
        for keep in (0, 1)
    ),
    *(Case("LpNormalization", [IMAGE], {"axis": 1, "p": p}) for p in (1, 2)),
    Case("MeanVarianceNormalization", [IMAGE], {"axes": [1, 2, 3]}),
    *(Case("LRN", [IMAGE], {"size": n, "alpha": 0.3, "bias": 1.5}) for n in (1, 3)),
    Case("ThresholdedRelu", [IMAGE], {"alpha": 0.7}),
    *(Case("Hardmax", [IMAGE], {"axis": axis}, (13, 21)) for axis in (1, -1)),
    Case("Einsum", [(2, 3, 4)], {"equation": "abc->cb"}, (12, 21), open_batch=False),
    Case("Einsum", [IMAGE], {"equation": "nchw->nhwc"}, (12, 21)),
    Case("Einsum", [(2, 3, 5), f(5, 4)], {"equation": "bij, jk -> bik"}, (12, 21)),
    Case("Einsum", [(2, 3, 5, 4), (2, 6, 5, 4)], {"equation": "bqhd,bkhd->bhqk"}, (12, 21)),
    Case("Einsum", [(2, 3, 5), (2, 5, 4)], {"equation": "...ij,...jk"}, (12, 21)),
    Case("Einsum", [(2, 3), f(3), f(3, 4)], {"equation": "ab,b,bc->ac"}, (12, 21)),
    Case("Einsum", [(2, 3), f(4)], {"equation": "ab,c->acb"}, (12, 21)),
    Case("Einsum", [(2, 3, 4), (2, 4)], {"equation": "abc,ac->b"}, (12, 21), open_batch=False),
    *(Case(name, [BYTES]) for name in ("Transpose", "Flatten", "Identity")),
    Case("Concat", [BYTES, np.zeros((2, 1, 9, 8), np.uint8)], {"axis": 1}, open_batch=False),
    Case("Slice", [LONGS, i(1), i(3), i(2)]),
    Case("Pad", [LONGS, i(0, 0, 1, 2, 0, 0, 0, 3), np.array(7)], {}, (13, 21)),
]
