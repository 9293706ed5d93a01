"""Convolutions, pooling and resizing of NHWC images in float64, straight from their definitions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np


def pad_image(x, padding, value=0.0):
    top, bottom, left, right = padding
    n, h, w, c = x.shape
    y = np.full((n, h + top + bottom, w + left + right, c), value)
    y[:, top : top + h, left : left + w] = x
    return y


def windows(x, kernel, attributes, value=0.0):
    """Return the pixels that each tap sees: (KH, KW, N, H', W', C)."""
    (sh, sw), (dh, dw) = attributes["stride"], attributes["dilation"]
    x = pad_image(x, attributes["padding"], value)
    rows = (x.shape[1] - (kernel[0] - 1) * dh - 1) // sh + 1
    columns = (x.shape[2] - (kernel[1] - 1) * dw - 1) // sw + 1
    taps = np.empty((*kernel, x.shape[0], rows, columns, x.shape[3]))
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            seen = x[:, i * dh :: sh, j * dw :: sw]
            taps[i, j] = seen[:, :rows, :columns]
    return taps


def conv(x, weight, attributes):
    groups = attributes.get("groups", 1)
    kh, kw, taken, made = weight.shape
    taps = windows(x, (kh, kw), attributes)
    parts = []
    for g in range(groups):
        filters = weight[..., g * made // groups : (g + 1) * made // groups]
        seen = taps[..., g * taken : (g + 1) * taken]
        parts.append(np.einsum("abnhwc,abco->nhwo", seen, filters))
    return np.concatenate(parts, -1)


def depthwise(x, weight, attributes):
    taps = windows(x, weight.shape[:2], attributes)
    y = np.einsum("abnhwc,abcm->nhwcm", taps, weight)
    return y.reshape(*y.shape[:3], -1)


def conv_transpose(x, weight, attributes):
    """Scatter every pixel, then cut the padding off."""
    (sh, sw), (dh, dw) = attributes["stride"], attributes["dilation"]
    groups = attributes.get("groups", 1)
    kh, kw, taken, made = weight.shape
    n, h, w, _ = x.shape
    extra = attributes["output_padding"]
    full = np.zeros(
        (
            n,
            (h - 1) * sh + (kh - 1) * dh + 1 + extra[0],
            (w - 1) * sw + (kw - 1) * dw + 1 + extra[1],
            made * groups,
        )
    )
    per = taken // groups
    for i in range(h):
        for j in range(w):
            for a in range(kh):
                for b in range(kw):
                    for g in range(groups):
                        part = x[:, i, j, g * per : (g + 1) * per]
                        part = part @ weight[a, b, g * per : (g + 1) * per]
                        at = i * sh + a * dh, j * sw + b * dw
                        full[:, at[0], at[1], g * made : (g + 1) * made] += part
    top, bottom, left, right = attributes["padding"]
    return full[:, top : full.shape[1] - bottom, left : full.shape[2] - right]


def pool(x, attributes):
    maximum = attributes["function"] == "max"
    taps = windows(x, attributes["kernel"], attributes, -np.inf if maximum else 0.0)
    if maximum:
        return taps.max((0, 1))
    inside = np.ones_like(x)
    counted = float(attributes.get("include_padding", False))
    counts = windows(inside, attributes["kernel"], attributes, counted)
    return taps.sum((0, 1)) / counts.sum((0, 1))


def zero_insert(x, stride):
    n, h, w, c = x.shape
    y = np.zeros((n, (h - 1) * stride[0] + 1, (w - 1) * stride[1] + 1, c))
    y[:, :: stride[0], :: stride[1]] = x
    return y


def resize(x, attributes):
    """Resize rows, then columns, each by a matrix of weights (output, input)."""
    rows, columns = (
        resize_matrix(attributes, old, new, scale)
        for old, new, scale in zip(
            x.shape[1:3], attributes["size"], attributes["scale"], strict=True
        )
    )
    return np.einsum("ah,bw,nhwc->nabc", rows, columns, x)


def exact_coordinates(coordinates, old, new, scale):
    if new == 1 and coordinates in ("align_corners", "pytorch_half_pixel"):
        return [Fraction(0)]
    if coordinates == "align_corners":
        return [Fraction(i * (old - 1), new - 1) for i in range(new)]
    if np.float32(scale) != np.float32(new / old):
        return None
    if coordinates == "asymmetric":
        return [Fraction(i * old, new) for i in range(new)]
    return [Fraction((2 * i + 1) * old - new, 2 * new) for i in range(new)]


def resize_matrix(attributes, old, new, scale):
    """Coordinates are float32; ties of two pixels are exact where sizes give them."""
    one, half, at = np.float32(1), np.float32(0.5), np.arange(new, dtype=np.float32)
    pixel_centres = (at + half) / np.float32(scale) - half
    at = {
        "half_pixel": pixel_centres,
        "pytorch_half_pixel": pixel_centres if new > 1 else np.zeros(1, np.float32),
        "asymmetric": at / np.float32(scale),
        "align_corners": at * np.float32(old - 1) / np.float32(max(new - 1, 1)),
    }[attributes["coordinates"]]
    if attributes["function"] == "nearest":
        rounding = {
            "round_prefer_floor": lambda v: np.ceil(v - half),
            "round_prefer_ceil": lambda v: np.floor(v + half),
            "floor": np.floor,
            "ceil": np.ceil,
        }[attributes.get("rounding", "round_prefer_floor")]
        index = rounding(at)
        if attributes.get("rounding", "round_prefer_floor").startswith("round_prefer"):
            exact = exact_coordinates(attributes["coordinates"], old, new, scale)
            ceil = attributes.get("rounding") == "round_prefer_ceil"
            half = Fraction(1, 2)
            if exact is not None:
                index = np.array(
                    [math.floor(v + half) if ceil else math.ceil(v - half) for v in exact]
                )
        taps = [(index, np.ones(new))]
    else:
        first = np.floor(at)
        s = (at - first).astype(np.float64)
        if attributes["function"] == "linear":
            taps = [(first, 1 - s), (first + one, s)]
        else:  # Keys' kernel with a = -0.75
            near = lambda t: 1.25 * t**3 - 2.25 * t**2 + 1  # noqa: E731
            far = lambda t: -0.75 * (t**3 - 5 * t**2 + 8 * t - 4)  # noqa: E731
            weights = [far(s + 1), near(s), near(1 - s), far(2 - s)]
            taps = [(first + np.float32(k - 1), w) for k, w in enumerate(weights)]
    matrix = np.zeros((new, old))
    for index, weight in taps:
        np.add.at(matrix, (np.arange(new), np.clip(index, 0, old - 1).astype(int)), weight)
    return matrix
