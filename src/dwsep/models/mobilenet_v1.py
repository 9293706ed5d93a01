"""MobileNet: a stem and thirteen pairs of a depthwise and a pointwise convolution.

Howard et al.: "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
2017, arXiv:1704.04861.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._builder import Network
from ._width import divisible, width_multiplier

if TYPE_CHECKING:
    import onnx

# Table 1: channels, stride.
PAIRS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *[(512, 1)] * 5,
    (1024, 2),
    (1024, 1),
)


def mobilenet_v1(
    *, alpha: float = 1.0, resolution: int = 224, classes: int = 1000, seed: int = 0
) -> onnx.ModelProto:
    """Build MobileNetV1, padded as TensorFlow's "same" (the odd pixel below and to the right).

    Parameters
    ----------
    alpha : float
        Width multiplier; channels are rounded to multiples of 8.
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
    Howard et al.: "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
    Applications", 2017, arXiv:1704.04861.
    """
    alpha = width_multiplier(alpha)
    net = Network(
        "mobilenet_v1", resolution=resolution, classes=classes, seed=seed, epsilon=1e-3, same=True
    )
    x = net.conv(net.input, divisible(32 * alpha), 3, 2, activation="relu6")
    for channels, stride in PAIRS:
        x = net.depthwise(x, 3, stride, activation="relu6")
        x = net.conv(x, divisible(channels * alpha), activation="relu6")
    return net.model(net.classifier(x))
