"""ShuffleNetV2: half of the channels pass each block untouched, then all are shuffled.

Ma et al.: "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design", 2018,
arXiv:1807.11164.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ._builder import Network, Value
from ._width import width_multiplier

if TYPE_CHECKING:
    import onnx

# Table 5: the channels of the three stages and of the last convolution, for each width.
CHANNELS = {
    0.5: (48, 96, 192, 1024),
    1.0: (116, 232, 464, 1024),
    1.5: (176, 352, 704, 1024),
    2.0: (244, 488, 976, 2048),
}
REPEATS = (4, 8, 4)


def shufflenet_v2(
    *, alpha: float = 1.0, resolution: int = 224, classes: int = 1000, seed: int = 0
) -> onnx.ModelProto:
    """Build ShuffleNetV2.

    Parameters
    ----------
    alpha : float
        Width: 0.5, 1, 1.5 or 2, those of the paper's table.
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
    Ma et al.: "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design", 2018,
    arXiv:1807.11164.
    """
    if width_multiplier(alpha) not in CHANNELS:
        raise ValueError(f"alpha: need one of {[*CHANNELS]}, got {alpha!r}")
    *stages, last = CHANNELS[alpha]
    net = Network("shufflenet_v2", resolution=resolution, classes=classes, seed=seed)
    x = net.max_pool(net.conv(net.input, 24, 3, 2, activation="relu"), 3, 2)
    for channels, repeats in zip(stages, REPEATS, strict=True):
        x = _shrink(net, x, channels)
        for _ in range(repeats - 1):
            left, right = _halves(net, x)
            x = _shuffle(net, left, _branch(net, right, channels // 2, 1))
    return net.model(net.classifier(net.conv(x, last, activation="relu")))


def _branch(net: Network, x: Value, channels: int, stride: int) -> Value:
    y = net.conv(x, channels, activation="relu")
    y = net.depthwise(y, 3, stride)
    return net.conv(y, channels, activation="relu")


def _shrink(net: Network, x: Value, channels: int) -> Value:
    left = net.conv(net.depthwise(x, 3, 2), channels // 2, activation="relu")
    return _shuffle(net, left, _branch(net, x, channels // 2, 2))


def _halves(net: Network, x: Value) -> tuple[Value, Value]:
    half = x.channels // 2
    sizes = net.constant("sizes", np.array([half, half]))
    left, right = net.node("Split", x.name, sizes, outputs=2, axis=1)
    return replace(x, name=left, channels=half), replace(x, name=right, channels=half)


def _shuffle(net: Network, left: Value, right: Value) -> Value:
    """Append a concatenation and a shuffle, after which the channels of both sides alternate."""
    channels, size = 2 * left.channels, left.size
    [y] = net.node("Concat", left.name, right.name, axis=1)
    # A 0 keeps the size that the axis has: the batch.
    groups = net.constant("shape", np.array([0, 2, left.channels, size, size]))
    [y] = net.node("Reshape", y, groups)
    [y] = net.node("Transpose", y, perm=[0, 2, 1, 3, 4])
    [y] = net.node("Reshape", y, net.constant("shape", np.array([0, channels, size, size])))
    return Value(y, channels, size, (left.power + right.power) / 2)
