"""The layers that the benchmarks measure.

Nothing here comes from dwsep: the list must mean the same on every commit that it measures, also
on those that are older than it. A name is a key of `counts.json` and of asv's results, so a case
is never changed, only added or taken away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any

__all__ = ["CASES", "INT8", "QUICK", "Case", "of_kind"]


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


# Those that networks are quantized for.
INT8 = tuple(replace(case, dtype="int8") for case in CASES if case.activation == "relu6")


def of_kind(*kinds: str) -> dict[str, Case]:
    """Return the cases of these kinds by name."""
    return {case.name: case for case in CASES if case.kind in kinds}
