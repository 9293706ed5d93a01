"""All families of operators; importing them registers what they import."""

from . import (
    activations,
    comparing,
    conversions,
    convolution,
    einsum,
    elementwise,
    heads,
    normalization,
    pooling,
    quantized,
    recurrent,
    reshapes,
    resize,
    sampling,
    searching,
    slices,
    spreads,
)
from .registry import IMPORTERS

__all__ = [
    "IMPORTERS",
    "activations",
    "comparing",
    "conversions",
    "convolution",
    "einsum",
    "elementwise",
    "heads",
    "normalization",
    "pooling",
    "quantized",
    "recurrent",
    "reshapes",
    "resize",
    "sampling",
    "searching",
    "slices",
    "spreads",
]
