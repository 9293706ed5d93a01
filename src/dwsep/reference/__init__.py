"""Plain convolutions to check and time the fast ones against; imports nothing of dwsep."""

from .naive import depthwise_conv2d, standard_conv2d

__all__ = ["depthwise_conv2d", "standard_conv2d"]
