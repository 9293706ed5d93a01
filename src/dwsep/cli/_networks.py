"""The depthwise/pointwise pairs of the networks that ``dwsep bench`` knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dwsep.models.mobilenet_v1 import PAIRS

__all__ = ["NETWORKS", "Pair"]


@dataclass(frozen=True)
class Pair:
    """A 3x3 depthwise convolution with padding "same" and the pointwise one that follows it."""

    size: int
    channels: int
    outputs: int
    stride: int

    kernel = 3

    @property
    def name(self) -> str:
        """Input size, channels in and out, stride."""
        return f"{self.size}x{self.size} {self.channels}->{self.outputs} s{self.stride}"

    @property
    def output_size(self) -> int:
        """Rows, and columns, of the output."""
        return -(-self.size // self.stride)

    @property
    def separable_macs(self) -> int:
        """Multiply-adds of depthwise and pointwise together, those of the padding counted."""
        return self.output_size**2 * self.channels * (self.kernel**2 + self.outputs)

    @property
    def standard_macs(self) -> int:
        """Multiply-adds of the standard convolution that the pair replaces."""
        return self.output_size**2 * self.channels * self.kernel**2 * self.outputs


def _mobilenet_v1() -> Iterator[Pair]:
    size, channels = 112, 32  # what the stem makes of 224x224 pixels
    for outputs, stride in PAIRS:
        pair = Pair(size, channels, outputs, stride)
        yield pair
        size, channels = pair.output_size, outputs


NETWORKS = {"mobilenet_v1": tuple(_mobilenet_v1())}
