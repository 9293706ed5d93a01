"""What the tests' sweeps choose from, and how they choose.

Channels sit around the vector widths (8, 16, 32, 64), sizes around the register tiles.
"""

from __future__ import annotations

from random import Random

import oracle

CHANNELS = (1, 7, 8, 15, 16, 17, 31, 33, 63, 65)
KERNELS = ((1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (7, 7), (1, 7), (3, 5))
STRIDES = (1, 2, 3, (1, 2), (2, 1))
DILATIONS = (1, 2, 3, (1, 2))
PADDINGS = ("same", "same_lower", "valid", 0, 1, (2, 1), ((1, 0), (0, 2)), ((3, 2), (0, 4)))
SIZES = range(1, 10)
# Exact in float32 whenever the sums are.
EXACT_ACTIVATIONS = (None, "relu", "relu6", ("clip", -7, 5), ("leaky_relu", 0.25))
_NAMED = tuple(name for name in oracle.ACTIVATIONS if name not in EXACT_ACTIVATIONS)
ALL_ACTIVATIONS = (*EXACT_ACTIVATIONS, ("clip", -0.3, 0.7), *_NAMED)


def identity(value) -> str:
    """Name a parameter in a test's id: 3x5, ((1, 0), (0, 2)) or relu."""
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, int) for v in value):
        return f"{value[0]}x{value[1]}"
    return str(value)


def fits(size, kernel, stride=1, padding="same", dilation=1) -> bool:
    """Return whether there is at least one output pixel."""
    return min(oracle.Window((1, *size), kernel, stride, padding, dilation).output) > 0


class Chooser:
    """Random but repeatable choices of whatever a sweep does not walk through itself."""

    def __init__(self, seed) -> None:
        self._random = Random(str(seed))

    def __call__(self, options):
        return self._random.choice(options)

    def window(self, size, kernel, **fixed) -> dict:
        """Choose what is not fixed of stride, padding and dilation so that there is an output."""
        while True:
            window = {
                "stride": self(STRIDES),
                "padding": self(PADDINGS),
                "dilation": self((1, 1, *DILATIONS)),
                **fixed,
            }
            if fits(size, kernel, **window):
                return window

    def size(self) -> tuple[int, int]:
        return self(SIZES), self(SIZES)

    def activation(self, exact=True):
        return self(EXACT_ACTIVATIONS if exact else ALL_ACTIVATIONS)
