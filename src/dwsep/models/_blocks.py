"""The block that most mobile networks are made of."""

from __future__ import annotations

from ._builder import Network, Value


def inverted_residual(
    net: Network,
    x: Value,
    channels: int,
    *,
    expanded: int,
    kernel: int,
    stride: int,
    activation: str,
    squeezed: int = 0,
    reduce_activation: str = "relu",
    excite_activation: str = "sigmoid",
) -> Value:
    """Append expansion, depthwise, squeeze-excite (if `squeezed`) and linear projection.

    Sandler et al., arXiv:1801.04381. Nothing is expanded if `expanded` are the channels of `x`; `x`
    is added to the result if it has the same shape.
    """
    y = x if expanded == x.channels else net.conv(x, expanded, activation=activation)
    y = net.depthwise(y, kernel, stride, activation=activation)
    if squeezed:
        y = net.squeeze_excite(y, squeezed, reduce_activation, excite_activation)
    y = net.conv(y, channels)
    return net.add(x, y) if (y.channels, y.size) == (x.channels, x.size) and stride == 1 else y
