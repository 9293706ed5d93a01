"""All families of operators; importing them registers what they import."""

from . import (
    activations,
    convolution,
    elementwise,
    heads,
    normalization,
    pooling,
    reshapes,
    resize,
    slices,
    spreads,
)
from .registry import IMPORTERS

__all__ = [
    "IMPORTERS",
    "activations",
    "convolution",
    "elementwise",
    "heads",
    "normalization",
    "pooling",
    "reshapes",
    "resize",
    "slices",
    "spreads",
]
