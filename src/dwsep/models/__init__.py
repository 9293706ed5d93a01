"""Builders of well-known networks, as ONNX graphs with random weights.

They need the package onnx (``pip install 'dwsep[onnx]'``). The graphs look as exported for
inference: NCHW, the batch open, batch norms still separate; so every runtime can run the very same
network.
"""

from ._count import Count, count
from .convnext import convnext_tiny
from .efficientnet import efficientnet_b0, efficientnet_b1, efficientnet_b2, efficientnet_lite0
from .mnasnet import mnasnet, mnasnet_a1
from .mobilenet_v1 import mobilenet_v1
from .mobilenet_v2 import mobilenet_v2
from .mobilenet_v3 import mobilenet_v3_large, mobilenet_v3_small
from .mobilenet_v4 import mobilenet_v4_conv_small
from .shufflenet import shufflenet_v2
from .xception import xception

__all__ = [
    "Count",
    "convnext_tiny",
    "count",
    "efficientnet_b0",
    "efficientnet_b1",
    "efficientnet_b2",
    "efficientnet_lite0",
    "mnasnet",
    "mnasnet_a1",
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
    "mobilenet_v4_conv_small",
    "shufflenet_v2",
    "xception",
]
