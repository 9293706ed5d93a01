"""Small networks made step by step, without a file and without ONNX, and what they are fed."""

import numpy as np

from dwsep import _core

WINDOW = {"stride": [1, 1], "dilation": [1, 1], "padding": [1, 1, 1, 1]}
IMAGES = np.random.default_rng(0).standard_normal((5, 8, 8, 3), dtype=np.float32)
RELU6 = {"activation": "clip", "activation_lo": 0.0, "activation_hi": 6.0}


def prefixed(prefix, attributes):
    return {prefix + name: value for name, value in attributes.items()}


class Builder:
    """A NetworkBuilder with random weights."""

    def __init__(self, seed=0):
        self.core = _core.NetworkBuilder()
        self.rng = np.random.default_rng(seed)
        self.count = 0

    def weight(self, *shape):
        return self.rng.standard_normal(shape, dtype=np.float32) / np.float32(3)

    def step(self, kind, inputs, attributes=None, **weights):
        self.count += 1
        return self.core.step(kind, f"{kind}_{self.count}", inputs, attributes or {}, weights)

    def finish(self, **outputs):
        for name, value in outputs.items():
            self.core.output(name, value)
        self.core.metadata("name", "small")
        return self.core.finish()


def classifier(seed=0):
    """Make ten classes of images (N, 8, 8, 3) by all kinds of convolutions."""
    b = Builder(seed)
    x = b.core.input("images", (-1, 8, 8, 3))
    x = b.step(
        "standard",
        [x],
        {**WINDOW, **RELU6, "groups": [1], "kernel": [3, 3]},
        weight=b.weight(3, 3, 3, 8),
        bias=b.weight(8),
    )
    x = b.step("depthwise", [x], {**WINDOW, **RELU6}, weight=b.weight(3, 3, 8, 1), bias=b.weight(8))
    x = b.step(
        "separable",
        [x],
        {**WINDOW, "stride": [2, 2], **RELU6, **prefixed("depthwise_", RELU6)},
        depthwise_weight=b.weight(3, 3, 8, 1),
        depthwise_bias=b.weight(8),
        weight=b.weight(8, 16),
        bias=b.weight(16),
    )
    inner = {"reduce_activation": "silu", "excite_activation": "sigmoid"}
    x = b.step(
        "inverted_residual",
        [x, x],
        {**WINDOW, **prefixed("expand_", RELU6), **prefixed("depthwise_", RELU6), **inner},
        expand_weight=b.weight(16, 24),
        expand_bias=b.weight(24),
        depthwise_weight=b.weight(3, 3, 24, 1),
        depthwise_bias=b.weight(24),
        weight=b.weight(24, 16),
        bias=b.weight(16),
        reduce_weight=b.weight(24, 4),
        reduce_bias=b.weight(4),
        excite_weight=b.weight(4, 24),
        excite_bias=b.weight(24),
    )
    averages = b.step("reduce", [x], {"function": "mean", "axes": [1, 2], "keepdims": [0]})
    logits = b.step("pointwise", [averages], {}, weight=b.weight(16, 10), bias=b.weight(10))
    probabilities = b.step("softmax", [logits], {"axis": [1], "log": [0]})
    return b.finish(probabilities=probabilities, features=averages)


