"""The depthwise/pointwise pairs of the networks that ``dwsep bench`` knows."""

from __future__ import annotations

from dataclasses import dataclass

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


# Table 1 of "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications"
# (Howard et al., 2017), width 1, 224x224 input; the last pair has stride 1, as in its code.
_MOBILENET_V1 = (
    Pair(112, 32, 64, 1),
    Pair(112, 64, 128, 2),
    Pair(56, 128, 128, 1),
    Pair(56, 128, 256, 2),
    Pair(28, 256, 256, 1),
    Pair(28, 256, 512, 2),
    *5 * (Pair(14, 512, 512, 1),),
    Pair(14, 512, 1024, 2),
    Pair(7, 1024, 1024, 1),
)

NETWORKS = {"mobilenet_v1": _MOBILENET_V1}
