"""MnasNet: networks found by a search that measured their latency on a phone.

Tan et al.: "MnasNet: Platform-Aware Neural Architecture Search for Mobile", 2019, arXiv:1807.11626.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._blocks import inverted_residual
from ._builder import POOLED_POWER, Network, Value
from ._width import divisible, width_multiplier

if TYPE_CHECKING:
    import onnx

# Expansion, kernel, stride of the first, channels, repeats, squeeze-excite.
B1 = (
    (3, 3, 2, 24, 3, False),
    (3, 5, 2, 40, 3, False),
    (6, 5, 2, 80, 3, False),
    (6, 3, 1, 96, 2, False),
    (6, 5, 2, 192, 4, False),
    (6, 3, 1, 320, 1, False),
)
# Figure 7a.
A1 = (
    (6, 3, 2, 24, 2, False),
    (3, 5, 2, 40, 3, True),
    (6, 3, 2, 80, 4, False),
    (6, 3, 1, 112, 2, True),
    (6, 5, 2, 160, 3, True),
    (6, 3, 1, 320, 1, False),
)


def mnasnet(
    *, alpha: float = 1.0, resolution: int = 224, classes: int = 1000, seed: int = 0
) -> onnx.ModelProto:
    """Build MnasNet-B1, the one without squeeze-excite.

    Parameters
    ----------
    alpha : float
        Width multiplier; channels are rounded to multiples of 8. The last convolution keeps its.
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
    Tan et al.: "MnasNet: Platform-Aware Neural Architecture Search for Mobile", 2019,
    arXiv:1807.11626.
    """
    alpha = width_multiplier(alpha)
    net = Network("mnasnet", resolution=resolution, classes=classes, seed=seed, epsilon=1e-3)
    return _build(net, B1, alpha)


def mnasnet_a1(
    *, alpha: float = 1.0, resolution: int = 224, classes: int = 1000, seed: int = 0
) -> onnx.ModelProto:
    """Build MnasNet-A1, whose 5x5 blocks have squeeze-excite.

    Parameters, results and errors are those of `mnasnet`.
    """
    alpha = width_multiplier(alpha)
    net = Network("mnasnet_a1", resolution=resolution, classes=classes, seed=seed, epsilon=1e-3)
    return _build(net, A1, alpha)


def _build(
    net: Network, stages: tuple[tuple[int, int, int, int, int, bool], ...], alpha: float
) -> onnx.ModelProto:
    x = net.conv(net.input, divisible(32 * alpha), 3, 2, activation="relu")
    x = net.depthwise(x, 3, activation="relu")
    x = net.conv(x, divisible(16 * alpha))
    for expansion, kernel, stride, channels, repeats, squeezed in stages:
        for i in range(repeats):
            x = inverted_residual(
                net,
                x,
                divisible(channels * alpha),
                expanded=expansion * x.channels,
                kernel=kernel,
                stride=stride if i == 0 else 1,
                activation="relu",
                squeezed=x.channels // 4 if squeezed else 0,
            )
    x = net.conv(x, 1280, activation="relu")
    return net.model(net.dense(_mean(net, x), net.classes))


def _mean(net: Network, x: Value) -> Value:
    # Exporters write an average over two axes that are dropped as one node, not as a pooling.
    [name] = net.node("ReduceMean", x.name, axes=[2, 3], keepdims=0)
    return Value(name, x.channels, 1, POOLED_POWER * x.power)