def rearranger(seed=1):
    """Do all that is not a convolution, on two inputs (N, 6, 4, 8) and (N, 3)."""
    b = Builder(seed)
    x = b.core.input("x", (-1, 6, 4, 8))
    factor = b.core.input("factor", (-1, 3))
    half = {"starts": [0, 0, 0, 0], "stops": [2**62, 2**62, 2**62, 4], "steps": [1, 1, 1, 1]}
    pooling = {**WINDOW, "kernel": [3, 3], "include_padding": [0]}
    parts = [
        b.step("slice", [x], half),
        b.step("pool", [x], {**pooling, "function": "max"}),
        b.step("pool", [x], {**pooling, "function": "average"}),
        b.step("unary", [x], {"function": "sin"}),
        b.step("activation", [x], {"activation": "gelu"}),
    ]
    y = b.step("concat", parts, {"axis": [3]})
    y = b.step("gather", [y], {"axis": [3], "indices": [35, 1, 7, 7, 20, 0]})
    pads = {"before": [0, 1, 0, 0], "after": [0, 0, 2, 0], "mode": "reflect", "value": [0.0]}
    y = b.step("pad", [y], pads)
    y = b.step("transpose", [y], {"perm": [0, 3, 1, 2]})
    y = b.step("reshape", [y], {"shape": [0, 6, -1]})
    y = b.step("layer_norm", [y], {"epsilon": [1e-5]}, scale=b.weight(42), shift=b.weight(42))
    y = b.step("reshape", [y], {"shape": [0, 6, 7, 6]})
    resizing = {
        "function": "linear",
        "size": [5, 9],
        "scale": [5 / 7, 9 / 6],
        "coordinates": "half_pixel",
        "rounding": "floor",
    }
    nhwc = b.step("transpose", [y], {"perm": [0, 2, 3, 1]})
    nhwc = b.step("resize", [nhwc], resizing)
    nhwc = b.step("zero_insert", [nhwc], {"stride": [2, 1]})
    window = {
        "stride": [2, 1],
        "dilation": [1, 1],
        "padding": [1, 0, 1, 1],
        "output_padding": [1, 0],
    }
    up = {**window, "kernel": [4, 3], "activation": "silu"}
    channels = b.weight(4, 3, 6, 6), b.weight(6)
    nhwc = b.step("transposed", [nhwc], {**up, "groups": [1]}, weight=channels[0], bias=channels[1])
    nhwc = b.step("transposed", [nhwc], {**up, "groups": [6]}, weight=b.weight(4, 3, 6, 1))
    rows = b.step("reduce", [nhwc], {"function": "max", "axes": [1], "keepdims": [0]})
    turned = b.step("transpose", [rows], {"perm": [0, 2, 1]})
    products = b.step("matmul", [rows, turned])
    constant = b.core.constant(b.weight(1, 9))
    products = b.step("binary", [products, constant], {"function": "add", "activation": "tanh"})
    wide = b.step("reshape", [factor], {"shape": [0, 1, 3]})
    wide = b.step("expand", [wide], {"shape": [0, 2, 3]})
    wide = b.step("identity", [wide])
    return b.finish(products=products, factor=wide)


def gated(seed=3):
    """Make features of images (N, 9, 8, 6) by a separable step with squeeze-excite."""
    b = Builder(seed)
    x = b.core.input("images", (-1, 9, 8, 6))
    inner = {"reduce_activation": "silu", "excite_activation": "sigmoid"}
    y = b.step(
        "separable",
        [x],
        {**WINDOW, "stride": [2, 2], **prefixed("depthwise_", RELU6), **inner},
        depthwise_weight=b.weight(3, 3, 6, 2),
        depthwise_bias=b.weight(12),
        weight=b.weight(12, 7),
        bias=b.weight(7),
        reduce_weight=b.weight(12, 3),
        reduce_bias=b.weight(3),
        excite_weight=b.weight(3, 12),
        excite_bias=b.weight(12),
    )
    y = b.step("reduce", [y], {"function": "mean", "axes": [1, 2], "keepdims": [0]})
    return b.finish(features=y)


def streaming(seed=4):
    """Make states of sequences (5, N, 3), the first of them (2, N, 4), by an LSTM and a GRU."""
    b = Builder(seed)
    x = b.core.input("steps", (5, -1, 3))
    state = b.core.input("state", (2, -1, 4))
    functions = {"gate_activation": "sigmoid", "activation": "tanh", "cell_activation": "tanh"}
    both = {"cell": "lstm", "direction": "both", **functions}
    y = b.step(
        "recurrent",
        [x, state],
        both,
        input_weight=b.weight(2, 3, 16),
        weight=b.weight(2, 4, 16),
        bias=b.weight(2, 16),
    )
    first = {"starts": [0, 0, 0, 0], "stops": [5, 1, 2**62, 2**62], "steps": [1, 1, 1, 1]}
    states = b.step("reshape", [b.step("slice", [y], first)], {"shape": [5, -1, 4]})
    gru = {"cell": "gru", "direction": "reverse", **functions, "reset_after": [1], "clip": [3.0]}
    z = b.step(
        "recurrent",
        [states],
        gru,
        input_weight=b.weight(1, 4, 21),
        weight=b.weight(1, 7, 21),
        recurrent_bias=b.weight(1, 21),
    )
    return b.finish(states=y, last=z)


def boxes(seed=5):
    """Keep boxes (N, 9, 4) by scores (N, 2, 9)."""
    b = Builder(seed)
    inputs = [b.core.input("boxes", (-1, 9, 4)), b.core.input("scores", (-1, 2, 9))]
    limits = {"most": [3], "overlap": [0.5], "centered": [1], "least_score": [0.0]}
    return b.finish(kept=b.step("non_max_suppression", inputs, limits))


def channels_first(seed=2):
    """Make four scores of images (N, 3, 5, 7)."""
    b = Builder(seed)
    x = b.core.input("images", (-1, 3, 5, 7))
    x = b.step("transpose", [x], {"perm": [0, 2, 3, 1]})
    x = b.step("reduce", [x], {"function": "mean", "axes": [1, 2], "keepdims": [0]})
    return b.finish(scores=b.step("pointwise", [x], {}, weight=b.weight(3, 4), bias=b.weight(4)))


