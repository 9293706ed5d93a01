"""Every kind of node in float64, straight from its definition, and whole graphs of them.

Written for the tests of passes: it shares no code with dwsep, and it checks on the way that the
shapes that a graph declares are those of its values, that nodes stand in order, and that no name
is used twice.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import oracle

PHYSICAL = ("depthwise", "pointwise", "standard", "separable", "inverted_residual")


# --- activations --------------------------------------------------------------------------------


def erf(x):
    return np.vectorize(math.erf, otypes=[np.float64])(x)


def activate(x, spec):
    return oracle.activation(spec).value(x)


UNARY = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "neg": lambda x: -x,
    "abs": np.abs,
    "erf": erf,
    "reciprocal": lambda x: 1 / x,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.rint,
    "softplus": lambda x: np.log1p(np.exp(x)),
    "sin": np.sin,
    "cos": np.cos,
    "sign": np.sign,
}
BINARY = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "min": np.minimum,
    "max": np.maximum,
    "pow": lambda a, b: a**b,
    "prelu": lambda a, b: np.where(a >= 0, a, a * b),
}


# --- convolutions, on NHWC ------------------------------------------------------------------------


def pad_image(x, padding, value=0.0):
    top, bottom, left, right = padding
    n, h, w, c = x.shape
    y = np.full((n, h + top + bottom, w + left + right, c), value)
    y[:, top : top + h, left : left + w] = x
    return y


def windows(x, kernel, attributes, value=0.0):
    """Return the pixels that each tap sees: (KH, KW, N, H', W', C)."""
    (sh, sw), (dh, dw) = attributes["stride"], attributes["dilation"]
    x = pad_image(x, attributes["padding"], value)
    rows = (x.shape[1] - (kernel[0] - 1) * dh - 1) // sh + 1
    columns = (x.shape[2] - (kernel[1] - 1) * dw - 1) // sw + 1
    taps = np.empty((*kernel, x.shape[0], rows, columns, x.shape[3]))
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            seen = x[:, i * dh :: sh, j * dw :: sw]
            taps[i, j] = seen[:, :rows, :columns]
    return taps


def conv(x, weight, attributes):
    groups = attributes.get("groups", 1)
    kh, kw, taken, made = weight.shape
    taps = windows(x, (kh, kw), attributes)
    parts = []
    for g in range(groups):
        filters = weight[..., g * made // groups : (g + 1) * made // groups]
        seen = taps[..., g * taken : (g + 1) * taken]
        parts.append(np.einsum("abnhwc,abco->nhwo", seen, filters))
    return np.concatenate(parts, -1)


def depthwise(x, weight, attributes):
    taps = windows(x, weight.shape[:2], attributes)
    y = np.einsum("abnhwc,abcm->nhwcm", taps, weight)
    return y.reshape(*y.shape[:3], -1)


def conv_transpose(x, weight, attributes):
    """Scatter every pixel, then cut the padding off."""
    (sh, sw), (dh, dw) = attributes["stride"], attributes["dilation"]
    groups = attributes.get("groups", 1)
    kh, kw, taken, made = weight.shape
    n, h, w, _ = x.shape
    extra = attributes["output_padding"]
    full = np.zeros(
        (
            n,
            (h - 1) * sh + (kh - 1) * dh + 1 + extra[0],
            (w - 1) * sw + (kw - 1) * dw + 1 + extra[1],
            made * groups,
        )
    )
    per = taken // groups
    for i in range(h):
        for j in range(w):
            for a in range(kh):
                for b in range(kw):
                    for g in range(groups):
                        part = x[:, i, j, g * per : (g + 1) * per]
                        part = part @ weight[a, b, g * per : (g + 1) * per]
                        at = i * sh + a * dh, j * sw + b * dw
                        full[:, at[0], at[1], g * made : (g + 1) * made] += part
    top, bottom, left, right = attributes["padding"]
    return full[:, top : full.shape[1] - bottom, left : full.shape[2] - right]


def pool(x, attributes):
    maximum = attributes["function"] == "max"
    taps = windows(x, attributes["kernel"], attributes, -np.inf if maximum else 0.0)
    if maximum:
        return taps.max((0, 1))
    inside = np.ones_like(x)
    counted = float(attributes.get("include_padding", False))
    counts = windows(inside, attributes["kernel"], attributes, counted)
    return taps.sum((0, 1)) / counts.sum((0, 1))


def zero_insert(x, stride):
    n, h, w, c = x.shape
    y = np.zeros((n, (h - 1) * stride[0] + 1, (w - 1) * stride[1] + 1, c))
    y[:, :: stride[0], :: stride[1]] = x
    return y


def resize(x, attributes):
    """Resize rows, then columns, each by a matrix of weights (output, input)."""
    rows, columns = (
        resize_matrix(attributes, old, new, scale)
        for old, new, scale in zip(
            x.shape[1:3], attributes["size"], attributes["scale"], strict=True
        )
    )
    return np.einsum("ah,bw,nhwc->nabc", rows, columns, x)


def exact_coordinates(coordinates, old, new, scale):
    if new == 1 and coordinates in ("align_corners", "pytorch_half_pixel"):
        return [Fraction(0)]
    if coordinates == "align_corners":
        return [Fraction(i * (old - 1), new - 1) for i in range(new)]
    if np.float32(scale) != np.float32(new / old):
        return None
    if coordinates == "asymmetric":
        return [Fraction(i * old, new) for i in range(new)]
    return [Fraction((2 * i + 1) * old - new, 2 * new) for i in range(new)]


def resize_matrix(attributes, old, new, scale):
    """Coordinates are float32; ties between two pixels are told exactly where sizes give them."""
    one, half, at = np.float32(1), np.float32(0.5), np.arange(new, dtype=np.float32)
    pixel_centres = (at + half) / np.float32(scale) - half
    at = {
        "half_pixel": pixel_centres,
        "pytorch_half_pixel": pixel_centres if new > 1 else np.zeros(1, np.float32),
        "asymmetric": at / np.float32(scale),
        "align_corners": at * np.float32(old - 1) / np.float32(max(new - 1, 1)),
    }[attributes["coordinates"]]
    if attributes["function"] == "nearest":
        rounding = {
            "round_prefer_floor": lambda v: np.ceil(v - half),
            "round_prefer_ceil": lambda v: np.floor(v + half),
            "floor": np.floor,
            "ceil": np.ceil,
        }[attributes.get("rounding", "round_prefer_floor")]
        index = rounding(at)
        if attributes.get("rounding", "round_prefer_floor").startswith("round_prefer"):
            exact = exact_coordinates(attributes["coordinates"], old, new, scale)
            ceil = attributes.get("rounding") == "round_prefer_ceil"
            half = Fraction(1, 2)
            if exact is not None:
                index = np.array(
                    [math.floor(v + half) if ceil else math.ceil(v - half) for v in exact]
                )
        taps = [(index, np.ones(new))]
    else:
        first = np.floor(at)
        s = (at - first).astype(np.float64)
        if attributes["function"] == "linear":
            taps = [(first, 1 - s), (first + one, s)]
        else:  # Keys' kernel with a = -0.75
            near = lambda t: 1.25 * t**3 - 2.25 * t**2 + 1  # noqa: E731
            far = lambda t: -0.75 * (t**3 - 5 * t**2 + 8 * t - 4)  # noqa: E731
            weights = [far(s + 1), near(s), near(1 - s), far(2 - s)]
            taps = [(first + np.float32(k - 1), w) for k, w in enumerate(weights)]
    matrix = np.zeros((new, old))
    for index, weight in taps:
        np.add.at(matrix, (np.arange(new), np.clip(index, 0, old - 1).astype(int)), weight)
    return matrix


# --- nodes ----------------------------------------------------------------------------------------


def finish(y, node, inputs, weight="bias"):
    bias = node.weights.get(weight)
    y = y if bias is None else y + bias.astype(np.float64)
    y = y + inputs[1] if len(inputs) > 1 else y
    return activate(y, node.attributes.get("activation"))


def pointwise(x, node, stage=""):
    y = x @ node.weights[f"{stage}weight"].astype(np.float64)
    bias = node.weights.get(f"{stage}bias")
    return y if bias is None else y + bias.astype(np.float64)


def block(node, inputs):
    attributes = node.attributes
    x = inputs[0]
    if "expand_weight" in node.weights:
        x = activate(pointwise(x, node, "expand_"), attributes["expand_activation"])
    x = depthwise(x, node.weights["depthwise_weight"].astype(np.float64), attributes)
    x = x + node.weights.get("depthwise_bias", np.zeros(1)).astype(np.float64)
    x = activate(x, attributes["depthwise_activation"])
    if "reduce_weight" in node.weights:
        factors = x.mean((1, 2), keepdims=True)
        factors = activate(pointwise(factors, node, "reduce_"), attributes["reduce_activation"])
        factors = activate(pointwise(factors, node, "excite_"), attributes["excite_activation"])
        x = x * factors
    return finish(x @ node.weights["weight"].astype(np.float64), node, inputs)


def image_node(node, inputs):
    x, attributes = inputs[0], node.attributes
    weight = node.weights.get("weight", np.zeros(0)).astype(np.float64)
    if node.kind in ("conv", "standard"):
        return finish(conv(x, weight, attributes), node, inputs)
    if node.kind == "depthwise":
        return finish(depthwise(x, weight, attributes), node, inputs)
    if node.kind == "conv_transpose":
        return finish(conv_transpose(x, weight, attributes), node, inputs)
    if node.kind in ("separable", "inverted_residual"):
        return block(node, inputs)
    if node.kind == "pool":
        return pool(x, attributes)
    if node.kind == "resize":
        return resize(x, attributes)
    return zero_insert(x, attributes["stride"])


def normalised(x, node):
    centred = x - x.mean(-1, keepdims=True)
    variance = (centred**2).mean(-1, keepdims=True)
    y = centred / np.sqrt(variance + node.attributes["epsilon"])
    return y * node.weights["scale"] + node.weights["shift"]


def softmax(x, node):
    e = np.exp(x - x.max())
    y = e / e.sum(node.attributes["axis"], keepdims=True)
    return np.log(y) if node.attributes.get("log") else y


def slices(node):
    a = node.attributes
    return tuple(map(slice, a["starts"], a["stops"], a["steps"]))


def padded(x, node):
    a = node.attributes
    width = list(zip(a["before"], a["after"], strict=True))
    if a["mode"] == "constant":
        return np.pad(x, width, constant_values=a["value"])
    return np.pad(x, width, mode=a["mode"])


def reduced(x, node):
    function = {"mean": np.mean, "sum": np.sum, "max": np.max, "min": np.min}
    a = node.attributes
    return function[a["function"]](x, axis=tuple(a["axes"]), keepdims=a["keepdims"])


def kept(sizes, shape):
    return [shape[i] if n == 0 else n for i, n in enumerate(sizes)]


def expanded(x, node):
    sizes = [1 if n == 0 else n for n in node.attributes["shape"]]  # 1 keeps a size as well
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(sizes)))


def scaled(x, node, channels_last):
    shape = (-1,) if channels_last else (-1, *[1] * (x.ndim - 2))
    return x * node.weights["scale"].reshape(shape) + node.weights["shift"].reshape(shape)


SIMPLE = {
    "activation": lambda v, n: activate(v[0], n.attributes["activation"]),
    "unary": lambda v, n: UNARY[n.attributes["function"]](v[0]),
    "binary": lambda v, n: activate(
        BINARY[n.attributes["function"]](*v), n.attributes.get("activation")
    ),
    "dense": lambda v, n: finish(v[0] @ n.weights["weight"].astype(np.float64), n, v),
    "pointwise": lambda v, n: finish(v[0] @ n.weights["weight"].astype(np.float64), n, v),
    "reduce": lambda v, n: reduced(v[0], n),
    "softmax": lambda v, n: softmax(v[0], n),
    "layer_norm": lambda v, n: normalised(v[0], n),
    "concat": lambda v, n: np.concatenate(v, n.attributes["axis"]),
    "slice": lambda v, n: v[0][slices(n)],
    "pad": lambda v, n: padded(v[0], n),
    "transpose": lambda v, n: v[0].transpose(n.attributes["perm"]),
    "reshape": lambda v, n: v[0].reshape(kept(n.attributes["shape"], v[0].shape)),
    "matmul": lambda v, n: v[0] @ v[1],
    "gather": lambda v, n: np.take(v[0], n.attributes["indices"], n.attributes["axis"]),
    "expand": lambda v, n: expanded(v[0], n),
    "identity": lambda v, n: v[0],
}


def evaluate_node(node, inputs, channels_last):
    if node.kind == "batch_norm":
        return scaled(inputs[0], node, channels_last)
    if node.kind in SIMPLE:
        return SIMPLE[node.kind](inputs, node)
    if channels_last or node.kind in PHYSICAL:
        return image_node(node, inputs)
    y = image_node(node, [x.transpose(0, 2, 3, 1) for x in inputs])
    return y.transpose(0, 3, 1, 2)


# --- graphs ---------------------------------------------------------------------------------------


def fits(shape, declared):
    return len(shape) == len(declared) and all(
        n is None or n == m for m, n in zip(shape, declared, strict=True)
    )


def evaluate(graph, feeds):
    """Return the outputs by name; asserts that the graph is sound."""
    values = {name: np.asarray(array, np.float64) for name, array in graph.constants.items()}
    for name in graph.inputs:
        assert fits(feeds[name].shape, graph.shape(name)), (name, graph.shape(name))
        values[name] = np.asarray(feeds[name], np.float64)
    for node in graph.nodes:
        assert node.output not in values, f"{node.output} is computed twice"
        missing = [value for value in node.inputs if value not in values]
        assert not missing, f"{node.output} reads {missing} too early"
        y = evaluate_node(node, [values[value] for value in node.inputs], graph.channels_last)
        declared = graph.shape(node.output)
        assert fits(y.shape, declared), f"{node.kind} {node.output}: {y.shape} not {declared}"
        values[node.output] = y
    return {name: values[name] for name in graph.outputs}
