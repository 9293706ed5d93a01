"""One file for each operator of TFLite and each way to use it."""

from __future__ import annotations

import numpy as np
from tflite_writer import constant, model, tensor

IMAGE, SMALL = (1, 9, 7, 8), (1, 4, 6, 8)
WINDOW = {"stride_w": 1, "stride_h": 1}
POOL = {"filter_width": 3, "filter_height": 2, "stride_w": 2, "stride_h": 1}
BIAS = np.linspace(-1, 1, 8, dtype=np.float32)


def f(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def i32(*values):
    return np.array(values, np.int32)


class Case:
    """An operator: shapes of computed inputs and arrays of constants, in order; None leaves out.

    LiteRT finds the shapes of outputs itself but for those that are `made`.
    """

    def __init__(self, op, inputs, options=None, outputs=1, positive=False, made=(1,)):
        self.op, self.inputs, self.options = op, inputs, options or {}
        self.outputs, self.positive, self.made = outputs, positive, made

    def __repr__(self):
        return f"{self.op} {self.options}"

    def file(self):
        return model(*self.parts())

    def parts(self):
        """Return tensors, operators, inputs and outputs, as `model` takes them."""
        tensors, names, computed = [], [], []
        for number, value in enumerate(self.inputs):
            name = f"t{number}"
            if value is None:
                names.append("")
                continue
            names.append(name)
            if isinstance(value, tuple):
                tensors.append(tensor(name, value))
                computed.append(name)
            else:
                tensors.append(constant(name, value))
        made = [f"y{number}" for number in range(self.outputs)]
        tensors += [tensor(name, self.made) for name in made]
        return tensors, [(self.op, names, made, self.options)], computed, made


def unary(op, options=None, positive=False):
    return Case(op, [IMAGE], options, positive=positive)


def binary(op, shape=IMAGE, options=None, positive=False):
    return Case(op, [IMAGE, shape], options, positive=positive)


CASES = [
    *(
        Case("CONV_2D", [IMAGE, f(8, 3, 2, 8), BIAS], {**WINDOW, **options})
        for options in (
            {},
            {"padding": 1},
            {"stride_w": 2, "stride_h": 3, "activation": 3},
            {"dilation_w_factor": 2, "dilation_h_factor": 2, "activation": 2},
        )
    ),
    Case("CONV_2D", [IMAGE, f(8, 3, 2, 4), BIAS], WINDOW),  # in groups
    Case("DEPTHWISE_CONV_2D", [IMAGE, f(1, 3, 3, 8), BIAS], {**WINDOW, "depth_multiplier": 1}),
    Case(
        "DEPTHWISE_CONV_2D",
        [IMAGE, f(1, 5, 3, 16), f(16)],
        {"stride_w": 2, "stride_h": 2, "depth_multiplier": 2, "activation": 3},
    ),
    Case(
        "DEPTHWISE_CONV_2D",
        [(1, 49, 1, 8), f(1, 9, 1, 8), BIAS],
        {"stride_w": 2, "stride_h": 2, "depth_multiplier": 1},
    ),
    Case(
        "DEPTHWISE_CONV_2D",
        [IMAGE, f(1, 3, 3, 8), BIAS],
        {**WINDOW, "depth_multiplier": 1, "dilation_w_factor": 2, "dilation_h_factor": 3},
    ),
    *(
        Case("TRANSPOSE_CONV", [i32(*size), f(6, *kernel, 8), SMALL, *bias], options)
        for size, kernel, bias, options in (
            ((1, 8, 12, 6), (3, 3), [], {"stride_w": 2, "stride_h": 2}),
            ((1, 8, 12, 6), (2, 4), [f(6)], {"stride_w": 2, "stride_h": 2}),
            ((1, 7, 11, 6), (3, 3), [], {"stride_w": 2, "stride_h": 2, "padding": 0}),
            ((1, 9, 13, 6), (3, 3), [f(6)], {"stride_w": 2, "stride_h": 2, "padding": 1}),
        )
    ),
    Case("FULLY_CONNECTED", [(3, 20), f(6, 20), f(6)], {"activation": 1}),
    Case("FULLY_CONNECTED", [(2, 3, 10), f(6, 30)]),
    Case("FULLY_CONNECTED", [(2, 3, 10), f(6, 10), None], {"keep_num_dims": True}),
    Case("BATCH_MATMUL", [(2, 3, 4), (2, 4, 5)]),
    Case("BATCH_MATMUL", [(2, 4, 3), (2, 5, 4)], {"adj_x": True, "adj_y": True}),
    Case("AVERAGE_POOL_2D", [IMAGE], POOL),
    Case("AVERAGE_POOL_2D", [IMAGE], {**POOL, "padding": 1, "activation": 1}),
    Case("MAX_POOL_2D", [IMAGE], POOL),
    Case("MAX_POOL_2D", [IMAGE], {**POOL, "padding": 1, "activation": 3}),
    *(
        Case(op, [SMALL, i32(*size)], options)
        for op in ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR")
        for size in ((9, 9), (8, 12), (3, 2))
        for options in ({}, {"align_corners": True}, {"half_pixel_centers": True})
    ),
    Case("DEPTH_TO_SPACE", [(1, 3, 4, 12)], {"block_size": 2}),
    Case("SPACE_TO_DEPTH", [(1, 6, 4, 3)], {"block_size": 2}),
    *map(unary, ("RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "LOGISTIC", "TANH")),
    *map(unary, ("HARD_SWISH", "ELU", "EXP", "NEG", "ABS", "FLOOR", "CEIL", "ROUND", "SIN", "COS")),
    *(unary(op, positive=True) for op in ("LOG", "SQRT", "RSQRT")),
    unary("SQUARE"),
    unary("SIGN"),
    unary("LEAKY_RELU", {"alpha": 0.2}),
    unary("GELU"),
    unary("GELU", {"approximate": True}),
    Case("PRELU", [IMAGE, f(1, 1, 8)]),
    *(binary(op, options={"activation": 1}) for op in ("ADD", "SUB", "MUL")),
    *(binary(op, (1, 1, 1, 8)) for op in ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM")),
    Case("DIV", [IMAGE, f(8) + 4]),
    binary("SQUARED_DIFFERENCE"),
    binary("FLOOR_DIV", positive=True),
    binary("POW", positive=True),
    Case("ADD_N", [IMAGE, IMAGE, IMAGE]),
    *(
        Case(op, [IMAGE, i32(*axes)], {"keep_dims": keep})
        for op in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN")
        for axes, keep in (((1, 2), True), ((1, 2), False), ((-1,), False), ((0, 3), True))
    ),
    Case("SOFTMAX", [(3, 10)], {"beta": 1.0}),
    Case("SOFTMAX", [(2, 3, 10)], {"beta": 0.5}),
    Case("LOG_SOFTMAX", [(3, 10)]),
    Case("L2_NORMALIZATION", [(3, 10)]),
    Case("RESHAPE", [IMAGE, i32(1, -1, 8)], {"new_shape": [1, -1, 8]}),
    Case("SQUEEZE", [(1, 5, 1, 3)], {"squeeze_dims": [2]}),
    Case("SQUEEZE", [(1, 5, 1, 3)]),
    Case("EXPAND_DIMS", [IMAGE, i32(-1)]),
    Case("TRANSPOSE", [IMAGE, i32(0, 3, 1, 2)]),
    Case("CONCATENATION", [IMAGE, (1, 9, 7, 3)], {"axis": -1}),
    Case("PACK", [IMAGE, IMAGE], {"values_count": 2, "axis": 1}),
    Case("UNPACK", [(3, 4, 5)], {"num": 4, "axis": 1}, outputs=4),
    Case("SPLIT", [i32(3).reshape(()), IMAGE], {"num_splits": 2}, outputs=2),
    Case("SPLIT_V", [IMAGE, i32(2, -1), i32(3).reshape(())], {"num_splits": 2}, outputs=2),
    Case("SLICE", [IMAGE, i32(0, 2, 1, 0), i32(1, 3, -1, 8)], made=(1, 3, 6, 8)),
    Case("STRIDED_SLICE", [IMAGE, i32(0, 1, 6, 0), i32(1, 8, 0, 8), i32(1, 2, -2, 1)]),
    Case(
        "STRIDED_SLICE",
        [IMAGE, i32(0, -3, 2, 5), i32(0, 0, 4, 0), i32(1, 1, 1, 1)],
        {"begin_mask": 1, "end_mask": 3, "shrink_axis_mask": 8},
    ),
    Case("REVERSE_V2", [IMAGE, i32(2)]),
    Case("GATHER", [IMAGE, i32(3, 0, 0, 6)], {"axis": 2}),
    Case("TILE", [(2, 3, 4), i32(1, 2, 3)]),
    Case("BROADCAST_TO", [(1, 3, 1), i32(2, 3, 4)]),
    Case("PAD", [IMAGE, np.array([[0, 0], [1, 2], [0, 3], [0, 8]], np.int32)]),
    Case("PADV2", [IMAGE, np.array([[0, 0], [1, 2], [0, 3], [0, 8]], np.int32), np.float32(-2.5)]),
    Case("MIRROR_PAD", [IMAGE, np.array([[0, 0], [1, 2], [0, 3], [0, 0]], np.int32)], {"mode": 0}),
    Case("MIRROR_PAD", [IMAGE, np.array([[0, 0], [1, 1], [0, 1], [0, 0]], np.int32)], {"mode": 1}),
    *(
        Case("CUMSUM", [IMAGE, i32(axis).reshape(())], {"exclusive": e, "reverse": r})
        for axis, e, r in ((1, False, False), (-1, True, False), (2, False, True), (3, True, True))
    ),
    Case("CAST", [IMAGE], {"in_data_type": 0, "out_data_type": 0}),
]
