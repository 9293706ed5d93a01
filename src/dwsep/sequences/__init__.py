"""Convolutions of sequences, (W, C) or (N, W, C): those of images of one row.

Layers and functions have the semantics of their namesakes in `dwsep.layers` and
`dwsep.functional`, and run on the same kernels; nothing is copied on the way. Strides, dilations
and paddings are numbers of steps along W. Padding "causal" puts all of it in front, so that an
output sees no input behind it.
"""

from .functions import conv1d, depthwise_conv1d, separable_conv1d
from .layers import Conv1D, DepthwiseConv1D, SeparableConv1D

__all__ = [
    "Conv1D",
    "DepthwiseConv1D",
    "SeparableConv1D",
    "conv1d",
    "depthwise_conv1d",
    "separable_conv1d",
]