def typed(seed=3):
    """Make places and values of several types from bytes (N, 6, 8) and numbers (N, 6)."""
    b = Builder(seed)
    pixels = b.core.input("pixels", (-1, 6, 8), "uint8", ([0.5], [3], -1))
    factor = b.core.input("factor", (-1, 6))
    scales = {"scale": [0.5], "zero_point": [3]}
    x = b.step("dequantize", [pixels], scales)
    rows = b.step("reshape", [factor], {"shape": [-1, 6, 1]})
    x = b.step("binary", [x, rows], {"function": "mul"})
    least = b.core.constant(np.full((6, 1), 0.25, np.float32))
    large = b.step("compare", [x, least], {"function": "greater"})
    y = b.step(
        "quantize", [x], {"to": "int8", "axis": [1], "scale": [0.5] * 6, "zero_point": [1] * 6}
    )
    zeros = b.core.constant(np.zeros(8, np.int8), ([0.5], [1], -1))
    y = b.step("where", [large, y, zeros], {})
    places = b.step("top_k", [y], {"function": "max", "axis": [2], "k": [3]})
    best = b.step("gather_elements", [y, places], {"axis": [2]})
    doubled = b.step("integers", [places, places], {"function": "add"})
    half = b.step("cast", [best], {"to": "float16"})
    return b.finish(
        places=doubled, best=half, large=b.step("transpose", [large], {"perm": [0, 2, 1]})
    )


def quantized(seed=6):
    """Make stored and real results of bytes (N, 7, 6, 8) by steps on integers."""
    b = Builder(seed)

    def bytes_of(*shape, channels):
        return {
            "weight": b.rng.integers(-127, 128, shape).astype(np.int8),
            "bias": b.rng.integers(-999, 999, channels).astype(np.int32),
            "weight_scale": b.rng.uniform(0.005, 0.01, channels).astype(np.float32),
        }

    x = b.core.input("x", (-1, 7, 6, 8), "int8", ([0.05], [3], -1))
    one = {"to": "int8", "scale": [0.06], "zero_point": [-5]}
    each = {"to": "uint8", "scale": [0.03 + c / 999 for c in range(24)], "zero_point": [*range(24)]}
    y = b.step("pointwise", [x], {**each, "axis": [3], **RELU6}, **bytes_of(8, 24, channels=24))
    y = b.step("depthwise", [y], {**WINDOW, **one}, **bytes_of(3, 3, 24, 1, channels=24))
    y = b.step(
        "pointwise", [y, x], {**one, "activation": "hard_swish"}, **bytes_of(24, 8, channels=8)
    )
    table = b.rng.permutation(256).astype(np.uint8).view(np.int8)
    grouped = {**WINDOW, **one, "kernel": [3, 3], "groups": [2]}
    grouped |= {"tabled_scale": [0.09], "tabled_zero_point": [2]}
    z = b.step("standard", [y], grouped, table=table, **bytes_of(3, 3, 4, 8, channels=8))
    y = b.step("binary", [y, z], {"function": "add", **one})
    y = b.step("table", [y], {"values": table.tolist(), **one})
    two = {"kernel": [2, 2], "stride": [2, 2], "dilation": [1, 1], "padding": [0, 1, 0, 0]}
    small = b.step("pool", [y], {"function": "average", **two, **one})
    large = {"function": "linear", "coordinates": "half_pixel", "size": [9, 7]}
    large = b.step("resize", [small], {**large, "scale": [2.25, 2.3333333]})
    means = b.step("reduce", [y], {"function": "mean", "axes": [1, 2], "keepdims": [0], **one})
    shares = b.step(
        "softmax", [means], {"axis": [1], "to": "uint8", "scale": [1 / 256], "zero_point": [0]}
    )
    real = b.step("dequantize", [means], {"scale": [0.06], "zero_point": [-5]})
    weights = bytes_of(8, 5, channels=5) | {"bias": b.weight(5)}
    return b.finish(large=large, shares=shares, real=b.step("pointwise", [real], {}, **weights))


def feeds(model, batch=2):
    """Return random arrays for a model's inputs, by their names."""
    rng = np.random.default_rng(7)
    return {
        info.name: rng.standard_normal([batch if n is None else n for n in info.shape], np.float32)
        for info in model.inputs
    }


def same(left, right):
    """Return whether two lists hold the same arrays."""
    return len(left) == len(right) and all(
        np.array_equal(a, b) for a, b in zip(left, right, strict=True)
    )
