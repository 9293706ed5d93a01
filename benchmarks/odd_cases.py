"""Layers of networks that are not the usual ones, and whose instructions are counted.

As in `cases`, nothing comes from dwsep, and a case is never changed.
"""

from __future__ import annotations

from .cases import CASES, INT8, Case

__all__ = ["COUNTED", "ODD"]


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


def _groups(shape: tuple[int, int], channels: int, groups: int, stride: int = 1) -> Case:
    return _odd("standard", shape, (channels, channels), (3, 3), (stride, stride), groups=groups)


# Filters of one row or column, large or even, unequal strides, dilation, channel multipliers, few
# pixels, few channels.
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
    # few channels a group: ResNeXt, DLA, RegNet
    _groups((56, 56), 128, 32),
    _groups((28, 28), 256, 32, 2),
    _groups((56, 56), 64, 32),
    _groups((14, 14), 416, 104),
    _groups((15, 15), 208, 26),
    _groups((7, 7), 80, 10),
    # few outputs of short rows: heads of detectors and poses
    _conv((13, 13), (256, 4), (3, 3)),
    # ragged in every way
    _dw((33, 41), 20, (2, 2)),
    _dw((19, 37), 77, (5, 4), (1, 1)),
)


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
