"""Every operator composed of the naive Cython loops: float32 in, float32 out, no dwsep kernel.

On small integers every sum is exact, so what comes out here is *the* result, bit for bit. Only the
activations that are exact in float32 are here.
"""

from __future__ import annotations

import numpy as np
from oracle import pair, resolve_padding

from dwsep.reference import naive


def activate(x, spec):
    name, *parameters = spec if isinstance(spec, tuple) else (spec,)
    if name is None:
        return x
    if name == "leaky_relu":
        return np.where(x < 0, np.float32(parameters[0]) * x, x)
    low, high = {"relu": (0, np.inf), "relu6": (0, 6)}.get(name) or parameters
    return np.clip(x, np.float32(low), np.float32(high))


def _window(x, w, stride, padding, dilation):
    return {
        "stride": pair(stride),
        "dilation": pair(dilation),
        "padding": resolve_padding(padding, x.shape[1:3], w.shape[:2], stride, dilation),
    }


def depthwise_conv2d(
    x, weight, bias=None, *, stride=1, padding="same", dilation=1, activation=None
):
    if x.ndim == 3:
        return depthwise_conv2d(
            x[None],
            weight,
            bias,
            stride=stride,
            padding=padding,
            dilation=dilation,
            activation=activation,
        )[0]
    weight = weight if weight.ndim == 4 else weight[..., None]
    y = naive.depthwise_conv2d(x, weight, bias, **_window(x, weight, stride, padding, dilation))
    return activate(y, activation)


def conv2d(
    x,
    weight,
    bias=None,
    *,
    stride=1,
    padding="same",
    dilation=1,
    groups=1,
    activation=None,
    residual=None,
):
    batch = x if x.ndim == 4 else x[None]
    window = _window(batch, weight, stride, padding, dilation)
    y = np.concatenate(
        [
            naive.standard_conv2d(part, filters, part_bias, **window)
            for part, filters, part_bias in zip(
                np.split(batch, groups, axis=3),
                np.split(weight, groups, axis=3),
                [None] * groups if bias is None else np.split(bias, groups),
                strict=True,
            )
        ],
        axis=3,
    )
    y = y if x.ndim == 4 else y[0]
    return activate(y if residual is None else y + residual, activation)


def pointwise_conv2d(x, weight, bias=None, *, activation=None, residual=None):
    weight = weight.reshape(1, 1, *weight.shape[-2:])
    return conv2d(x, weight, bias, activation=activation, residual=residual)


def separable_conv2d(
    x,
    depthwise_weight,
    weight,
    depthwise_bias=None,
    bias=None,
    *,
    stride=1,
    padding="same",
    dilation=1,
    depthwise_activation=None,
    activation=None,
    residual=None,
):
    y = depthwise_conv2d(
        x,
        depthwise_weight,
        depthwise_bias,
        stride=stride,
        padding=padding,
        dilation=dilation,
        activation=depthwise_activation,
    )
    return pointwise_conv2d(y, weight, bias, activation=activation, residual=residual)


def inverted_residual(
    x,
    expand_weight,
    depthwise_weight,
    weight,
    expand_bias=None,
    depthwise_bias=None,
    bias=None,
    *,
    stride=1,
    padding="same",
    dilation=1,
    expand_activation=None,
    depthwise_activation=None,
    activation=None,
    residual=None,
):
    y = pointwise_conv2d(x, expand_weight, expand_bias, activation=expand_activation)
    return separable_conv2d(
        y,
        depthwise_weight,
        weight,
        depthwise_bias,
        bias,
        stride=stride,
        padding=padding,
        dilation=dilation,
        depthwise_activation=depthwise_activation,
        activation=activation,
        residual=residual,
    )
