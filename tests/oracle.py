"""What every operator must return: float64 values, and how far a float32 result may be from them.

Each function takes the keyword arguments of the `dwsep` function of the same name and returns an
`Estimate`. The bound is derived, not chosen:

- One output is a sum of K products, plus a bias, plus a residual. In any order, with or without
  fused multiply-adds, a term goes through at most n = K + [bias] + [residual] float32 roundings, so
  |error| <= gamma_n * (sum |x| |w| + |bias| + |residual|), gamma_n = n u / (1 - n u), u = 2**-24
  (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1).
- A product below the normal range loses at most half the smallest subnormal: n * 2**-149 covers it.
- A stage whose input is itself an estimate adds sum |w| * (bound of the input).
- An activation multiplies the bound by its Lipschitz constant and adds its own roundings, listed in
  `oracle_activations`.

The oracle's own rounding is 2**-29 of the bound and is neglected.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from oracle_activations import ACTIVATIONS, TINY, U, activation

__all__ = ["ACTIVATIONS", "TINY", "U", "activation"]


class Estimate(NamedTuple):
    value: np.ndarray
    bound: np.ndarray


def gamma(roundings: int) -> float:
    return roundings * U / (1 - roundings * U)


# --- geometry ---------------------------------------------------------------------------------


def pair(value) -> tuple[int, int]:
    one, two = (value, value) if isinstance(value, (int, np.integer)) else value
    return tuple(int(v) if isinstance(v, np.integer) else v for v in (one, two))


def resolve_padding(padding, size, kernel, stride=1, dilation=1):
    """Return the explicit ((top, bottom), (left, right)) that `padding` means."""
    if padding == "valid":
        return (0, 0), (0, 0)
    if isinstance(padding, str):
        sides = []
        axes = zip(pair(size), pair(kernel), pair(stride), pair(dilation), strict=True)
        for extent, taps, step, gap in axes:
            outputs = -(-extent // step)
            total = max((outputs - 1) * step + (taps - 1) * gap + 1 - extent, 0)
            less, more = total // 2, total - total // 2
            sides.append({"same": (less, more), "same_lower": (more, less)}[padding])
        return tuple(sides)
    vertical, horizontal = pair(padding)
    return pair(vertical), pair(horizontal)


def output_size(extent: int, taps: int, step: int, sides: tuple[int, int], gap: int) -> int:
    return max(0, (extent + sum(sides) - (taps - 1) * gap - 1) // step + 1)


class Window:
    """Where each tap of a kernel meets the input: the padding is left out, never multiplied."""

    def __init__(self, x_shape, kernel, stride, padding, dilation):
        self.size, self.kernel = x_shape[1:3], kernel
        self.stride, self.dilation = pair(stride), pair(dilation)
        self.padding = resolve_padding(padding, self.size, kernel, stride, dilation)
        self.output = tuple(
            output_size(*axis)
            for axis in zip(
                self.size, kernel, self.stride, self.padding, self.dilation, strict=True
            )
        )

    def taps(self):
        """Yield (kh, kw, index into the output, index into the input), without the channels."""
        for kh in range(self.kernel[0]):
            for kw in range(self.kernel[1]):
                rows, columns = self._reach(0, kh), self._reach(1, kw)
                out, into = zip(rows, columns, strict=True)
                yield kh, kw, (slice(None), *out), (slice(None), *into)

    def _reach(self, axis, tap):
        step = self.stride[axis]
        offset = tap * self.dilation[axis] - self.padding[axis][0]
        first = max(0, -(offset // step))
        last = min(self.output[axis] - 1, (self.size[axis] - 1 - offset) // step)
        if last < first:
            return slice(0, 0), slice(0, 0)
        start = first * step + offset
        return slice(first, last + 1), slice(start, last * step + offset + 1, step)


# --- activations ------------------------------------------------------------------------------


def activate(z: Estimate, spec) -> Estimate:
    function = activation(spec)
    value = function.value(z.value)
    spread = function.lipschitz * z.bound
    # Where the argument is off, the evaluation rounds at a neighbouring point: widen by the spread.
    rounding = function.rounding(z.value, np.abs(value) + spread)
    return Estimate(value, spread + rounding)


NO_SQUEEZE_EXCITE = dict.fromkeys(
    f"{stage}_{name}" for stage in ("reduce", "excite") for name in ("weight", "bias", "activation")
)

# --- operators --------------------------------------------------------------------------------


def _stage(x: Estimate, w, bias, spec, linear, terms, residual=None) -> Estimate:
    """One convolution: `linear(x, w)` is its float64 sum of `terms` products per output."""
    w = np.asarray(w, np.float64)
    value = linear(x.value, w)
    magnitude = linear(np.abs(x.value) + x.bound, np.abs(w))
    bound = linear(x.bound, np.abs(w))
    roundings = terms
    for addend in (bias, residual):
        if addend is not None:
            addend = np.asarray(addend, np.float64)
            value = value + addend
            magnitude = magnitude + np.abs(addend)
            roundings += 1
    bound = bound + gamma(roundings) * magnitude + roundings * TINY
    return activate(Estimate(value, bound), spec)


def _batched(x) -> Estimate:
    x = np.asarray(x, np.float64)
    x = x if x.ndim == 4 else x[None]
    return Estimate(x, np.zeros_like(x))


def _like(x, y: Estimate) -> Estimate:
    return y if np.ndim(x) == 4 else Estimate(y.value[0], y.bound[0])


def _depthwise(x, w, bias, window, spec) -> Estimate:
    w = np.asarray(w)
    w = w if w.ndim == 4 else w[..., None]
    win = Window(x.value.shape, w.shape[:2], *window)

    def linear(x, w):
        y = np.zeros((x.shape[0], *win.output, *w.shape[2:]))
        for kh, kw, out, into in win.taps():
            y[out] += x[into][..., None] * w[kh, kw]
        return y.reshape(*y.shape[:3], w.shape[2] * w.shape[3])

    return _stage(x, w, bias, spec, linear, w.shape[0] * w.shape[1])


def _pointwise(x, w, bias, spec, residual) -> Estimate:
    w = np.asarray(w)
    w = w.reshape(w.shape[-2:])
    return _stage(x, w, bias, spec, np.matmul, w.shape[0], residual)


def _squeeze_excite(x: Estimate, weights) -> Estimate:
    """Multiply each channel of an image by a factor made of the means of its channels.

    A mean of n values is a sum of n terms and a division, so n roundings; the product is one more.
    """
    if weights["reduce_weight"] is None:
        return x
    pixels = x.value.shape[1] * x.value.shape[2]

    def mean(values):
        return values.sum(axis=(1, 2), keepdims=True) / max(pixels, 1)

    magnitude = mean(np.abs(x.value) + x.bound)
    y = Estimate(mean(x.value), mean(x.bound) + gamma(pixels) * magnitude + pixels * TINY)
    for stage in ("reduce", "excite"):
        weight, bias, spec = (weights[f"{stage}_{n}"] for n in ("weight", "bias", "activation"))
        y = _pointwise(y, weight, bias, spec, None)
    largest = (np.abs(x.value) + x.bound) * (np.abs(y.value) + y.bound)
    spread = x.bound * np.abs(y.value) + y.bound * np.abs(x.value) + x.bound * y.bound
    return Estimate(x.value * y.value, spread + U * largest + TINY)


def depthwise_conv2d(
    x, weight, bias=None, *, stride=1, padding="same", dilation=1, activation=None
) -> Estimate:
    return _like(x, _depthwise(_batched(x), weight, bias, (stride, padding, dilation), activation))


def pointwise_conv2d(x, weight, bias=None, *, activation=None, residual=None) -> Estimate:
    return _like(x, _pointwise(_batched(x), weight, bias, activation, residual))


def separable_conv2d(
    x,
    depthwise_weight,
    weight,
    depthwise_bias=None,
    bias=None,
    *,
    stride=1,
    padding="same",
    dilation=1,
    depthwise_activation=None,
    activation=None,
    residual=None,
    **squeeze_excite,
) -> Estimate:
    window = stride, padding, dilation
    y = _depthwise(_batched(x), depthwise_weight, depthwise_bias, window, depthwise_activation)
    y = _squeeze_excite(y, NO_SQUEEZE_EXCITE | squeeze_excite)
    return _like(x, _pointwise(y, weight, bias, activation, residual))


def inverted_residual(
    x,
    expand_weight,
    depthwise_weight,
    weight,
    expand_bias=None,
    depthwise_bias=None,
    bias=None,
    *,
    stride=1,
    padding="same",
    dilation=1,
    expand_activation=None,
    depthwise_activation=None,
    activation=None,
    residual=None,
    **squeeze_excite,
) -> Estimate:
    y = _pointwise(_batched(x), expand_weight, expand_bias, expand_activation, None)
    y = _depthwise(
        y, depthwise_weight, depthwise_bias, (stride, padding, dilation), depthwise_activation
    )
    y = _squeeze_excite(y, NO_SQUEEZE_EXCITE | squeeze_excite)
    return _like(x, _pointwise(y, weight, bias, activation, residual))


def conv2d(
    x,
    weight,
    bias=None,
    *,
    stride=1,
    padding="same",
    dilation=1,
    groups=1,
    activation=None,
    residual=None,
) -> Estimate:
    batch = _batched(x)
    weight = np.asarray(weight)
    win = Window(batch.value.shape, weight.shape[:2], stride, padding, dilation)
    cin, cout = weight.shape[2], weight.shape[3] // groups

    def linear(x, weight):
        y = np.zeros((x.shape[0], *win.output, groups * cout))
        for kh, kw, out, into in win.taps():
            for g in range(groups):
                columns = slice(g * cout, (g + 1) * cout)
                rows = slice(g * cin, (g + 1) * cin)
                y[(*out, columns)] += x[(*into, rows)] @ weight[kh, kw][:, columns]
        return y

    terms = weight.shape[0] * weight.shape[1] * cin
    return _like(x, _stage(batch, weight, bias, activation, linear, terms, residual))
