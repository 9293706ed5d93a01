"""MobileNetV3: inverted residuals with squeeze-excite and hard-swish, found by search.

Howard et al.: "Searching for MobileNetV3", 2019, arXiv:1905.02244.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._blocks import inverted_residual
from ._builder import Network
from ._width import divisible, width_multiplier

if TYPE_CHECKING:
    import onnx

Row = tuple[int, int, int, bool, str, int]

# Tables 1 and 2: kernel, expanded channels, channels, squeeze-excite, activation, stride.
LARGE: tuple[Row, ...] = (
    (3, 16, 16, False, "relu", 1),
    (3, 64, 24, False, "relu", 2),
    (3, 72, 24, False, "relu", 1),
    (5, 72, 40, True, "relu", 2),
    (5, 120, 40, True, "relu", 1),
    (5, 120, 40, True, "relu", 1),
    (3, 240, 80, False, "hard_swish", 2),
    (3, 200, 80, False, "hard_swish", 1),
    (3, 184, 80, False, "hard_swish", 1),
    (3, 184, 80, False, "hard_swish", 1),
    (3, 480, 112, True, "hard_swish", 1),
    (3, 672, 112, True, "hard_swish", 1),
    (5, 672, 160, True, "hard_swish", 2),
    (5, 960, 160, True, "hard_swish", 1),
    (5, 960, 160, True, "hard_swish", 1),
)
SMALL: tuple[Row, ...] = (
    (3, 16, 16, True, "relu", 2),
    (3, 72, 24, False, "relu", 2),
    (3, 88, 24, False, "relu", 1),
    (5, 96, 40, True, "hard_swish", 2),
    (5, 240, 40, True, "hard_swish", 1),
    (5, 240, 40, True, "hard_swish", 1),
    (5, 120, 48, True, "hard_swish", 1),
    (5, 144, 48, True, "hard_swish", 1),
    (5, 288, 96, True, "hard_swish", 2),
    (5, 576, 96, True, "hard_swish", 1),
    (5, 576, 96, True, "hard_swish", 1),
)


def mobilenet_v3_large(
    *, alpha: float = 1.0, resolution: int = 224, classes: int = 1000, seed: int = 0
) -> onnx.ModelProto:
    """Build MobileNetV3-Large.

    Parameters
    ----------
    alpha : float
        Width multiplier; channels are rounded to multiples of 8. The hidden layer of the classifier
        is widened by it but not narrowed.
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
    Howard et al.: "Searching for MobileNetV3", 2019, arXiv:1905.02244.
    """
    alpha = width_multiplier(alpha)
    net = Network(
        "mobilenet_v3_large", resolution=resolution, classes=classes, seed=seed, epsilon=1e-3
    )
    return _build(net, LARGE, 1280, alpha)


def mobilenet_v3_small(
    *, alpha: float = 1.0, resolution: int = 224, classes: int = 1000, seed: int = 0
) -> onnx.ModelProto:
    """Build MobileNetV3-Small.

    Parameters
    ----------
    alpha : float
        Width multiplier; channels are rounded to multiples of 8. The hidden layer of the classifier
        is widened by it but not narrowed.
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
    Howard et al.: "Searching for MobileNetV3", 2019, arXiv:1905.02244.
    """
    alpha = width_multiplier(alpha)
    net = Network(
        "mobilenet_v3_small", resolution=resolution, classes=classes, seed=seed, epsilon=1e-3
    )
    return _build(net, SMALL, 1024, alpha)


def _build(net: Network, rows: tuple[Row, ...], hidden: int, alpha: float) -> onnx.ModelProto:
    x = net.conv(net.input, divisible(16 * alpha), 3, 2, activation="hard_swish")
    unscaled = 16
    for kernel, expanded, channels, squeezed, activation, stride in rows:
        # The ratio is kept, not the number: 0.75 as wide is then what the paper counts, 4.0M.
        inner = divisible(expanded * x.channels / unscaled)
        unscaled = channels
        x = inverted_residual(
            net,
            x,
            divisible(channels * alpha),
            expanded=inner,
            kernel=kernel,
            stride=stride,
            activation=activation,
            squeezed=divisible(inner // 4) if squeezed else 0,
            excite_activation="hard_sigmoid",
        )
    x = net.conv(x, 6 * x.channels, activation="hard_swish")
    x = net.dense(net.flatten(net.average(x)), divisible(hidden * max(1.0, alpha)), "hard_swish")
    return net.model(net.dense(x, net.classes))
