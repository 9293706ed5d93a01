"""MobileNetV4: inverted bottlenecks with a depthwise convolution at either of two places.

Qin et al.: "MobileNetV4: Universal Models for the Mobile Ecosystem", 2024, arXiv:2404.10518.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._builder import Network, Value

if TYPE_CHECKING:
    import onnx

# The table of Conv-S in the appendix. Convolutions: channels, kernel, stride.
STEM = ((32, 3, 2), (32, 3, 2), (32, 1, 1), (96, 3, 2), (64, 1, 1))
# Universal inverted bottlenecks: kernel of the depthwise convolution before the expansion and of
# the one after it (0: there is none), expansion, channels, stride.
BLOCKS = (
    (5, 5, 3, 96, 2),
    *[(0, 3, 2, 96, 1)] * 4,
    (3, 0, 4, 96, 1),
    (3, 3, 6, 128, 2),
    (5, 5, 4, 128, 1),
    (0, 5, 4, 128, 1),
    (0, 5, 3, 128, 1),
    *[(0, 3, 4, 128, 1)] * 2,
)


def mobilenet_v4_conv_small(
    *, resolution: int = 224, classes: int = 1000, seed: int = 0
) -> onnx.ModelProto:
    """Build MobileNetV4-Conv-S.

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
    Qin et al.: "MobileNetV4: Universal Models for the Mobile Ecosystem", 2024, arXiv:2404.10518.
    """
    net = Network(
        "mobilenet_v4_conv_small", resolution=resolution, classes=classes, seed=seed, epsilon=1e-3
    )
    x = net.input
    for channels, kernel, stride in STEM:
        x = net.conv(x, channels, kernel, stride, activation="relu")
    for before, middle, expansion, channels, stride in BLOCKS:
        x = _universal_bottleneck(net, x, before, middle, expansion, channels, stride)
    x = net.conv(x, 960, activation="relu")
    x = net.conv(net.average(x), 1280, activation="relu")
    return net.model(net.dense(net.flatten(x), net.classes))


def _universal_bottleneck(
    net: Network, x: Value, before: int, middle: int, expansion: int, channels: int, stride: int
) -> Value:
    y = x
    if before:
        y = net.depthwise(y, before, 1 if middle else stride)
    y = net.conv(y, expansion * x.channels, activation="relu")
    if middle:
        y = net.depthwise(y, middle, stride, activation="relu")
    y = net.conv(y, channels)
    return net.add(x, y) if stride == 1 and channels == x.channels else y
