"""Scales and shifts by channel, and convolutions that absorb them. All arithmetic is float64."""

from __future__ import annotations

import numpy as np

from ..ir import Array, Node
from ..sizes import is_size
from ._edit import Edit, Wide

CONSUMERS = ("conv", "dense", "depthwise", "pointwise", "standard")

# One number may stand for as many channels as a file says, which need not fit memory.
_MOST_CHANNELS = 1 << 20


class Affine:
    """y = x * scale + shift, with `scale` and `shift` of shape (C,)."""

    __slots__ = ("scale", "shift", "x")

    def __init__(self, x: str, scale: Wide, shift: Wide) -> None:
        self.x, self.scale, self.shift = x, scale, shift

    def after(self, first: Affine) -> Affine | None:
        """Return both in one; None where float32 cannot hold that."""
        with np.errstate(all="ignore"):
            scale = self.scale * first.scale
            shift = self.scale * first.shift + self.shift
            finite = np.isfinite([scale.astype(np.float32), shift.astype(np.float32)])
        return Affine(first.x, scale, shift) if finite.all() else None


def affine_of(edit: Edit, node: Node, axis: int | None = None) -> Affine | None:
    """Return what a `batch_norm` or `binary` does to the channels along an axis, if nothing else.

    Without `axis`, the channels are those of an image or of features.
    """
    shape = edit.shape(node.output)
    if len(shape) < 2:
        return None
    own = edit.channel_axis(len(shape))
    axis = own if axis is None else axis
    if node.kind == "batch_norm":
        scale, shift = (node.weights[name].astype(np.float64) for name in ("scale", "shift"))
        return Affine(node.inputs[0], scale.ravel(), shift.ravel()) if axis == own else None
    if node.attributes.get("activation") is not None:
        return None
    function = node.attributes["function"]
    a, b = node.inputs
    for x, known, swapped in ((a, b, False), (b, a, True)):
        channels = shape[axis]
        if edit.constant(known) is None or edit.shape(x) != shape:
            continue
        if channels is None or channels > _MOST_CHANNELS:
            continue
        values = _by_channel(edit, known, len(shape), axis, channels)
        terms = None if values is None else _terms(function, values, swapped)
        if terms is not None and all(np.isfinite(term).all() for term in terms):
            return Affine(x, *terms)
    return None


def _by_channel(edit: Edit, name: str, rank: int, axis: int, channels: int) -> Wide | None:
    """Return a constant as (C,) if it broadcasts along the axis of channels only.

    It is (1,) if it is one number, and C an open size.
    """
    values = edit.constant(name)
    if values is None or values.ndim > rank:
        return None
    aligned = (1,) * (rank - values.ndim) + values.shape
    if any(n != 1 for i, n in enumerate(aligned) if i != axis):
        return None
    if values.size == 1 and is_size(channels):  # asking for the number would hold the size to it
        return values.astype(np.float64).ravel()
    return np.broadcast_to(values.astype(np.float64).ravel(), (channels,))


def _terms(function: str, values: Wide, swapped: bool) -> tuple[Wide, Wide] | None:
    ones, zeros = np.ones_like(values), np.zeros_like(values)
    if function == "add":
        return ones, values
    if function == "sub":
        return (-ones, values) if swapped else (ones, -values)
    if function == "mul":
        return values, zeros
    if function == "div" and not swapped and np.all(values != 0):
        return 1 / values, zeros
    return None


@np.errstate(all="ignore")
def absorb_after(node: Node, affine: Affine) -> dict[str, Array] | None:
    """Return the weights of a convolution that does what follows it as well; None if inexact."""
    if node.attributes.get("activation") is not None:
        return None
    if len(node.inputs) > 1 and np.any(affine.scale != 1):
        return None  # it would have to scale the residual
    weight = node.weights["weight"].astype(np.float64)
    scale = affine.scale
    if node.kind == "depthwise":
        weight *= scale.reshape(weight.shape[2:])
    elif node.kind == "conv_transpose":
        groups = node.attributes.get("groups", 1)
        per_input = np.repeat(scale.reshape(groups, -1), weight.shape[2] // groups, axis=0)
        weight *= per_input
    else:
        weight *= scale
    return _with(node, weight, _bias(node, scale.size) * scale + affine.shift)


@np.errstate(all="ignore")
def absorb_before(node: Node, affine: Affine) -> dict[str, Array] | None:
    """Return the weights of a convolution that does what precedes it as well; None if inexact.

    Padding is put on after the shift, so with padding there may be none.
    """
    padded = any(node.attributes.get("padding", ()))
    if padded and np.any(affine.shift):
        return None
    weight = node.weights["weight"].astype(np.float64)
    if node.kind == "depthwise":
        by_input = (affine.scale[:, None], affine.shift[:, None])
        taps: tuple[int, ...] = (0, 1)
    elif node.kind in ("dense", "pointwise"):
        by_input = (affine.scale[:, None], affine.shift[:, None])
        taps = (weight.ndim - 2,)
    else:
        per_group = weight.shape[3] // node.attributes.get("groups", 1)
        scale, shift = (
            np.repeat(v.reshape(-1, weight.shape[2]), per_group, axis=0).T
            for v in (affine.scale, affine.shift)
        )
        by_input, taps = (scale, shift), (0, 1, 2)
    moved = (weight * by_input[1]).sum(axis=taps).ravel()
    return _with(node, weight * by_input[0], _bias(node, moved.size) + moved)


def _bias(node: Node, channels: int) -> Wide:
    bias = node.weights.get("bias")
    return np.zeros(channels) if bias is None else bias.astype(np.float64)


def _with(node: Node, weight: Wide, bias: Wide) -> dict[str, Array] | None:
    """Return the weights as float32, or None where they exceed it though they did not before."""
    with np.errstate(over="ignore"):
        narrow = weight.astype(np.float32), bias.astype(np.float32)
    if not all(np.isfinite(part).all() for part in narrow):
        return None
    return {**node.weights, "weight": narrow[0], "bias": narrow[1]}
