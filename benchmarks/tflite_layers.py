"""Layers as TFLite files, for LiteRT, without TensorFlow: by the writer of the tests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .peer_runners import Chain, Convolution

__all__ = ["operator", "tflite_of", "writer"]

_CLIPS = {None: 0, "relu": 1, "relu6": 3}  # the schema's numbers


def writer() -> Any:
    """Return tests/tflite_writer.py of this tree."""
    tests = str(Path(__file__).resolve().parent.parent / "tests")
    if tests not in sys.path:
        sys.path.append(tests)
    import tflite_writer

    return tflite_writer


def operator(c: Convolution, channels: int) -> tuple[str, np.ndarray, dict[str, int]]:
    """Return the kind, the weights in its order, and the options."""
    options = {
        "stride_h": c.stride[0],
        "stride_w": c.stride[1],
        "dilation_h_factor": c.dilation[0],
        "dilation_w_factor": c.dilation[1],
        "activation": _CLIPS.get(c.activation, 0),
    }
    if c.groups < channels or channels == 1:
        return "CONV_2D", np.ascontiguousarray(c.w.transpose(0, 2, 3, 1)), options
    options["depth_multiplier"] = len(c.w) // channels
    return "DEPTHWISE_CONV_2D", np.ascontiguousarray(c.w.transpose(1, 2, 3, 0)), options


def tflite_of(chain: Chain) -> bytes:
    """Return a file of the convolutions, with their weights."""
    w = writer()
    shape = chain.x.shape
    tensors, operators, value = [w.tensor("x", shape)], [], "x"

    def add(kind: str, inputs: list[str], shape: tuple[int, ...], options: dict[str, int]) -> str:
        name = f"y{len(operators)}"
        tensors.append(w.tensor(name, shape))
        operators.append((kind, inputs, [name], options))
        return name

    for i, c in enumerate(chain.convolutions):
        kind, weights, options = operator(c, shape[3])
        tensors += [w.constant(f"w{i}", weights), w.constant(f"b{i}", c.bias)]
        shape = (shape[0], *c.output(shape[1:3]), len(c.w))
        value = add(kind, [value, f"w{i}", f"b{i}"], shape, options)
        if c.activation == "silu":
            gate = add("LOGISTIC", [value], shape, {})
            value = add("MUL", [value, gate], shape, {})
    if chain.residual:
        value = add("ADD", [value, "x"], shape, {})
    return bytes(w.model(tensors, operators, ["x"], [value]))
