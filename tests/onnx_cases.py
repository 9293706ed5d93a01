"""One-node models, one for every operator and variant that the importer knows."""

from __future__ import annotations

import numpy as np
from onnx_case import IMAGE, NEW, Case, f, i, n
from onnx_convolution_cases import CONVOLUTION_CASES
from onnx_placing_cases import PLACING_CASES
from onnx_recurrent_cases import recurrent_cases
from onnx_typed_cases import TYPED_CASES

CASES = [
    *CONVOLUTION_CASES,
    Case(
        "BatchNormalization",
        [IMAGE, f(4), f(4), f(4), abs(f(4)) + 0.1],
        {"epsilon": 1e-3},
        (7, 9, 14, 17),
    ),
    Case("MaxPool", [IMAGE], {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 1, 0, 0]}),
    Case("MaxPool", [IMAGE], {"kernel_shape": [2, 3], "dilations": [2, 2], "strides": [1, 2]}),
    Case("LpPool", [IMAGE], {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 1, 0, 0]}),
    Case("LpPool", [IMAGE], {"kernel_shape": [2, 2], "p": 1}),
    Case("LpPool", [IMAGE], {"kernel_shape": [3, 3], "p": 3, "auto_pad": "SAME_UPPER"}),
    *(Case("GlobalLpPool", [IMAGE], {"p": p}) for p in (1, 2, 4)),
    Case("MaxPool", [IMAGE], {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    Case(
        "MaxPool",
        [(1, 2, 6, 7)],
        {"kernel_shape": [2, 2], "strides": [3, 3], "pads": [1, 1, 1, 1], "ceil_mode": 1},
    ),
    Case("MaxPool", [IMAGE], {"kernel_shape": [3, 3], "strides": [2, 3], "auto_pad": "SAME_UPPER"}),
    Case("AveragePool", [IMAGE], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    Case(
        "AveragePool",
        [IMAGE],
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 1, 1, 1], "count_include_pad": 1},
    ),
    Case("AveragePool", [IMAGE], {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    Case(
        "AveragePool",
        [IMAGE],
        {
            "kernel_shape": [3, 3],
            "strides": [2, 2],
            "pads": [1, 1, 1, 1],
            "ceil_mode": 1,
            "count_include_pad": 1,
        },
        (19, 21),  # the meaning of both flags together was fixed in 19
    ),
    Case("AveragePool", [IMAGE], {"kernel_shape": [3, 3], "auto_pad": "SAME_LOWER"}),
    Case("GlobalAveragePool", [IMAGE]),
    Case("GlobalMaxPool", [IMAGE]),
    *(
        Case(f"Reduce{name}", [IMAGE], {"axes": axes, "keepdims": keep}, (11,))
        for name in ("Mean", "Sum", "Max", "Min", "L1", "L2", "SumSquare")
        for axes, keep in (([2, 3], 1), ([-1], 0))
    ),
    *(
        Case(f"Reduce{name}", [IMAGE, i(-2, 3)], {"keepdims": 0}, (18, 21))
        for name in ("Mean", "L2")
    ),
    Case("ReduceSum", [IMAGE, i(1)], {}, NEW),
    Case("ReduceMax", [IMAGE], {"keepdims": 0}),
    Case("ReduceSum", [IMAGE], {"noop_with_empty_axes": 1}, NEW),
    *(Case(name, [IMAGE]) for name in ("Relu", "Sigmoid", "Tanh", "Exp", "Neg", "Abs", "Erf")),
    *(Case(name, [IMAGE]) for name in ("Floor", "Ceil", "Round", "Softplus", "Sin", "Cos", "Sign")),
    *(Case(name, [IMAGE], positive=True) for name in ("Log", "Sqrt", "Reciprocal")),
    Case("HardSwish", [IMAGE], {}, (14, 21)),
    Case("HardSigmoid", [IMAGE]),
    Case("HardSigmoid", [IMAGE], {"alpha": 1 / 6, "beta": 0.5}),
    Case("HardSigmoid", [IMAGE], {"alpha": 0.3, "beta": 0.4}),
    Case("LeakyRelu", [IMAGE], {"alpha": 0.2}),
    Case("PRelu", [IMAGE, f(4, 1, 1)]),
    Case("PRelu", [IMAGE, f(1)]),
    Case("PRelu", [IMAGE, (4, 1, 1)], open_batch=False),
    Case("Elu", [IMAGE], {"alpha": 0.7}),
    *(Case("Celu", [IMAGE], {"alpha": alpha}, (12, 21)) for alpha in (1.5, 1.0)),
    Case("Selu", [IMAGE]),
    Case("Selu", [IMAGE], {"alpha": 1.5, "gamma": 0.9}),
    Case("Softsign", [IMAGE]),
    Case("Gelu", [IMAGE], {}, (20, 21)),
    Case("Gelu", [IMAGE], {"approximate": "tanh"}, (20, 21)),
    Case("Mish", [IMAGE], {}, (18, 21)),
    Case("Clip", [IMAGE, n(-0.5), n(0.7)]),
    Case("Clip", [IMAGE, n(0)]),
    Case("Clip", [IMAGE, None, n(0.3)]),
    Case("Clip", [IMAGE]),
    Case("Clip", [IMAGE, n(0), n(6)]),
    Case("Clip", [IMAGE], {"min": -0.1, "max": 0.2}, (7, 10)),
    Case("Identity", [IMAGE]),
    Case("Dropout", [IMAGE], {"ratio": 0.5}, (11,)),
    Case("Dropout", [IMAGE, n(0.5)], {}, (12, 21)),
    *(Case(name, [IMAGE, (4, 1, 1)], open_batch=False) for name in ("Add", "Sub", "Mul")),
    *(Case(name, [IMAGE, f(9, 1)]) for name in ("Add", "Div")),
    *(Case(name, [f(2, 1, 1, 1, 1), IMAGE]) for name in ("Sub", "Div")),
    *(Case(name, [IMAGE, (2, 4, 1, 1), f(8)]) for name in ("Min", "Max", "Sum", "Mean")),
    *(Case("Pow", [IMAGE, n(e)], positive=True) for e in (1, 2, 3, 0.5, 2.5, -1)),
    *(Case("Pow", [IMAGE, n(e)]) for e in (4, -3)),
    Case("Pow", [IMAGE, i(3)], {}, NEW),
    Case("Pow", [(3, 1), (3, 4)], positive=True),
    Case("Where", [np.array(True), IMAGE, f(8)]),
    Case("Where", [np.zeros((4, 1, 1), bool), f(8), IMAGE]),
    Case("Gemm", [(3, 5), f(5, 4), f(4)]),
    Case("Gemm", [(3, 5), f(4, 5), f(1)], {"transB": 1, "alpha": 0.5, "beta": 2.0}),
    Case("Gemm", [(3, 5), f(4, 5)], {"transB": 1}),
    Case("Gemm", [(5, 3), f(5, 4), f(3, 4)], {"transA": 1, "beta": 0.5}, open_batch=False),
    Case("Gemm", [(3, 5), (5, 4), (4,)], {"alpha": 0.5}, open_batch=False),
    Case("MatMul", [(2, 3, 5), f(5, 4)]),
    Case("MatMul", [(2, 3, 5), f(5)]),
    Case("MatMul", [(2, 3, 2, 3, 5), f(5, 4)]),
    Case("MatMul", [(2, 3, 2, 1, 3, 5), f(5)]),
    Case("MatMul", [(5,), f(5, 4)], open_batch=False),
    Case("MatMul", [f(4, 5), (2, 5, 3)]),
    Case("MatMul", [(2, 3, 5), f(2, 5, 4)], open_batch=False),
    Case("MatMul", [(2, 3, 4, 5), (2, 1, 5, 3)]),
    *(Case(name, [(2, 3, 4)], {"axis": 1}) for name in ("Softmax", "LogSoftmax")),
    Case("Softmax", [(2, 3, 4)], {"axis": -1}),
    Case("Softmax", [(2, 3, 4)]),
    Case("Softmax", [(2, 3, 1, 1)], {"axis": 1}, (11,)),
    Case("Softmax", [(2, 3)], {"axis": 0}, open_batch=False),
    Case("LayerNormalization", [(2, 3, 4), f(4), f(4)], {}, (17, 21)),
    Case("LayerNormalization", [(2, 3, 4), f(3, 4)], {"axis": 1, "epsilon": 0.01}, (17, 21)),
    Case("InstanceNormalization", [IMAGE, f(4), f(4)]),
    Case("GroupNormalization", [IMAGE, f(2), f(2)], {"num_groups": 2}, (18,)),
    Case("GroupNormalization", [IMAGE, f(4), f(4)], {"num_groups": 2}, (21,)),
    Case("Concat", [IMAGE, (2, 3, 9, 8), f(2, 1, 9, 8)], {"axis": 1}, open_batch=False),
    Case("Concat", [IMAGE, IMAGE], {"axis": -1}),
    Case("Split", [IMAGE], {"axis": 1}, (11, 13, 17), outputs=2),
    Case("Split", [IMAGE], {"axis": 1, "split": [1, 3]}, (11,), outputs=2),
    Case("Split", [IMAGE, i(2, 3, 4)], {"axis": 2}, NEW, outputs=3),
    Case("Split", [IMAGE], {"axis": 2, "num_outputs": 2}, (18, 21), outputs=2),
    Case("Slice", [IMAGE, i(1), i(3), i(2)]),
    Case("Slice", [IMAGE, i(-1, 0), i(-100, 2**62), i(2, -1), i(-2, 3)]),
    Case("Slice", [IMAGE, i(0, 1), i(2**63 - 1, 4)]),
    Case("Slice", [IMAGE, i(5), i(0), i(3), i(-2)]),
    Case("Pad", [IMAGE, i(0, 0, 1, 2, 0, 0, 0, 3), n(1.5)]),
    Case("Pad", [IMAGE, i(0, 0, 1, 2, 0, 0, 0, 3)], {"mode": "reflect"}),
    Case("Pad", [IMAGE, i(0, 0, 1, 2, 0, 1, 0, 3)], {"mode": "edge"}),
    Case("Pad", [IMAGE, i(0, 1, 2, 0, 0, 0, 3, 1)], {"mode": "wrap"}, (19, 21)),
    Case("Pad", [IMAGE, i(0, 0, -1, 2, 0, 0, 3, -2)]),
    Case("Pad", [IMAGE, i(1, 2, 3, 4), None, i(3, 2)], {}, (18, 21)),
    Case("Pad", [IMAGE], {"pads": [0, 0, 1, 2, 0, 0, 0, 3], "value": 2.5}, (7, 10)),
    Case("Slice", [IMAGE], {"starts": [1, -3], "ends": [3, 100], "axes": [1, 3]}, (7, 9)),
    Case("Transpose", [IMAGE], {"perm": [0, 2, 3, 1]}),
    Case("Transpose", [IMAGE]),
    Case("Reshape", [IMAGE, i(0, -1)]),
    Case("Reshape", [IMAGE, i(-1, 2, 2, 9, 8)]),
    Case("Reshape", [IMAGE, i(0, 0, 72)]),
    Case("Reshape", [IMAGE, i(4, -1)], open_batch=False),
    Case("Flatten", [IMAGE]),
    Case("Flatten", [IMAGE], {"axis": 2}, open_batch=False),
    Case("Flatten", [IMAGE], {"axis": -3}),
    Case("Squeeze", [(2, 3, 1, 1)], {"axes": [-1, 2]}, (11,)),
    Case("Squeeze", [(2, 3, 1, 1), i(2)], {}, NEW),
    Case("Squeeze", [(2, 3, 1, 1)]),
    Case("Unsqueeze", [(2, 3)], {"axes": [0, 3]}, (11,)),
    Case("Unsqueeze", [(2, 3), i(-1, 1)], {}, NEW),
    Case("Expand", [(2, 4, 1), i(1, 4, 5)]),
    Case("Expand", [(1, 1), i(3, 4)], open_batch=False),
    Case("Expand", [(2, 1), i(3, 1, 4)]),
    Case("Tile", [(2, 3, 4), i(1, 2, 3)]),
    Case("Tile", [(2, 1, 4), i(1, 2, 1)]),
    Case("Tile", [(2, 3), i(2, 1)], open_batch=False),
    Case("Gather", [IMAGE, i(2, 0, 3)], {"axis": 1}),
    Case("Gather", [IMAGE, i(1, 3, 5)], {"axis": 2}),
    Case("Gather", [IMAGE, i(-1, -2)], {"axis": -1}),
    Case("Gather", [IMAGE, np.array(2)], {"axis": 1}),
    Case("Gather", [IMAGE, np.array([[0, 1], [3, 3]])], {"axis": 1}),
    Case("DepthToSpace", [(2, 8, 3, 2)], {"blocksize": 2}),
    Case("DepthToSpace", [(2, 8, 3, 2)], {"blocksize": 2, "mode": "CRD"}),
    Case("SpaceToDepth", [(2, 3, 4, 6)], {"blocksize": 2}),
    Case("Cast", [IMAGE], {"to": 1}),
    *TYPED_CASES,
    *(
        Case(
            "Resize",
            [IMAGE, f(0), n(scales)],
            {"mode": mode, "coordinate_transformation_mode": coordinates},
        )
        for mode in ("nearest", "linear", "cubic")
        for coordinates in ("half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners")
        for scales in ([1, 1, 2, 1.5], [1, 1, 0.5, 0.75])
    ),
    *(
        Case("Resize", [IMAGE, f(0), n([1, 1, 1.7, 0.6])], {"nearest_mode": rounding})
        for rounding in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
    ),
    Case("Resize", [IMAGE, f(0), f(0), i(2, 4, 5, 13)], {"mode": "linear"}, open_batch=False),
    Case("Resize", [IMAGE, None, None, i(5, 13)], {"axes": [2, 3]}, (18, 21)),
    *(  # 14.5 and 12.5 are the middles of two pixels
        Case(
            "Resize",
            [(2, 4, 20, 28), None, None, i(6, 8)],
            {"axes": [2, 3], "nearest_mode": rounding},
            (18, 21),
        )
        for rounding in ("round_prefer_floor", "round_prefer_ceil")
    ),
    Case("Resize", [IMAGE, n([1, 1, 2, 3])], {}, (10,)),
    Case("Resize", [IMAGE, n([1, 1, 1.09, 2])], {}, (10,)),
    Case("Resize", [IMAGE, n([1, 1, 0.5, 0.4])], {}, (10,)),
    Case(
        "Resize",
        [IMAGE, f(0), n([1, 1, 0.5, 3])],
        {"coordinate_transformation_mode": "tf_half_pixel_for_nn", "nearest_mode": "floor"},
        (11, 13),
    ),
    Case(
        "Resize",
        [IMAGE, None, n([1, 1, 2, 0.5])],
        {"coordinate_transformation_mode": "half_pixel_symmetric", "mode": "linear"},
        (19, 21),
    ),
    *(  # 30 / 11 * 11 is 30 in float32 only
        Case(
            "Resize",
            [(2, 4, 11, 9), None, *to],
            {"coordinate_transformation_mode": "half_pixel_symmetric", "mode": mode},
            (19, 21),
            open_batch=len(to) == 1,
        )
        for to in ([None, i(2, 4, 30, 13)], [n([1, 1, 30 / 11, 13 / 9])])
        for mode in ("linear", "cubic")
    ),
    Case("Upsample", [IMAGE, n([1, 1, 2, 3])], {"mode": "linear"}, (9,)),
    *recurrent_cases(),
    *PLACING_CASES,
    *(
        Case(
            "Resize",
            [(2, 4, 11, 9), None, None, size],
            {"antialias": 1, **more},
            (18, 21),
            open_batch=False,
        )
        for size in (i(2, 4, 5, 6), i(2, 4, 4, 20))
        for more in (
            {"mode": "linear"},
            {"mode": "cubic"},
            {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
        )
    ),
    *(
        Case(
            "GridSample",
            [IMAGE, (2, 5, 7, 2)],
            {"mode": m, "padding_mode": p, "align_corners": a},
            (16,),
        )
        for m in ("bilinear", "nearest")
        for p in ("zeros", "border", "reflection")
        for a in (0, 1)
    ),
    Case("GridSample", [IMAGE, (2, 5, 7, 2)], {}, (20, 21)),
    *(
        Case(
            "GridSample",
            [(1, 3, 6, 9), (1, 5, 7, 2)],
            {"padding_mode": p},
            (16,),
            open_batch=False,
        )
        for p in ("zeros", "border")
    ),
    Case("Upsample", [IMAGE], {"scales": [1.0, 1.0, 2.0, 3.0]}, (7,)),
]
