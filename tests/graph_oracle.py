"""Every kind of node in float64, straight from its definition, and whole graphs of them.

Written for the tests of passes: it shares no code with dwsep, and it checks on the way that the
shapes that a graph declares are those of its values, that nodes stand in order, and that no name
is used twice.
"""

from __future__ import annotations

import math

import numpy as np
import oracle
from graph_oracle_images import conv, conv_transpose, depthwise, pool, resize, zero_insert
from graph_oracle_recurrent import recurrent
from graph_oracle_types import TYPED

PHYSICAL = ("depthwise", "pointwise", "standard", "separable", "inverted_residual")


# --- activations --------------------------------------------------------------------------------


def erf(x):
    return np.vectorize(math.erf, otypes=[np.float64])(x)


def elu(x, alpha):
    return np.where(x >= 0, x, alpha * np.expm1(np.minimum(x, 0)))


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
    "selu": lambda x: 1.05070102214813232421875 * elu(x, 1.67326319217681884765625),
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "gelu_tanh": lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
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
    "elu": lambda a, b: elu(a, b),
}


# --- nodes ----------------------------------------------------------------------------------------


def finish(y, node, inputs, weight="bias"):
    bias = node.weights.get(weight)
    y = y if bias is None else y + bias.astype(np.float64)
    y = y + inputs[1] if len(inputs) > 1 else y
    y = activate(y, node.attributes.get("activation"))
    return BINARY["prelu"](y, node.weights.get("slope", np.ones(1)))


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
    if node.kind in ("conv_transpose", "transposed"):
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
    "recurrent": recurrent,
    **TYPED,
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
