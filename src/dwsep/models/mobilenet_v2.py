"""MobileNetV2: inverted residuals with linear bottlenecks.

Sandler et al.: "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018, arXiv:1801.04381.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._blocks import inverted_residual
from ._builder import Network
from ._width import divisible, width_multiplier

if TYPE_CHECKING:
    import onnx

# Table 2: expansion, channels, repeats, stride of the first.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def mobilenet_v2(
    *, alpha: float = 1.0, resolution: int = 224, classes: int = 1000, seed: int = 0
) -> onnx.ModelProto:
    """Build MobileNetV2.

    Parameters
    ----------
    alpha : float
        Width multiplier; channels are rounded to multiples of 8. The last convolution is widened
        by it but not narrowed.
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
    Sandler et al.: "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018,
    arXiv:1801.04381.
    """
    alpha = width_multiplier(alpha)
    net = Network("mobilenet_v2", resolution=resolution, classes=classes, seed=seed)
    x = net.conv(net.input, divisible(32 * alpha), 3, 2, activation="relu6")
    for expansion, channels, repeats, stride in STAGES:
        for i in range(repeats):
            x = inverted_residual(
                net,
                x,
                divisible(channels * alpha),
                expanded=expansion * x.channels,
                kernel=3,
                stride=stride if i == 0 else 1,
                activation="relu6",
            )
    x = net.conv(x, divisible(1280 * max(1.0, alpha)), activation="relu6")
    return net.model(net.classifier(x))
