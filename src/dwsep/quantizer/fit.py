"""Rounds weights for the inputs that they meet: each makes up for how far those before it are off.

What a step computes of rounded weights is off by r X, r being how far they are from the real ones
and X its inputs. |r X|^2 = |C r|^2, with C C' a factorisation of X X' whose row k has entries up to
k only: one weight after the other is rounded to what leaves least (E. Frantar et al., "GPTQ", 2022,
arXiv:2210.17323, finds the same numbers by way of the inverse of X X'). To the nearest integers,
the 27 weights of EfficientNet-Lite0's first step alone cost 3 dB of its 20.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, frexp, prod, sqrt
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..graph.ir import Array, Node

__all__ = ["can_fit", "fitted"]

_PIXELS = 4096  # of all inputs together
_BLOCK = 64
_MOST_SQUARES = 2**24  # entries of X X': fitting 4096 inputs takes 0.7 GB, 25,088 would take 25
_DAMPING = 0.01  # of the mean square of inputs: there are fewer pixels than a real network meets

Doubles = NDArray[np.float64]


def can_fit(node: Node) -> bool:
    """Return whether the weights have a scale for each of their columns, and X X' has room."""
    if "weight_scale" not in node.weights or node.attributes.get("groups", 1) != 1:
        return False
    shape = node.weights["weight"].shape
    if node.kind == "depthwise":
        return bool(shape[2] * prod(shape[:2]) ** 2 <= _MOST_SQUARES)
    return bool(prod(shape[:-1]) ** 2 <= _MOST_SQUARES)


def fitted(
    node: Node, scales: Array, arrays: Sequence[NDArray[Any]], unit: Any, zero: Any
) -> Array:
    """Return weights of a convolution that are whole multiples of their scales.

    Parameters
    ----------
    node : Node
        With its real weights.
    scales : ndarray
        Of the weights, one for each output channel.
    arrays : sequence of ndarray
        What the step reads, for some inputs of the network.
    unit, zero : ndarray
        What 1 and what 0 of the arrays stand for: a number for all channels, or one for each.
    """
    weight = node.weights["weight"]
    unit, zero = np.asarray(unit, np.float32), np.asarray(zero, np.float32)
    x = np.concatenate([*_sampled(node, arrays, unit, zero)])
    # Ratios of squares decide: a power of two changes none of them, and squares stay finite.
    largest = max(float(x.max(initial=0.0)), -float(x.min(initial=0.0)))
    np.ldexp(x, -frexp(largest)[1], out=x)
    if node.kind == "depthwise":
        # (channels, taps, pixels) and (channels, taps, outputs)
        taps = x.reshape(len(x), weight.shape[2], -1).transpose(1, 2, 0)
        rows = weight.reshape(-1, *weight.shape[2:]).transpose(1, 0, 2)
        each = scales.reshape(weight.shape[2], 1, -1)
        whole = _rounded(rows, each, taps @ taps.transpose(0, 2, 1)).transpose(1, 0, 2)
    else:
        rows = weight.reshape(-1, weight.shape[-1])
        square = (x.T @ x).astype(np.float64)
        order = np.argsort(-np.diag(square), kind="stable")  # the most important have most left
        whole = np.empty_like(rows)
        square = square[order][:, order]
        whole[order] = _rounded(rows[order][np.newaxis], scales, square[np.newaxis])[0]
    result: Array = whole.reshape(-1, scales.size).astype(np.float32) * scales
    return result.reshape(weight.shape)


def _rounded(rows: Array, scales: Array, squares: NDArray[Any]) -> Array:
    """Return whole numbers (problems, k, columns), given X X' of each problem."""
    factors = _factors(squares.astype(np.float64))
    wanted = rows.astype(np.float64) / scales
    off = np.zeros_like(wanted)
    count = wanted.shape[1]
    for begin in range(0, count, _BLOCK):
        end = min(begin + _BLOCK, count)
        before = factors[:, begin:end, :begin] @ off[:, :begin]
        for k in range(begin, end):
            near = factors[:, k : k + 1, begin:k] @ off[:, begin:k]
            pull = (before[:, k - begin] + near[:, 0]) / factors[:, k, k, np.newaxis]
            whole = np.clip(np.rint(wanted[:, k] + pull), -127, 127)
            off[:, k] = wanted[:, k] - whole
    result: Array = (wanted - off).astype(np.float32)
    return np.rint(result)


def _factors(squares: Doubles) -> Doubles:
    """Return lower triangular C with C' C = X X', a little more on its diagonal."""
    count = squares.shape[-1]
    mean = np.trace(squares, axis1=-2, axis2=-1) / count
    damping = _DAMPING * np.where(mean > 0, mean, 1.0)
    damped = squares + np.eye(count) * damping[:, np.newaxis, np.newaxis]
    lower: NDArray[Any] = np.linalg.cholesky(damped[:, ::-1, ::-1])
    result: Doubles = lower[:, ::-1, ::-1].transpose(0, 2, 1)
    return result


def _sampled(
    node: Node, arrays: Sequence[NDArray[Any]], unit: Array, zero: Array
) -> Iterator[Array]:
    """Yield what some output pixels of each array are computed of, a row for each pixel."""
    wanted = max(1, _PIXELS // len(arrays))
    for array in arrays:
        if node.kind == "pointwise":
            pixels = array.reshape(-1, array.shape[-1])
            yield (pixels[:: ceil(len(pixels) / wanted)] - zero) * unit
            continue
        for image in array:
            windows = _windows(node, (image - zero) * unit)
            step = max(1, ceil(sqrt(windows.shape[0] * windows.shape[1] / wanted)))
            some = windows[step // 2 :: step, step // 2 :: step]
            if node.kind == "standard":
                some = some.transpose(0, 1, 3, 4, 2)
            yield some.reshape(-1, some[0, 0].size) if some.size else some.reshape(0, -1)


def _windows(node: Node, image: Array) -> Array:
    """Return what each output pixel is computed of: (height, width, channels, taps)."""
    kh, kw = node.weights["weight"].shape[:2]
    a = node.attributes
    top, bottom, left, right = a["padding"]
    (sh, sw), (dh, dw) = a["stride"], a["dilation"]
    padded = np.pad(image, ((top, bottom), (left, right), (0, 0)))
    size = ((kh - 1) * dh + 1, (kw - 1) * dw + 1)
    windows: Array = sliding_window_view(padded, size, axis=(0, 1))
    return windows[::sh, ::sw, :, ::dh, ::dw]
