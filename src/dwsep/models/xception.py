"""Xception: depthwise-separable convolutions and residuals throughout.

Chollet: "Xception: Deep Learning with Depthwise Separable Convolutions", 2017, arXiv:1610.02357.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._builder import Network, Value

if TYPE_CHECKING:
    import onnx


def xception(*, resolution: int = 299, classes: int = 1000, seed: int = 0) -> onnx.ModelProto:
    """Build Xception.

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
    Chollet: "Xception: Deep Learning with Depthwise Separable Convolutions", 2017,
    arXiv:1610.02357.
    """
    net = Network("xception", resolution=resolution, classes=classes, seed=seed, epsilon=1e-3)
    # Figure 5: the entry flow,
    x = net.conv(net.input, 32, 3, 2, pad=False, activation="relu")
    x = net.conv(x, 64, 3, pad=False, activation="relu")
    x = _shrinking_block(net, x, 128, 128, relu_first=False)
    x = _shrinking_block(net, x, 256, 256)
    x = _shrinking_block(net, x, 728, 728)
    # the middle flow,
    for _ in range(8):
        y = x
        for _ in range(3):
            y = _separable(net, net.activate(y, "relu"), 728)
        x = net.add(x, y)
    # the exit flow.
    x = _shrinking_block(net, x, 728, 1024)
    x = net.activate(_separable(net, x, 1536), "relu")
    x = net.activate(_separable(net, x, 2048), "relu")
    return net.model(net.classifier(x))


def _separable(net: Network, x: Value, channels: int) -> Value:
    return net.conv(net.depthwise(x, 3, norm=False), channels)


def _shrinking_block(
    net: Network, x: Value, inner: int, channels: int, *, relu_first: bool = True
) -> Value:
    shortcut = net.conv(x, channels, 1, 2)
    y = net.activate(x, "relu") if relu_first else x
    y = net.activate(_separable(net, y, inner), "relu")
    y = net.max_pool(_separable(net, y, channels), 3, 2)
    return net.add(shortcut, y)
