"""Writes a network as an ONNX graph, one layer at a time, as a framework exports it for inference.

Convolutions have no bias and are followed by a BatchNormalization of their own, so that whoever
reads the graph meets what a trained network looks like. Weights are random. `Value.power` is the
mean square that a value is expected to have; every weight is scaled by that of its input, so that
activations neither vanish nor explode, however deep the network is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .._arguments import integer
from ._writer import Writer

if TYPE_CHECKING:
    import onnx

# The mean square after a batch norm of a value whose own is 1: E[gamma^2] E[1 / variance], and a
# little for the means.
NORM_POWER = 1.13
# The mean of what comes into the sigmoids of squeeze-excite. Mostly open: the more they spread, the
# less they let through, which keeps the values bounded.
EXCITE_BIAS = 1.5
# The mean square of f(x) when x is normal with mean square 1; sigmoids are those of squeeze-excite,
# with that bias. That of the swishes is a quarter for small x, 0.36 here and half for large x, so
# that one of these numbers cannot fit all: at 0.36 an image of twos gave logits of 75, and at 0.43
# the logits of two images could differ by only 2 %.
ACTIVATION_POWER = {
    "relu": 0.5,
    "relu6": 0.5,
    "hard_swish": 0.39,
    "silu": 0.39,
    "gelu": 0.43,
    "sigmoid": 0.62,
    "hard_sigmoid": 0.58,
}
POOLED_POWER = 0.25  # what an average over the image leaves of the mean square of a rectified value


@dataclass(frozen=True)
class Value:
    """An image of the network: its name, channels, height (which is its width), mean square."""

    name: str
    channels: int
    size: int
    power: float = 1.0


class Network(Writer):
    """An ONNX graph under construction, whose input is a batch of square RGB images.

    Parameters
    ----------
    name : str
        The graph's.
    resolution, classes, seed : int
        Checked here, as the caller gave them.
    epsilon : float
        Of all batch norms.
    same : bool
        Pad as TensorFlow's "same" does, the odd pixel last, instead of evenly.
    """

    def __init__(
        self,
        name: str,
        *,
        resolution: int,
        classes: int,
        seed: int,
        epsilon: float = 1e-5,
        same: bool = False,
    ) -> None:
        self.classes = integer(classes, "classes", 1)
        self.input = Value("input", 3, integer(resolution, "resolution", 32))
        self._name, self._epsilon, self._same = name, epsilon, same
        super().__init__(integer(seed, "seed", 0))

    def conv(
        self,
        x: Value,
        channels: int,
        kernel: int = 1,
        stride: int = 1,
        *,
        groups: int = 1,
        activation: str | None = None,
        norm: bool = True,
        bias: float | None = None,
        pad: bool = True,
    ) -> Value:
        """Append a convolution, its batch norm and its activation; `bias` is the mean of biases."""
        before, after = self._padding(x.size, kernel, stride) if pad else (0, 0)
        taps = x.channels // groups * kernel * kernel
        inputs = [
            x.name,
            self.weight(
                "weight",
                (channels, x.channels // groups, kernel, kernel),
                1 / math.sqrt(taps * x.power),
            ),
        ]
        if bias is not None:
            inputs.append(self.weight("bias", (channels,), 0.1, mean=bias))
        [name] = self.node(
            "Conv",
            *inputs,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            dilations=[1, 1],
            group=groups,
        )
        y = Value(name, channels, (x.size + before + after - kernel) // stride + 1)
        return self.activate(self._norm(y) if norm else y, activation)

    def depthwise(
        self,
        x: Value,
        kernel: int,
        stride: int = 1,
        *,
        activation: str | None = None,
        norm: bool = True,
        bias: float | None = None,
    ) -> Value:
        """Append a convolution of each channel by itself."""
        return self.conv(
            x,
            x.channels,
            kernel,
            stride,
            groups=x.channels,
            activation=activation,
            norm=norm,
            bias=bias,
        )

    def activate(self, x: Value, activation: str | None) -> Value:
        """Append an activation, in the nodes that exporters write for it."""
        if activation is None:
            return x
        if activation == "relu":
            [name] = self.node("Relu", x.name)
        elif activation == "relu6":
            [name] = self.node("Clip", x.name, self.scalar(0), self.scalar(6))
        elif activation == "hard_swish":
            [name] = self.node("HardSwish", x.name)
        elif activation == "hard_sigmoid":
            [name] = self.node("HardSigmoid", x.name, alpha=1 / 6, beta=0.5)
        elif activation == "sigmoid":
            [name] = self.node("Sigmoid", x.name)
        elif activation == "silu":
            [name] = self.node("Mul", x.name, *self.node("Sigmoid", x.name))
        elif activation == "gelu":
            [scaled] = self.node("Div", x.name, self.scalar(math.sqrt(2)))
            [error] = self.node("Erf", scaled)
            [twice] = self.node("Mul", x.name, *self.node("Add", error, self.scalar(1)))
            [name] = self.node("Mul", twice, self.scalar(0.5))
        else:
            raise ValueError(f"activation: need one of {[*ACTIVATION_POWER]}, got {activation!r}")
        return replace(x, name=name, power=x.power * ACTIVATION_POWER[activation])

    def add(self, x: Value, y: Value) -> Value:
        """Append a residual addition."""
        [name] = self.node("Add", x.name, y.name)
        return replace(y, name=name, power=x.power + y.power)

    def max_pool(self, x: Value, kernel: int, stride: int) -> Value:
        """Append a maximum over windows."""
        before, after = self._padding(x.size, kernel, stride)
        [name] = self.node(
            "MaxPool",
            x.name,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
        )
        # The largest of nine independent normal numbers has a mean square of 2.6, but neighbours
        # are alike.
        size = (x.size + before + after - kernel) // stride + 1
        return Value(name, x.channels, size, 2 * x.power)

    def average(self, x: Value) -> Value:
        """Append an average over the whole image, which remains an image of one pixel."""
        [name] = self.node("GlobalAveragePool", x.name)
        return Value(name, x.channels, 1, POOLED_POWER * x.power)

    def squeeze_excite(
        self, x: Value, reduced: int, reduce_activation: str, excite_activation: str
    ) -> Value:
        """Multiply each channel by a factor computed from the averages of all channels.

        Hu, Shen, Sun: "Squeeze-and-Excitation Networks", 2018, arXiv:1709.01507.
        """
        y = self.conv(self.average(x), reduced, norm=False, bias=0, activation=reduce_activation)
        y = self.conv(y, x.channels, norm=False, bias=EXCITE_BIAS, activation=excite_activation)
        [name] = self.node("Mul", x.name, y.name)
        return replace(x, name=name, power=x.power * y.power)

    def flatten(self, x: Value) -> Value:
        """Append the step from an image of one pixel to a vector."""
        [name] = self.node("Flatten", x.name, axis=1)
        return replace(x, name=name)

    def dense(self, x: Value, channels: int, activation: str | None = None) -> Value:
        """Append a fully connected layer on a vector."""
        weight = self.weight("weight", (channels, x.channels), 1 / math.sqrt(x.channels * x.power))
        bias = self.weight("bias", (channels,), 0.1)
        [name] = self.node("Gemm", x.name, weight, bias, transB=1)
        return self.activate(Value(name, channels, 1), activation)

    def classifier(self, x: Value) -> Value:
        """Append what most networks end with: the average over the image and a dense layer."""
        return self.dense(self.flatten(self.average(x)), self.classes)

    def model(self, logits: Value) -> onnx.ModelProto:
        """Return the finished network; `logits` is the output of the last node."""
        return self.finish(self._name, self.input.size, logits.channels)

    def _norm(self, x: Value) -> Value:
        c = x.channels
        [name] = self.node(
            "BatchNormalization",
            x.name,
            self.uniform("gamma", c, 0.8, 1.2),
            self.weight("beta", (c,), 0.1),
            self.weight("mean", (c,), 0.1),
            self.uniform("variance", c, 0.5, 1.5),
            epsilon=self._epsilon,
        )
        return replace(x, name=name, power=NORM_POWER * x.power)

    def _padding(self, size: int, kernel: int, stride: int) -> tuple[int, int]:
        if not self._same:
            return (kernel - 1) // 2, (kernel - 1) // 2
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        return total // 2, total - total // 2
