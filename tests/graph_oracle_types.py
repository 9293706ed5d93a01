"""Kinds of nodes of several data types, from their definitions, on values in float64."""

from __future__ import annotations

import numpy as np

COMPARISONS = {
    "equal": np.equal,
    "not_equal": np.not_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
}
INTEGERS = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": lambda a, b: np.trunc(a / b),
    "mod": np.mod,
    "min": np.minimum,
    "max": np.maximum,
    "and": lambda a, b: a.astype(np.int64) & b.astype(np.int64),
    "or": lambda a, b: a.astype(np.int64) | b.astype(np.int64),
    "xor": lambda a, b: a.astype(np.int64) ^ b.astype(np.int64),
}
RANGES = {"int8": (-128, 127), "uint8": (0, 255), "int32": (-(2**16), 2**16)}


def cast(x, to):
    if to == "bool":
        return x != 0
    return x.astype(to) if to.startswith("float") else np.trunc(x)


def scales(x, attributes):
    shape = [1] * x.ndim
    if attributes.get("axis") is not None:
        shape[attributes["axis"]] = -1
    scale = np.float32(attributes["scale"]).reshape(shape)
    return scale, np.array(attributes["zero_point"]).reshape(shape)


def quantize(x, a):
    scale, zero = scales(x, a)
    low, high = RANGES[a["to"]]
    low = low if a.get("least") is None else a["least"]
    high = high if a.get("most") is None else a["most"]
    return np.clip(np.rint(np.float32(x) / scale) + zero, low, high)


def dequantize(x, a):
    scale, zero = scales(x, a)
    return np.float32(x - zero) * scale


def arg(x, a):
    axis = a["axis"]
    find = np.argmax if a["function"] == "max" else np.argmin
    if a.get("last"):
        return x.shape[axis] - 1 - find(np.flip(x, axis), axis, keepdims=True)
    return find(x, axis, keepdims=True)


def top_k(x, a):
    order = np.argsort(-x if a["function"] == "max" else x, a["axis"], kind="stable")
    return np.take(order, range(a["k"]), a["axis"])


def accumulate(x, a):
    function = {"sum": np.sum, "prod": np.prod, "max": np.max, "min": np.min}[a["function"]]
    return function(x, axis=a["axis"], keepdims=True)


def cumulative_sum(x, a):
    axis = a["axis"]
    x = np.flip(x, axis) if a.get("reverse") else x
    y = np.cumsum(x, axis)
    y = y - x if a.get("exclusive") else y
    return np.flip(y, axis) if a.get("reverse") else y


def nearest(indices, x, axis):
    """Return indices of which those out of range are the nearest."""
    return np.clip(indices.astype(np.int64), -x.shape[axis], x.shape[axis] - 1)


def scatter(x, indices, updates, a):
    """Put the updates at their places one after the other."""
    axis, y, indices = a["axis"], x.copy(), nearest(indices, x, a["axis"])
    step = {
        "last": lambda _, new: new,
        "sum": np.add,
        "prod": np.multiply,
        "max": np.maximum,
        "min": np.minimum,
    }[a["function"]]
    for place in np.ndindex(indices.shape):
        to = (*place[:axis], indices[place], *place[axis + 1 :])
        y[to] = step(y[to], updates[place])
    return y


TYPED = {
    "cast": lambda v, n: cast(v[0], n.attributes["to"]),
    "quantize": lambda v, n: quantize(v[0], n.attributes),
    "dequantize": lambda v, n: dequantize(v[0], n.attributes),
    "compare": lambda v, n: COMPARISONS[n.attributes["function"]](*v),
    "integers": lambda v, n: INTEGERS[n.attributes["function"]](*v),
    "where": lambda v, n: np.where(v[0] != 0, v[1], v[2]),
    "accumulate": lambda v, n: accumulate(v[0], n.attributes),
    "arg": lambda v, n: arg(v[0], n.attributes),
    "top_k": lambda v, n: top_k(v[0], n.attributes),
    "gather_elements": lambda v, n: np.take_along_axis(
        v[0], nearest(v[1], v[0], n.attributes["axis"]), n.attributes["axis"]
    ),
    "take": lambda v, n: np.take(
        v[0], nearest(v[1], v[0], n.attributes["axis"]), n.attributes["axis"]
    ),
    "scatter": lambda v, n: scatter(*v, n.attributes),
    "cumulative_sum": lambda v, n: cumulative_sum(v[0], n.attributes),
}
