"""Fast depthwise-separable convolution for CPUs, on NumPy arrays (NHWC, float32 or int8)."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if sys.version_info < (3, 11):
    from . import _interpreter as _interpreter
from . import errors as errors
from ._load import load
from .model import Model, ValueInfo

if TYPE_CHECKING:
    from . import functional as functional
    from . import layers as layers
    from . import layout as layout
    from . import models as models
    from . import sequences as sequences
    from ._include import get_include
    from ._version import __version__
    from .cpu import cpu_info, get_num_threads, set_num_threads
    from .functional import (
        conv2d,
        depthwise_conv2d,
        inverted_residual,
        pointwise_conv2d,
        separable_conv2d,
    )
    from .layers import Conv2D, DepthwiseConv2D, InvertedResidual, PointwiseConv2D, SeparableConv2D
    from .layout import (
        conv2d_weights_from_torch,
        conv2d_weights_to_torch,
        depthwise_weights_from_torch,
        depthwise_weights_to_torch,
        pointwise_weights_from_torch,
        pointwise_weights_to_torch,
    )
    from .quantization import Quantization, quantize_weight
    from .quantizer import quantize as quantize
    from .sequences import (
        Conv1D,
        DepthwiseConv1D,
        SeparableConv1D,
        conv1d,
        depthwise_conv1d,
        separable_conv1d,
    )

__all__ = [
    "Conv1D",
    "Conv2D",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "InvertedResidual",
    "Model",
    "PointwiseConv2D",
    "Quantization",
    "SeparableConv1D",
    "SeparableConv2D",
    "ValueInfo",
    "__version__",
    "conv1d",
    "conv2d",
    "conv2d_weights_from_torch",
    "conv2d_weights_to_torch",
    "cpu_info",
    "depthwise_conv1d",
    "depthwise_conv2d",
    "depthwise_weights_from_torch",
    "depthwise_weights_to_torch",
    "get_include",
    "get_num_threads",
    "inverted_residual",
    "load",
    "pointwise_conv2d",
    "pointwise_weights_from_torch",
    "pointwise_weights_to_torch",
    "quantize",
    "quantize_weight",
    "separable_conv1d",
    "separable_conv2d",
    "set_num_threads",
]


# What who only runs networks has no use for: imported when it is first asked for, it saves half of
# the 8 ms that importing dwsep took.
_MODULES: dict[str, tuple[str, ...]] = {
    "_include": ("get_include",),
    "_version": ("__version__",),
    "cpu": ("cpu_info", "get_num_threads", "set_num_threads"),
    "functional": (
        "conv2d",
        "depthwise_conv2d",
        "inverted_residual",
        "pointwise_conv2d",
        "separable_conv2d",
    ),
    "layers": (
        "Conv2D",
        "DepthwiseConv2D",
        "InvertedResidual",
        "PointwiseConv2D",
        "SeparableConv2D",
    ),
    "layout": (
        "conv2d_weights_from_torch",
        "conv2d_weights_to_torch",
        "depthwise_weights_from_torch",
        "depthwise_weights_to_torch",
        "pointwise_weights_from_torch",
        "pointwise_weights_to_torch",
    ),
    "sequences": (
        "Conv1D",
        "DepthwiseConv1D",
        "SeparableConv1D",
        "conv1d",
        "depthwise_conv1d",
        "separable_conv1d",
    ),
    "models": (),
    "quantization": ("Quantization", "quantize_weight"),
    "quantizer": ("quantize",),
}


def __getattr__(name: str) -> object:
    """Import what nothing else needs when it is first used."""
    for module, names in _MODULES.items():
        if name == module or name in names:
            value = import_module(f".{module}", __name__)
            return globals().setdefault(name, value if name == module else getattr(value, name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Name all of it before it is imported, too."""
    later = [name for module, names in _MODULES.items() for name in (module, *names)]
    return sorted({*globals(), *later})
