"""EfficientNet: one searched network, scaled in depth, width and resolution together.

Tan, Le: "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019,
arXiv:1905.11946. Lite0 is the authors' variant for phones without squeeze-excite and with ReLU6
(Liu: "Higher accuracy on vision models with EfficientNet-Lite", 2020, blog.tensorflow.org).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ._blocks import inverted_residual
from ._builder import Network
from ._width import divisible

if TYPE_CHECKING:
    import onnx

# Table 1: expansion, kernel, stride of the first, channels, repeats.
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)


def efficientnet_b0(
    *, resolution: int = 224, classes: int = 1000, seed: int = 0
) -> onnx.ModelProto:
    """Build EfficientNet-B0.

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
    Tan, Le: "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019,
    arXiv:1905.11946.
    """
    net = Network(
        "efficientnet_b0", resolution=resolution, classes=classes, seed=seed, epsilon=1e-3
    )
    return _build(net)


def efficientnet_b1(
    *, resolution: int = 240, classes: int = 1000, seed: int = 0
) -> onnx.ModelProto:
    """Build EfficientNet-B1: B0, 1.1 times as deep.

    Parameters, results and errors are those of `efficientnet_b0`.
    """
    net = Network(
        "efficientnet_b1", resolution=resolution, classes=classes, seed=seed, epsilon=1e-3
    )
    return _build(net, depth=1.1)


def efficientnet_b2(
    *, resolution: int = 260, classes: int = 1000, seed: int = 0
) -> onnx.ModelProto:
    """Build EfficientNet-B2: B0, 1.1 times as wide and 1.2 times as deep.

    Parameters, results and errors are those of `efficientnet_b0`.
    """
    net = Network(
        "efficientnet_b2", resolution=resolution, classes=classes, seed=seed, epsilon=1e-3
    )
    return _build(net, width=1.1, depth=1.2)


def efficientnet_lite0(
    *, resolution: int = 224, classes: int = 1000, seed: int = 0
) -> onnx.ModelProto:
    """Build EfficientNet-Lite0, padded as TensorFlow's "same" (the odd pixel comes last).

    Parameters, results and errors are those of `efficientnet_b0`.
    """
    net = Network(
        "efficientnet_lite0",
        resolution=resolution,
        classes=classes,
        seed=seed,
        epsilon=1e-3,
        same=True,
    )
    return _build(net, activation="relu6", squeeze=False)


def _build(
    net: Network,
    *,
    width: float = 1.0,
    depth: float = 1.0,
    activation: str = "silu",
    squeeze: bool = True,
) -> onnx.ModelProto:
    x = net.conv(net.input, divisible(32 * width), 3, 2, activation=activation)
    for expansion, kernel, stride, channels, repeats in STAGES:
        for i in range(math.ceil(repeats * depth)):
            x = inverted_residual(
                net,
                x,
                divisible(channels * width),
                expanded=expansion * x.channels,
                kernel=kernel,
                stride=stride if i == 0 else 1,
                activation=activation,
                squeezed=x.channels // 4 if squeeze else 0,  # a quarter of what was not expanded
                reduce_activation=activation,
            )
    x = net.conv(x, divisible(1280 * width), activation=activation)
    return net.model(net.classifier(x))
