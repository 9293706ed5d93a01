"""Evaluates nodes with NumPy: folds constants, and says what the kinds of nodes mean.

Convolutions are not here. The arithmetic is that of the arrays given: float64 arrays give float64
results, so that the same code serves as the reference that float32 results are compared to.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .activations import activate
from .images import pool, resize, zero_insert
from .ir import Node
from .sizes import known_product
from .types import Shape

AnyArray = NDArray[Any]


def evaluate(node: Node, inputs: Sequence[AnyArray], *, channels_last: bool = False) -> AnyArray:
    """Return the value of a node.

    Parameters
    ----------
    node : Node
        Its kind is one of `EVALUATED`.
    inputs : sequence of ndarray
        float32 or float64, of shapes for which `shapes.infer` has found that of the node.
    channels_last : bool
        Whether images are NHWC or NCHW.

    Raises
    ------
    KeyError
        If nodes of this kind are not evaluated here.
    """
    with np.errstate(all="ignore"):
        return np.asarray(EVALUATED[node.kind](node, list(inputs), channels_last))


def cost(node: Node, input_shapes: Sequence[Shape]) -> int:
    """Return about how many multiplications or moves `evaluate` needs."""
    sizes = [known_product(s) for s in input_shapes]
    if node.kind == "matmul":
        return sizes[0] * (input_shapes[1][-1] or 1) + sizes[1] * (input_shapes[0][-2] or 1)
    if node.kind == "dense":
        return sizes[0] * int(node.weights["weight"].shape[-1])
    if node.kind == "pool":
        return sizes[0] * int(math.prod(node.attributes["kernel"]))
    slow = node.attributes.get("function") == "erf" or node.attributes.get("activation") == "gelu"
    return (1024 if slow else 8) * sum(sizes)


def erf(x: AnyArray) -> AnyArray:
    """Return the error function of every element, by the C library and so in double precision."""
    return np.array([math.erf(v) for v in x.ravel().tolist()], x.dtype).reshape(x.shape)


_UNARY: dict[str, Callable[[AnyArray], AnyArray]] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "neg": np.negative,
    "abs": np.abs,
    "erf": erf,
    "reciprocal": lambda x: 1 / x,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.round,  # halves to even
    "softplus": lambda x: np.logaddexp(x, x.dtype.type(0)),
    "sin": np.sin,
    "cos": np.cos,
    "sign": np.sign,
}

_BINARY: dict[str, Callable[[AnyArray, AnyArray], AnyArray]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "min": np.minimum,
    "max": np.maximum,
    "pow": np.power,
    "prelu": lambda a, b: np.where(a >= 0, a, a * b),
}

_REDUCE: dict[str, Any] = {"mean": np.mean, "sum": np.sum, "max": np.max, "min": np.min}


def _channels(x: AnyArray, weights: AnyArray, channels_last: bool) -> AnyArray:
    return weights if channels_last else weights.reshape(-1, *[1] * (x.ndim - 2))


def _batch_norm(node: Node, inputs: list[AnyArray], channels_last: bool) -> AnyArray:
    x = inputs[0]
    scale, shift = (_channels(x, node.weights[n], channels_last) for n in ("scale", "shift"))
    return x * scale + shift


def _dense(node: Node, inputs: list[AnyArray], channels_last: bool) -> AnyArray:
    y = inputs[0] @ node.weights["weight"] + node.weights["bias"]
    y = y + inputs[1] if len(inputs) > 1 else y
    return activate(y, node.attributes.get("activation"))


def _binary(node: Node, inputs: list[AnyArray], channels_last: bool) -> AnyArray:
    y = _BINARY[node.attributes["function"]](*inputs)
    return activate(y, node.attributes.get("activation"))


def _reduce(node: Node, inputs: list[AnyArray], channels_last: bool) -> AnyArray:
    attributes = node.attributes
    function = _REDUCE[attributes["function"]]
    axes, keepdims = tuple(attributes["axes"]), attributes["keepdims"]
    return np.asarray(function(inputs[0], axis=axes, keepdims=keepdims))


def _softmax(node: Node, inputs: list[AnyArray], channels_last: bool) -> AnyArray:
    x, axis = inputs[0], node.attributes["axis"]
    x = x - x.max(axis, keepdims=True)
    e = np.exp(x)
    total = e.sum(axis, keepdims=True)
    return np.asarray(x - np.log(total) if node.attributes.get("log") else e / total)


def _layer_norm(node: Node, inputs: list[AnyArray], channels_last: bool) -> AnyArray:
    x = inputs[0] - inputs[0].mean(-1, keepdims=True)
    deviation = np.sqrt((x * x).mean(-1, keepdims=True) + x.dtype.type(node.attributes["epsilon"]))
    return np.asarray(x / deviation * node.weights["scale"] + node.weights["shift"])


def _slice(node: Node, inputs: list[AnyArray], channels_last: bool) -> AnyArray:
    names = ("starts", "stops", "steps")
    parts = zip(*(node.attributes[name] for name in names), strict=True)
    return inputs[0][tuple(slice(*part) for part in parts)]


def _pad(node: Node, inputs: list[AnyArray], channels_last: bool) -> AnyArray:
    attributes = node.attributes
    width = list(zip(attributes["before"], attributes["after"], strict=True))
    if attributes["mode"] != "constant":
        return np.pad(inputs[0], width, mode=attributes["mode"])
    return np.pad(inputs[0], width, constant_values=attributes["value"])


def _reshape(node: Node, inputs: list[AnyArray], channels_last: bool) -> AnyArray:
    shape = [inputs[0].shape[i] if n == 0 else n for i, n in enumerate(node.attributes["shape"])]
    return inputs[0].reshape(shape)


def _expand(node: Node, inputs: list[AnyArray], channels_last: bool) -> AnyArray:
    x, target = inputs[0], node.attributes["shape"]
    rank = max(x.ndim, len(target))
    aligned = (1,) * (rank - x.ndim) + x.shape
    target = (1,) * (rank - len(target)) + tuple(target)
    shape = [max(have, n) if n in (0, 1) else n for have, n in zip(aligned, target, strict=True)]
    return np.broadcast_to(x, shape)


EVALUATED: dict[str, Callable[[Node, list[AnyArray], bool], AnyArray]] = {
    "activation": lambda node, v, _: activate(v[0], node.attributes["activation"]),
    "unary": lambda node, v, _: _UNARY[node.attributes["function"]](v[0]),
    "binary": _binary,
    "batch_norm": _batch_norm,
    "dense": _dense,
    "pool": pool,
    "reduce": _reduce,
    "softmax": _softmax,
    "layer_norm": _layer_norm,
    "concat": lambda node, v, _: np.concatenate(v, node.attributes["axis"]),
    "slice": _slice,
    "pad": _pad,
    "transpose": lambda node, v, _: v[0].transpose(node.attributes["perm"]),
    "reshape": _reshape,
    "resize": resize,
    "matmul": lambda node, v, _: np.matmul(*v),
    "zero_insert": zero_insert,
    "gather": lambda node, v, _: v[0].take(node.attributes["indices"], node.attributes["axis"]),
    "expand": _expand,
    "identity": lambda node, v, _: v[0],
}
