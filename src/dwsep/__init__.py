"""Fast depthwise-separable convolution for CPUs, on NumPy arrays (NHWC, float32 or int8)."""

from typing import TYPE_CHECKING

from . import _interpreter as _interpreter
from . import errors as errors
from ._include import get_include
from ._load import load
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
from .model import Model, ValueInfo
from .quantization import Quantization, quantize_weight
from .sequences import (
    Conv1D,
    DepthwiseConv1D,
    SeparableConv1D,
    conv1d,
    depthwise_conv1d,
    separable_conv1d,
)

if TYPE_CHECKING:
    from . import models as models
    from .quantizer import quantize as quantize

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


def __getattr__(name: str) -> object:
    """Import what nothing else needs when it is first used."""
    import importlib

    if name == "models":
        return importlib.import_module(".models", __name__)
    if name == "quantize":
        return importlib.import_module(".quantizer", __name__).quantize
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Name `dwsep.models` and `dwsep.quantize` too, before they are imported."""
    return sorted({*globals(), "models", "quantize"})
