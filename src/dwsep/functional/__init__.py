"""Convolutions as functions: each makes a layer, calls it and forgets it.

All take `x`, `residual`, `out` and `num_threads` as the call of a layer does (see `dwsep.layers`)
and give ``activation(convolution(x) + bias + residual)``: the residual is added before the
activation. Arrays may be those of other libraries here as well. Weights are packed anew at every
call; where the same ones are used often, a layer from `dwsep.layers` saves that. The layers also
say more about what both take: squeeze-excite, int8 and where the operators come from.
"""

from .blocks import inverted_residual, separable_conv2d
from .convolutions import conv2d, depthwise_conv2d, pointwise_conv2d

__all__ = [
    "conv2d",
    "depthwise_conv2d",
    "inverted_residual",
    "pointwise_conv2d",
    "separable_conv2d",
]
