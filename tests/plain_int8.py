"""Operators on int8 and uint8 other than convolutions, from their definitions, in NumPy.

Arrays come with their quantization (scale, zero point); what is computed in float32 rounds once
at each operation.
"""

from __future__ import annotations

import numpy as np

F32 = np.float32
CLIPS = {None: (-np.inf, np.inf), "relu": (0.0, np.inf), "relu6": (0.0, 6.0)}


def less_zero(x, q):
    return x.astype(np.int64) - q[1]


def bounds(activation):
    return CLIPS[activation] if activation in CLIPS else activation[1:]


def finished(v, out, activation=None, added=0):
    """Return stored values of real ones in units of the output's scale, a zero point `added`."""
    lo, hi = bounds(activation)
    if out is None:
        return np.clip(v, F32(lo), F32(hi)).astype(F32)
    scale, zero, dtype = out
    limits = np.iinfo(dtype)
    with np.errstate(over="ignore"):
        low, high = (np.rint(float(F32(b) / F32(scale))) + zero + added for b in (lo, hi))
    low, high = (np.clip(b, limits.min, limits.max) for b in (low, high))
    return np.clip(np.rint(v.astype(np.float64)) + zero, low, high).astype(dtype)


def unit(out):
    return F32(1) if out is None else F32(out[0])


def binary(function, a, qa, b, qb, out, activation=None):
    a, b = less_zero(a, qa), less_zero(b, qb)
    sa, sb = F32(qa[0]), F32(qb[0])
    if function == "mul":
        v = a.astype(F32) * b.astype(F32) * (sa * sb / unit(out))
    else:
        sign = F32(-1 if function == "sub" else 1)
        v = a.astype(F32) * (sa / unit(out)) + b.astype(F32) * (sign * (sb / unit(out)))
    return finished(v, out, activation)


def binary_zero_first(function, a, qa, b, qb, out, activation=None):
    """Return a sum or product to which the zero point is added before it is rounded.

    (A product of a byte and a float32, plus another one, is exact in longdouble.)
    """
    sa, sb = F32(qa[0]) / unit(out), F32(qb[0]) / unit(out)
    if function == "mul":
        v = less_zero(a, qa).astype(F32) * less_zero(b, qb).astype(F32)
        v = v * (F32(qa[0]) * F32(qb[0]) / unit(out)) + F32(out[1])
    else:
        first = F32(out[1]) - fused(qa[1], sa, F32(qb[1]) * sb)
        v = fused(a, sa, fused(b, sb, first))
    return finished(v, (out[0], 0, out[2]), activation, out[1])


def fixed_point_sum(function, a, qa, b, qb, out, activation=None):
    """Return a sum of integers times multipliers of 21 bits; half of a step rounds up."""
    sa, sb = (float(F32(q[0]) / F32(out[0])) for q in (qa, qb))
    if min(sa, sb) < 2**-10 or max(sa, sb) >= 2**8:
        return binary(function, a, qa, b, qb, out, activation)
    shift = 21 - np.frexp(max(sa, sb))[1]
    a_factor, b_factor = (int(np.rint(s * 2.0**shift)) for s in (sa, sb))
    b_factor = -b_factor if function == "sub" else b_factor
    total = less_zero(a, qa) * a_factor + less_zero(b, qb) * b_factor
    return finished((total + 2 ** (shift - 1)) >> shift, out, activation)


def fused(a, b, c):
    return (np.longdouble(a) * np.longdouble(b) + np.longdouble(c)).astype(F32)


def windows(size, kernel, stride, dilation, before, out):
    """Return for each output of an axis the inputs of its window, none of the padding."""
    starts = (i * stride - before for i in range(out))
    taps = ([s + k * dilation for k in range(kernel)] for s in starts)
    return [[t for t in window if 0 <= t < size] for window in taps]


