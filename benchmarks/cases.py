"""The layers that the benchmarks measure.

Nothing here comes from dwsep: the list must mean the same on every commit that it measures, also
on those that are older than it. A name is a key of `counts.json` and of asv's results, so a case
is never changed, only added or taken away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any

__all__ = ["CASES", "COUNTED", "INT8", "ODD", "QUICK", "Case", "of_kind"]


@dataclass(frozen=True)
class Case:
    """One layer on one image of NHWC, padding "same"; 0 along the row: as along columns."""

    kind: str  # depthwise, pointwise, separable, inverted or standard
    size: int
    inputs: int
    outputs: int
    kernel: int = 1
    stride: int = 1
    activation: str = "relu6"
    expanded: int = 0
    dilation: int = 1
    groups: int = 1
    width: int = 0
    kernel_w: int = 0
    stride_w: int = 0
    dilation_w: int = 0
    dtype: str = "float32"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the input."""
        return self.size, self.width or self.size

    @property
    def kernels(self) -> tuple[int, int]:
        """Rows and columns of the filter."""
        return self.kernel, self.kernel_w or self.kernel

    @property
    def strides(self) -> tuple[int, int]:
        """Along columns and along rows."""
        return self.stride, self.stride_w or self.stride

    @property
    def dilations(self) -> tuple[int, int]:
        """Along columns and along rows."""
        return self.dilation, self.dilation_w or self.dilation

    @property
    def output_shape(self) -> tuple[int, int]:
        """Rows and columns of the output."""
        rows, columns = (-(-n // s) for n, s in zip(self.shape, self.strides, strict=True))
        return rows, columns

    @property
    def name(self) -> str:
        """Kind, input size, channels, filter and whatever is out of the ordinary."""
        middle = [self.expanded] if self.expanded else []
        last = [self.outputs] if self.kind != "depthwise" or self.outputs != self.inputs else []
        words = [self.kind, _by(self.shape), "-".join(map(str, [self.inputs, *middle, *last]))]
        if self.kind != "pointwise":
            words.append(f"{_by(self.kernels)}s{_one_or_by(self.strides)}")
        if self.dilations != (1, 1):
            words.append(f"d{_one_or_by(self.dilations)}")
        words += [f"g{self.groups}"] * (self.groups > 1)
        words += [self.activation] * (self.activation != "relu6")
        return " ".join([*words, *[self.dtype] * (self.dtype != "float32")])

    @property
    def macs(self) -> int:
        """Multiply-adds of its convolutions, those of the padding counted."""
        after, taps = prod(self.output_shape), prod(self.kernels)
        if self.kind == "depthwise":
            return after * self.outputs * taps
        if self.kind == "inverted":
            expand = prod(self.shape) * self.inputs * self.expanded
            return expand + after * self.expanded * (taps + self.outputs)
        if self.kind == "separable":
            return after * self.inputs * (taps + self.outputs)
        return after * taps * self.inputs // self.groups * self.outputs


def _by(pair: tuple[int, int]) -> str:
    return f"{pair[0]}x{pair[1]}"


def _one_or_by(pair: tuple[int, int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else _by(pair)


def _depthwise(size: int, channels: int, kernel: int, stride: int = 1, **more: Any) -> Case:
    return Case("depthwise", size, channels, channels, kernel, stride, **more)


CASES = (
    _depthwise(112, 32, 3),
    _depthwise(112, 64, 3, 2),
    _depthwise(56, 128, 3),
    _depthwise(14, 512, 3),
    _depthwise(7, 1024, 3),
    _depthwise(28, 240, 5, 2),
    _depthwise(14, 672, 5),
    _depthwise(7, 960, 5),
    _depthwise(28, 96, 7),
    _depthwise(28, 96, 7, 2),
    _depthwise(29, 27, 3),  # ragged in every way
    _depthwise(28, 128, 4),
    _depthwise(28, 128, 3, dilation=2),
    *(
        _depthwise(14, 512, 3, activation=a)
        for a in ("hard_swish", "sigmoid", "silu", "tanh", "gelu")
    ),
    *(
        Case("pointwise", *shape)
        for shape in (
            (112, 32, 64),
            (56, 24, 144),
            (56, 144, 24),
            (28, 33, 47),
            (14, 512, 512),
            (7, 1024, 1024),
            (1, 960, 1280),
        )
    ),
    Case("separable", 112, 32, 64, 3),
    Case("separable", 56, 128, 256, 3, 2),
    Case("separable", 14, 512, 512, 3),
    Case("separable", 7, 1024, 1024, 3),
    Case("inverted", 112, 16, 24, 3, 2, expanded=96),
    Case("inverted", 56, 24, 24, 3, expanded=144),
    Case("inverted", 14, 96, 96, 3, expanded=576),
    Case("inverted", 7, 192, 192, 5, expanded=1152),
    Case("standard", 224, 3, 32, 3, 2),
    Case("standard", 28, 64, 64, 3),
    Case("standard", 28, 64, 64, 3, groups=4),
)

# One of each kind, for a look that takes a minute.
QUICK = (
    _depthwise(56, 128, 3),
    Case("pointwise", 14, 512, 512),
    Case("separable", 14, 512, 512, 3),
    Case("inverted", 14, 96, 96, 3, expanded=576),
    Case("standard", 28, 64, 64, 3),
)


def _odd(
    kind: str,
    shape: tuple[int, int],
    channels: tuple[int, int],
    kernels: tuple[int, int],
    strides: tuple[int, int] = (1, 1),
    dilations: tuple[int, int] = (1, 1),
    groups: int = 1,
) -> Case:
    return Case(
        *(kind, shape[0], *channels, kernels[0], strides[0]),
        dilation=dilations[0],
        groups=groups,
        width=shape[1],
        kernel_w=kernels[1],
        stride_w=strides[1],
        dilation_w=dilations[1],
    )


def _dw(shape: tuple[int, int], channels: int, *more: tuple[int, int], times: int = 1) -> Case:
    return _odd("depthwise", shape, (channels, channels * times), *more)


def _conv(shape: tuple[int, int], channels: tuple[int, int], *more: tuple[int, int]) -> Case:
    return _odd("standard", shape, channels, *more)


# Layers of networks that are not the usual ones: filters of one row or column, large or even,
# unequal strides, dilation, channel multipliers, few pixels, few channels.
ODD = (
    # text lines: PP-OCR's recognition networks, CRNN
    _dw((24, 160), 64, (3, 3), (2, 1)),
    _dw((12, 160), 128, (3, 3), (2, 1)),
    _dw((6, 160), 256, (5, 5), (2, 1)),
    _dw((3, 80), 512, (5, 5), (1, 2)),
    _conv((4, 80), (128, 256), (3, 3), (2, 1)),
    _conv((2, 40), (512, 512), (2, 2)),
    # speech: DS-CNN, BC-ResNet, MatchboxNet, QuartzNet, TC-ResNet, WaveNet, DeepFilterNet
    _conv((49, 10), (1, 64), (10, 4), (2, 2)),
    _dw((25, 5), 64, (3, 3)),
    _conv((40, 101), (1, 16), (5, 5), (2, 1)),
    _dw((20, 101), 24, (3, 1)),
    _dw((10, 101), 48, (1, 3), (1, 1), (1, 2)),
    _dw((1, 128), 64, (1, 13)),
    _dw((1, 128), 128, (1, 29), (1, 1), (1, 2)),
    _dw((1, 400), 256, (1, 33)),
    _dw((1, 200), 512, (1, 75)),
    _conv((1, 101), (16, 24), (1, 9), (1, 2)),
    _conv((1, 1000), (64, 128), (1, 2), (1, 1), (1, 8)),
    _dw((100, 32), 64, (1, 3), (1, 2)),
    _dw((100, 96), 64, (3, 1)),
    # signals: EEGNet
    _conv((22, 256), (1, 8), (1, 64)),
    _dw((22, 256), 8, (22, 1), times=2),
    _dw((1, 64), 16, (1, 16)),
    # ConvNeXt, InceptionNeXt, SegNeXt, SLaK, RepLKNet, MixNet
    _dw((56, 56), 96, (7, 7)),
    _dw((14, 14), 384, (7, 7)),
    _dw((56, 56), 24, (1, 11)),
    _dw((56, 56), 24, (11, 1)),
    _dw((28, 28), 160, (1, 21)),
    _dw((28, 28), 160, (21, 1)),
    _dw((56, 56), 64, (51, 5)),
    _dw((14, 14), 512, (31, 31)),
    _dw((28, 28), 120, (9, 9)),
    _dw((56, 56), 60, (9, 9), (2, 2)),
    # Inception's factors
    _conv((17, 17), (192, 192), (1, 7)),
    _conv((17, 17), (192, 192), (7, 1)),
    _conv((8, 8), (448, 384), (3, 1)),
    # segmentation: DeepLab, FCN, Fast-SCNN; dilated
    _dw((33, 33), 256, (3, 3), (1, 1), (12, 12)),
    _dw((65, 65), 128, (3, 3), (2, 2), (2, 2)),
    _conv((7, 7), (512, 512), (7, 7)),
    # super-resolution and images to images: FSRCNN, ESPCN, pix2pix
    _conv((64, 64), (1, 56), (5, 5)),
    _conv((64, 64), (56, 12), (1, 1)),
    _conv((64, 64), (3, 64), (4, 4), (2, 2)),
    _conv((16, 16), (256, 512), (4, 4), (2, 2)),
    # even filters
    _dw((28, 28), 128, (4, 4)),
    _dw((56, 56), 64, (2, 2), (2, 2)),
    _dw((56, 56), 96, (6, 6)),
    _dw((56, 56), 64, (4, 4), (2, 2)),
    # channel multipliers: MediaPipe's first layers, Ghost modules
    _dw((56, 56), 1, (3, 3), times=16),
    _dw((96, 96), 1, (3, 3), (2, 2), times=8),
    _dw((28, 28), 3, (3, 3), times=8),
    _dw((28, 28), 2, (3, 3), times=32),
    _dw((28, 28), 32, (3, 3), times=4),
    _dw((56, 56), 64, (3, 3), times=2),
    # ragged in every way
    _dw((33, 41), 20, (2, 2)),
    _dw((19, 37), 77, (5, 4), (1, 1)),
)


# Those that networks are quantized for.
INT8 = tuple(replace(case, dtype="int8") for case in CASES if case.activation == "relu6")

# Instructions are counted of all usual layers, of the main odd ones, and of each kind in int8.
COUNTED = (
    *CASES,
    *(
        case
        for case in ODD
        if case.name
        in {
            "depthwise 24x160 64 3x3s2x1",
            "depthwise 3x80 512 5x5s1x2",
            "standard 49x10 1-64 10x4s2",
            "depthwise 20x101 24 3x1s1",
            "depthwise 1x400 256 1x33s1",
            "standard 1x1000 64-128 1x2s1 d1x8",
            "depthwise 56x56 24 1x11s1",
            "depthwise 28x28 120 9x9s1",
            "standard 17x17 192-192 1x7s1",
            "depthwise 33x33 256 3x3s1 d12",
            "depthwise 56x56 96 6x6s1",
            "depthwise 28x28 3-24 3x3s1",
        }
    ),
    *(
        case
        for case in INT8
        if case.name.removesuffix(" int8")
        in {
            "depthwise 56x56 128 3x3s1",
            "depthwise 112x112 64 3x3s2",
            "depthwise 14x14 672 5x5s1",
            "depthwise 29x29 27 3x3s1",
            "pointwise 56x56 144-24",
            "pointwise 28x28 33-47",
            "pointwise 14x14 512-512",
            "separable 14x14 512-512 3x3s1",
            "inverted 14x14 96-576-96 3x3s1",
            "standard 28x28 64-64 3x3s1",
        }
    ),
)


def of_kind(*kinds: str) -> dict[str, Case]:
    """Return the cases of these kinds by name."""
    return {case.name: case for case in CASES if case.kind in kinds}
