"""Pooling and reductions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import InvalidModelError
from ..importing.builder import Builder
from ..importing.values import Unsupported, Value
from .call import Call
from .convolution import (
    Padding,
    Pair,
    auto_pad,
    image,
    image_size,
    like_input,
    pair,
    spatial_axes,
    window_padding,
)
from .registry import operator


@operator("MaxPool", "AveragePool")
def pool(call: Call) -> Value:
    """Import a pool; windows that ceil_mode adds reach into padding that is never counted."""
    if any(call.outputs[1:]):
        raise Unsupported("its output of indices is used")
    if call.flag("storage_order", False):
        raise Unsupported("storage_order 1 is not supported")
    average = call.type == "AveragePool"
    size = image_size(call)
    kernel = pair(call, "kernel_shape", 0)
    stride, dilation = pair(call, "strides", 1), pair(call, "dilations", 1)
    padding = window_padding(call, kernel, stride, dilation)
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    if any(p >= extents[i // 2] for i, p in enumerate(padding)):
        raise InvalidModelError(f"pads: {padding} is not less than the kernel {kernel}")
    more = (0, 0)
    if call.flag("ceil_mode", False) and auto_pad(call) == "NOTSET":
        more = _to_last_window(size, extents, stride, padding)
    x = image(call)
    include = average and call.flag("count_include_pad", False)
    top, bottom, left, right = padding
    if include and any(more):
        # what ceil_mode adds is not counted, the rest is: make the rest part of the image
        x = call.builder.emit(
            "pad",
            [x],
            mode="constant",
            before=(0, 0, top, left),
            after=(0, 0, bottom, right),
            value=0.0,
        )
        top, bottom, left, right, include = 0, 0, 0, 0, False
    counted: dict[str, Any] = {"include_padding": include} if average else {}
    y = call.builder.emit(
        "pool",
        [x],
        function="average" if average else "max",
        kernel=kernel,
        stride=stride,
        dilation=dilation,
        padding=(top, bottom + more[0], left, right + more[1]),
        **counted,
    )
    return like_input(call, y)


def _to_last_window(size: Pair, extents: list[int], stride: Pair, padding: Padding) -> Pair:
    """Return how many rows and columns the last window reaches beyond the padding."""
    more = []
    for axis in (0, 1):
        before, after = padding[2 * axis : 2 * axis + 2]
        room = size[axis] + before + after - extents[axis]
        last = -(-room // stride[axis])
        if last * stride[axis] >= size[axis] + before:  # it would begin in the padding
            last -= 1
        more.append(max(last * stride[axis] - room, 0))
    return more[0], more[1]


@operator("LpPool")
def lp_pool(call: Call) -> Value:
    """Import the norm of each window; what lies in the padding is 0."""
    build = call.builder
    kernel = pair(call, "kernel_shape", 0)
    stride, dilation = pair(call, "strides", 1), pair(call, "dilations", 1)
    padding = window_padding(call, kernel, stride, dilation)
    if call.flag("ceil_mode", False):
        raise Unsupported("ceil_mode is not supported")
    y = build.emit(
        "pool",
        [_to_power(call, image(call))],
        function="average",
        kernel=kernel,
        stride=stride,
        dilation=dilation,
        padding=padding,
        include_padding=True,
    )
    return like_input(call, _root(call, build.binary("mul", y, float(math.prod(kernel)))))


def _to_power(call: Call, x: Value) -> Value:
    build, p = call.builder, call.attribute("p", 2)
    if p < 1:
        raise InvalidModelError(f"p: need at least 1, got {p}")
    if p == 2:
        return build.binary("mul", x, x)
    x = build.unary("abs", x)
    return x if p == 1 else build.binary("pow", x, float(p))


def _root(call: Call, y: Value) -> Value:
    p = call.attribute("p", 2)
    if p == 2:
        return call.builder.unary("sqrt", y)
    return y if p == 1 else call.builder.binary("pow", y, 1 / p)


@operator("GlobalLpPool")
def global_lp_pool(call: Call) -> Value:
    """Import the norm over rows and columns."""
    axes = range(2, 2 + spatial_axes(call))
    return _root(call, call.builder.reduce("sum", _to_power(call, call.value(0)), axes))


@operator("GlobalAveragePool", "GlobalMaxPool")
def global_pool(call: Call) -> Value:
    """Import a reduction over rows and columns."""
    rank = len(call.shape())
    if rank < 3:
        raise InvalidModelError(f"need an image, its input has {rank} axes")
    function = "mean" if call.type == "GlobalAveragePool" else "max"
    return call.builder.reduce(function, call.value(0), range(2, rank))


_AXES_ARE_INPUT_SINCE = {"ReduceSum": 13}  # the others: 18


@operator(
    "ReduceMean",
    "ReduceSum",
    "ReduceMax",
    "ReduceMin",
    "ReduceL1",
    "ReduceL2",
    "ReduceSumSquare",
    "ReduceProd",
    "ReduceLogSum",
    "ReduceLogSumExp",
)
def reduce(call: Call) -> Value:
    """Import a reduction; norms and logarithms are composed."""
    build, x = call.builder, call.value(0)
    rank = len(call.shape())
    given = call.ints_of("axes", 1, _AXES_ARE_INPUT_SINCE.get(call.type, 18))
    axes = call.axes("axes", given, rank)
    if not axes:
        if call.flag("noop_with_empty_axes", False):  # reductions of one element each
            return _of_one(build, call.type, x)
        axes = list(range(rank))
    keepdims = call.flag("keepdims", True)
    if call.type == "ReduceLogSumExp":
        return _log_sum_exp(build, x, axes, keepdims)
    if call.type == "ReduceL1":
        x = build.unary("abs", x)
    elif call.type in ("ReduceL2", "ReduceSumSquare"):
        x = build.binary("mul", x, x)
    result = build.reduce(_FUNCTIONS.get(call.type, "sum"), x, axes, keepdims)
    last = {"ReduceL2": "sqrt", "ReduceLogSum": "log"}.get(call.type)
    return build.unary(last, result) if last else result


_FUNCTIONS = {
    "ReduceMean": "mean",
    "ReduceMax": "max",
    "ReduceMin": "min",
    "ReduceProd": "prod",
}


def _of_one(build: Builder, type_: str, x: Value) -> Value:
    if type_ in ("ReduceL1", "ReduceL2"):
        return build.unary("abs", x)
    if type_ == "ReduceLogSum":
        return build.unary("log", x)
    return build.binary("mul", x, x) if type_ == "ReduceSumSquare" else x


def _log_sum_exp(build: Builder, x: Value, axes: list[int], keepdims: bool) -> Value:
    """Add log(sum(exp(x - m))) + m, where m is the largest x, or the largest float."""
    bound = float(np.finfo(np.float32).max)

    def largest(keeps: bool) -> Value:
        most = build.binary("max", build.reduce("max", x, axes, keeps), -bound)
        return build.binary("min", most, bound)

    scaled = build.unary("exp", build.binary("sub", x, largest(True)))
    logarithm = build.unary("log", build.reduce("sum", scaled, axes, keepdims))
    return build.binary("add", logarithm, largest(keepdims))
