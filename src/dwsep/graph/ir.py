"""The graph that importers make, passes rewrite and lowering turns into a plan.

A graph is a list of nodes in topological order. Every node has one output, whose name is the name
of the value. Every value has a type: shape, data type and quantization (see `types`); all are
float32 so far. The first axis of an input may be of unknown size (None), the batch; every other
size is known, so that a shape is a tuple of ints with None for the batch.

The vocabulary (kind: inputs; attributes; weights). Activations are spelled as in the functional API
(None, "relu6", ("clip", lo, hi), ("leaky_relu", slope), ...). Pairs are (vertical, horizontal),
`padding` is (top, bottom, left, right). An input that may be absent is in brackets.

==================  ==============  ============================================================
kind                inputs          attributes; weights
==================  ==============  ============================================================
conv                x[, residual]   stride, dilation, padding, groups, activation; weight
                                    (KH, KW, Cin / groups, Cout), bias (Cout,)
batch_norm          x               ; scale, shift (C,): y = x * scale + shift
dense               x[, residual]   activation; weight (Cin, Cout), bias: over the last axis
depthwise           x               stride, dilation, padding, activation; weight
                                    (KH, KW, C, M), bias
pointwise           x[, residual]   activation; weight (Cin, Cout), bias
standard            x[, residual]   as conv
separable           x[, residual]   stride, dilation, padding, depthwise_activation,
                                    activation; depthwise_weight, depthwise_bias, weight,
                                    bias; with squeeze-excite reduce_activation,
                                    excite_activation; reduce_weight (C, R), reduce_bias,
                                    excite_weight (R, C), excite_bias
inverted_residual   x[, residual]   as separable, and expand_activation; expand_weight,
                                    expand_bias
conv_transpose      x               stride, dilation, padding, output_padding (a pair),
                                    groups, activation; weight (KH, KW, Cin, Cout / groups),
                                    bias
activation          x               activation
unary               x               function: exp, log, sqrt, neg, abs, erf, reciprocal,
                                    floor, ceil, round, softplus, sin, cos, sign
binary              a, b            function: add, sub, mul, div, min, max, pow, prelu (a
                                    where a >= 0, else a * b), activation; NumPy's
                                    broadcasting
pool                x               function: max, average; kernel, stride, dilation,
                                    padding, include_padding (bool, average only)
reduce              x               function: mean, sum, max, min; axes, keepdims
softmax             x               axis, log (bool)
layer_norm          x               epsilon; scale, shift: over the last axis
concat              x...            axis
slice               x               starts, stops, steps: one for every axis; stops may be
                                    None (to the end, in the step's direction)
pad                 x               mode: constant, reflect, edge; before, after: one for
                                    every axis; value
transpose           x               perm
reshape             x               shape: 0 keeps the size of the same axis, -1 (once) is
                                    what remains
resize              x               function: nearest, linear, cubic; size (H, W) of the
                                    output; scale (a pair, output over input, as the file
                                    gives it); coordinates: half_pixel,
                                    pytorch_half_pixel, asymmetric, align_corners;
                                    rounding: round_prefer_floor, round_prefer_ceil, floor,
                                    ceil
matmul              a, b            NumPy's, both computed by the network
zero_insert         x               stride: zeros between pixels
gather              x               axis, indices (constant)
expand              x               shape: NumPy's broadcasting; 0 keeps a size
identity            x
==================  ==============  ============================================================

An importer makes conv, conv_transpose, batch_norm, dense and the simple ones, with images as in
the file (NCHW for ONNX). After the layout pass all axes are those of memory and images are NHWC;
after the last pass conv, conv_transpose, batch_norm and dense are gone. What remains are the kinds
that the C++ core knows under the same names and attributes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .types import Shape, TensorType

Array = NDArray[np.float32]


@dataclass(eq=False)
class Node:
    """One operation; `output` is the name of its value, `name` is for people."""

    kind: str
    inputs: list[str]
    output: str
    attributes: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, Array] = field(default_factory=dict)
    name: str = ""


@dataclass(eq=False)
class Graph:
    """A network: `types` has every value's, `constants` are values that are known.

    `channels_last` says whether images are NHWC, as they are after the layout pass, or NCHW.
    """

    name: str
    inputs: list[str]
    outputs: list[str]
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)
    types: dict[str, TensorType] = field(default_factory=dict)
    channels_last: bool = False

    def shape(self, value: str) -> Shape:
        """Return the shape of a value."""
        return self.types[value].shape

    def producer(self, value: str) -> Node | None:
        """Return the node that computes a value, None for inputs and constants."""
        return next((n for n in self.nodes if n.output == value), None)

    def users(self) -> dict[str, list[Node]]:
        """Return the nodes that read each value; a node that reads it twice is there twice."""
        users: dict[str, list[Node]] = {}
        for node in self.nodes:
            for value in node.inputs:
                users.setdefault(value, []).append(node)
        return users
