"""Prepacked layers: the weights are copied and packed once, then the layer is called often.

A layer is immutable and may be called from any number of threads at once. It pickles as its
arguments, so it can be sent to another machine, where it is packed for the processor found there.

Calling a layer
---------------
``layer(x, residual=None, *, out=None, num_threads=None)`` gives
``activation(convolution(x) + bias + residual)``: the residual is added before the activation.
A `DepthwiseConv2D` takes no residual.

x : numpy.ndarray of float32, shape (H, W, C) or (N, H, W, C)
    Read in place if its channels are adjacent in memory, whatever its other strides; anything else
    is copied once. The result has the same number of axes.
residual : numpy.ndarray of float32, optional
    Array of the result's shape to add before the activation.
out : numpy.ndarray of float32, optional
    Writeable array of the result's shape to write to and return. It may be a view and may overlap
    `x` and `residual`, but no two of its elements may share memory.
num_threads : int, optional
    Threads of this call, instead of `get_num_threads()`. Does not change a bit of the result.

`x`, `residual` and the arrays that layers are made of may be arrays of other libraries, such as
tensors of PyTorch: what speaks DLPack and lies in the CPU's memory, or has `__array_interface__`,
is read in place. `out` and the result are arrays of NumPy.

A layer made with `x_quantization` takes `x` and `residual` of int8 or uint8, as their quantizations
say, and gives int8, uint8 or float32.

A call raises TypeError if an argument is not an array of the layer's type (nothing is converted
silently), or `out` is read-only, ValueError if a shape does not fit, and MemoryError if there is no
room for the result. Without `out` the result is a new array whose memory, once it dies, serves a
later call.
"""

from .._plan import Plan
from .depthwise import DepthwiseConv2D
from .inverted_residual import InvertedResidual
from .pointwise import PointwiseConv2D
from .separable import SeparableConv2D
from .standard import Conv2D

__all__ = [
    "Conv2D",
    "DepthwiseConv2D",
    "InvertedResidual",
    "Plan",
    "PointwiseConv2D",
    "SeparableConv2D",
]
