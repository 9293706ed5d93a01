"""ConvNeXt: 7x7 depthwise convolutions in the place of a transformer's attention.

Liu et al.: "A ConvNet for the 2020s", 2022, arXiv:2201.03545.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ._builder import Network, Value

if TYPE_CHECKING:
    import onnx

# Section 3, ConvNeXt-T: channels, blocks.
STAGES = ((96, 3), (192, 3), (384, 9), (768, 3))
EPSILON = 1e-6


def convnext_tiny(*, resolution: int = 224, classes: int = 1000, seed: int = 0) -> onnx.ModelProto:
    """Build ConvNeXt-T.

    Parameters
    ----------
    resolution : int
        Height and width of the input, at least 32.
    classes : int
        Number of outputs.
    seed : int
        Of the random weights.

    Returns
    -------
    onnx.ModelProto
        From "input" (N, 3, resolution, resolution) to "logits" (N, classes), float32.

    Raises
    ------
    ImportError
        If the package onnx is missing.
    TypeError, ValueError
        If an argument is not as described.

    References
    ----------
    Liu et al.: "A ConvNet for the 2020s", 2022, arXiv:2201.03545.
    """
    net = Network("convnext_tiny", resolution=resolution, classes=classes, seed=seed)
    x = net.input
    for i, (channels, blocks) in enumerate(STAGES):
        if i == 0:
            x = _patches(net, x, channels, 4)
            x = _image_norm(net, x)
        else:
            x = _patches(net, _image_norm(net, x), channels, 2)
        for _ in range(blocks):
            x = _block(net, x)
    x = net.flatten(_image_norm(net, net.average(x)))
    return net.model(net.dense(x, net.classes))


def _patches(net: Network, x: Value, channels: int, size: int) -> Value:
    return net.conv(x, channels, size, size, norm=False, bias=0, pad=False)


def _block(net: Network, x: Value) -> Value:
    y = net.depthwise(x, 7, norm=False, bias=0)
    y = _norm(net, _transposed(net, y, [0, 2, 3, 1]))
    y = net.activate(_linear(net, y, 4 * x.channels), "gelu")
    y = _transposed(net, _linear(net, y, x.channels), [0, 3, 1, 2])
    # LayerScale: training starts from 1e-6; trained networks have factors of the order of 0.1 to 1.
    scale = net.weight("gate", (x.channels, 1, 1), 0.5)
    [name] = net.node("Mul", y.name, scale)
    return net.add(x, replace(y, name=name, power=0.25 * y.power))


def _transposed(net: Network, x: Value, perm: list[int]) -> Value:
    [name] = net.node("Transpose", x.name, perm=perm)
    return replace(x, name=name)


def _norm(net: Network, x: Value) -> Value:
    """Append a layer norm over the last axis."""
    scale = net.uniform("scale", x.channels, 0.8, 1.2)
    shift = net.weight("shift", (x.channels,), 0.1)
    [name] = net.node("LayerNormalization", x.name, scale, shift, axis=-1, epsilon=EPSILON)
    return replace(x, name=name, power=1.0)


def _image_norm(net: Network, x: Value) -> Value:
    """Append a layer norm over the channels of an image."""
    y = _norm(net, _transposed(net, x, [0, 2, 3, 1]))
    return _transposed(net, y, [0, 3, 1, 2])


def _linear(net: Network, x: Value, channels: int) -> Value:
    """Append a dense layer over the last axis of an image, which exporters write as two nodes."""
    scale = 1 / math.sqrt(x.channels * x.power)
    weight = net.weight("weight", (x.channels, channels), scale)
    [y] = net.node("MatMul", x.name, weight)
    [name] = net.node("Add", net.weight("bias", (channels,), 0.1), y)
    return Value(name, channels, x.size)
