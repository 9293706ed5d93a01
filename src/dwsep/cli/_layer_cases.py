"""The layers of networks that ``dwsep bench --layers`` times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dwsep.models.efficientnet import STAGES as EFFICIENTNET_B0
from dwsep.models.mnasnet import B1 as MNASNET_B1
from dwsep.models.mobilenet_v2 import STAGES as MOBILENET_V2

from ._networks import NETWORKS

__all__ = ["LAYERS", "LayerCase"]

Kind = Literal["depthwise", "pointwise", "separable", "inverted residual"]


@dataclass(frozen=True)
class LayerCase:
    """A layer of a network; `kernel`, `stride` and `expanded` are 0 where there are none."""

    kind: Kind
    size: int
    inputs: int
    expanded: int
    outputs: int
    kernel: int
    stride: int
    activation: str

    @property
    def name(self) -> str:
        """Kind, input size, channels, filter and stride."""
        channels = [self.inputs, *[self.expanded] * (self.expanded > 0), self.outputs]
        if self.kind == "depthwise":
            channels.pop()
        window = f" {self.kernel}x{self.kernel} s{self.stride}" if self.kernel else ""
        shape = "->".join(map(str, channels))
        return f"{self.kind} {self.size}x{self.size} {shape}{window}"


def _depthwise(size: int, channels: int, kernel: int, stride: int, activation: str) -> LayerCase:
    return LayerCase("depthwise", size, channels, 0, channels, kernel, stride, activation)


def _pointwise(size: int, inputs: int, outputs: int, activation: str) -> LayerCase:
    return LayerCase("pointwise", size, inputs, 0, outputs, 0, 0, activation)


def _separable_parts(
    size: int, inputs: int, outputs: int, kernel: int, stride: int, activation: str
) -> Iterator[LayerCase]:
    yield _depthwise(size, inputs, kernel, stride, activation)
    yield _pointwise(-(-size // stride), inputs, outputs, activation)
    yield LayerCase("separable", size, inputs, 0, outputs, kernel, stride, activation)


# Stages of inverted residuals: expansion, output channels, blocks, stride of the first, kernel.
_Stage = tuple[int, int, int, int, int]


def _blocks(stages: tuple[_Stage, ...], activation: str, fused: bool) -> Iterator[LayerCase]:
    """Layers of a network from its 112x112x32 stem to the 1x1 convolution with 1280 outputs."""
    size, inputs = 112, 32
    for expansion, outputs, blocks, first_stride, kernel in stages:
        for stride in (first_stride, *[1] * (blocks - 1)):
            expanded = expansion * inputs
            after = -(-size // stride)
            if expansion > 1:
                yield _pointwise(size, inputs, expanded, activation)
            yield _depthwise(size, expanded, kernel, stride, activation)
            yield _pointwise(after, expanded, outputs, "none")
            if fused and expansion > 1:
                kind: Kind = "inverted residual"
                yield LayerCase(kind, size, inputs, expanded, outputs, kernel, stride, activation)
            size, inputs = after, outputs
    yield _pointwise(size, inputs, 1280, activation)


_MOBILENET_V2 = tuple((*stage, 3) for stage in MOBILENET_V2)
# Its blocks squeeze and excite before they project, so they are not one layer.
_EFFICIENTNET_B0 = tuple((e, out, blocks, s, k) for e, k, s, out, blocks in EFFICIENTNET_B0)
# The first of MnasNet's stages is like MobileNetV2's.
_MNASNET_B1 = (
    _MOBILENET_V2[0],
    *((e, out, blocks, s, k) for e, k, s, out, blocks, _ in MNASNET_B1),
)
# Figure 5 of "Xception: Deep Learning with Depthwise Separable Convolutions" (Chollet, 2017) for
# 299x299 images: size, channels in and out.
_XCEPTION = (
    (147, 64, 128),
    (147, 128, 128),
    (74, 128, 256),
    (74, 256, 256),
    (37, 256, 728),
    (37, 728, 728),
    (19, 728, 728),
    (19, 728, 1024),
    (10, 1024, 1536),
    (10, 1536, 2048),
)


def _unique(layers: Iterator[LayerCase]) -> tuple[LayerCase, ...]:
    return tuple(dict.fromkeys(layers))


LAYERS: dict[str, tuple[LayerCase, ...]] = {
    "mobilenet_v1": _unique(
        layer
        for p in NETWORKS["mobilenet_v1"]
        for layer in _separable_parts(p.size, p.channels, p.outputs, p.kernel, p.stride, "relu6")
    ),
    "mobilenet_v2": _unique(_blocks(_MOBILENET_V2, "relu6", fused=True)),
    "efficientnet_b0": _unique(_blocks(_EFFICIENTNET_B0, "silu", fused=False)),
    "mnasnet_b1": _unique(_blocks(_MNASNET_B1, "relu", fused=True)),
    "xception": _unique(
        layer for size, c, o in _XCEPTION for layer in _separable_parts(size, c, o, 3, 1, "relu")
    ),
}
