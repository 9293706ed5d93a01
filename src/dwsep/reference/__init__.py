"""Plain convolutions to check and to time the fast ones against; imports NumPy and nothing of dwsep."""

from .naive import depthwise_conv2d, standard_conv2d

__all__ = ["depthwise_conv2d", "standard_conv2d"]