def mean(values, count, q, out, ties="even"):
    """Return the mean of `count` values, of which these are not zero; channels are last."""
    if ties == "away":
        total = values.astype(np.int64).sum(0)
        nearest = (2 * np.abs(total) + count) // (2 * count)
        return (np.sign(total) * nearest).astype(out[2])
    if ties == "zero_first":
        total = np.zeros(values.shape[1:], F32)
        for tap in less_zero(values, q).astype(F32) * F32(q[0]):
            total = total + tap
        v = total / F32(count) / F32(out[0]) + F32(out[1])
        return finished(v, (out[0], 0, out[2]), None, out[1])
    total = less_zero(values, q).sum(0)
    return finished(total.astype(F32) * (F32(q[0]) / unit(out) / F32(count)), out)


def mean_in_one(values, count, q, out):
    """Return the mean whose scales are divided once."""
    scale = F32(q[0]) / (F32(out[0]) * F32(count))
    return finished(less_zero(values, q).sum(0).astype(F32) * scale, out)


def pool(x, q, a, out):
    """Pool NHWC images."""
    (kh, kw), (top, bottom, left, right) = a["kernel"], a["padding"]
    sizes = [
        (n + before + after - (k - 1) * d - 1) // s + 1
        for n, k, s, d, before, after in zip(
            x.shape[1:3],
            (kh, kw),
            a["stride"],
            a["dilation"],
            (top, left),
            (bottom, right),
            strict=True,
        )
    ]
    axes = [
        windows(*each)
        for each in zip(
            x.shape[1:3], (kh, kw), a["stride"], a["dilation"], (top, left), sizes, strict=True
        )
    ]
    kind = x.dtype if a["function"] == "max" else F32 if out is None else out[2]
    y = np.empty((x.shape[0], *sizes, x.shape[3]), kind)
    for image in range(len(x)):
        for i, rows in enumerate(axes[0]):
            for j, columns in enumerate(axes[1]):
                window = x[image][np.ix_(rows, columns)].reshape(-1, x.shape[3])
                if a["function"] == "max":
                    y[image, i, j] = window.max(0, initial=np.iinfo(x.dtype).min)
                else:
                    count = kh * kw if a.get("include_padding") else len(window)
                    y[image, i, j] = mean(window, max(count, 1), q, out, a.get("ties", "even"))
    return y


def resize_linear(x, size, coordinates):
    """Resize NHWC images with weights of 11 bits."""

    def taps(n, out):
        at = np.arange(out, dtype=F32)
        scale = F32(out / n)
        if coordinates == "align_corners":
            at = at * F32(n - 1) / F32(out - 1) if out > 1 else at * 0
        else:
            at = (at + F32(0.5)) / scale - F32(0.5) if coordinates == "half_pixel" else at / scale
        at = np.clip(at, 0, n - 1).astype(F32)
        first = np.floor(at).astype(int)
        return first, np.minimum(first + 1, n - 1), np.rint((at - first) * 2048).astype(np.int64)

    top, bottom, down = taps(x.shape[1], size[0])
    left, right, across = taps(x.shape[2], size[1])
    rows = x.astype(np.int64)
    across = across[None, None, :, None]
    wide = rows[:, :, left] * (2048 - across) + rows[:, :, right] * across
    down = down[None, :, None, None]
    y = wide[:, top] * (2048 - down) + wide[:, bottom] * down
    return ((y + (1 << 21)) >> 22).astype(x.dtype)


def softmax(x, q, axis, out):
    """Return powers of float32 over their sum, in float64, rounded once."""
    below = x.max(axis, keepdims=True).astype(np.int64) - x
    power = np.exp(-np.float64(F32(q[0])) * np.arange(256)).astype(F32).astype(np.float64)[below]
    total = np.take(np.cumsum(power, axis), [-1], axis)  # in order
    p = power * (1 / (total * np.float64(unit(out))))
    return p.astype(F32) if out is None else finished(p, out)
