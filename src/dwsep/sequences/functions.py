"""Convolutions of sequences as functions: each makes a layer, calls it and forgets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .layers import Conv1D, DepthwiseConv1D, SeparableConv1D

if TYPE_CHECKING:
    from .._arguments import Array

__all__ = ["conv1d", "depthwise_conv1d", "separable_conv1d"]


def depthwise_conv1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Any,
) -> Array:
    """Convolve each channel of sequences with its own filters, as a `DepthwiseConv1D` does.

    Parameters
    ----------
    x : numpy.ndarray of float32, int8 or uint8, shape (W, C) or (N, W, C)
    weight : numpy.ndarray of float32 or int8, shape (K, C) or (K, C, M)
    bias : numpy.ndarray of float32 or int32, shape (C*M,), optional
    out, num_threads : optional
        As for `depthwise_conv2d`.
    **options
        `stride`, `padding`, `dilation`, `activation` and quantizations of `DepthwiseConv1D`.

    Examples
    --------
    >>> import numpy as np
    >>> import dwsep
    >>> x = np.arange(6, dtype=np.float32).reshape(6, 1)
    >>> dwsep.depthwise_conv1d(x, np.ones((3, 1), np.float32), padding="causal").ravel()
    array([ 0.,  1.,  3.,  6.,  9., 12.], dtype=float32)
    """
    return DepthwiseConv1D(weight, bias, **options)(x, out=out, num_threads=num_threads)


def separable_conv1d(
    x: Array,
    depthwise_weight: Array,
    weight: Array,
    depthwise_bias: Array | None = None,
    bias: Array | None = None,
    *,
    residual: Array | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Any,
) -> Array:
    """Convolve sequences depthwise, then pointwise, as a `SeparableConv1D` does.

    Parameters
    ----------
    x : numpy.ndarray of float32, int8 or uint8, shape (W, C) or (N, W, C)
    depthwise_weight, weight, depthwise_bias, bias
        As for `SeparableConv1D`.
    residual, out, num_threads : optional
        As for `separable_conv2d`.
    **options
        `stride`, `padding`, `dilation`, activations and quantizations of `SeparableConv1D`.
    """
    layer = SeparableConv1D(depthwise_weight, weight, depthwise_bias, bias, **options)
    return layer(x, residual, out=out, num_threads=num_threads)


def conv1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    residual: Array | None = None,
    out: Array | None = None,
    num_threads: int | None = None,
    **options: Any,
) -> Array:
    """Convolve sequences, as a `Conv1D` does.

    Parameters
    ----------
    x : numpy.ndarray of float32, int8 or uint8, shape (W, Cin) or (N, W, Cin)
    weight : numpy.ndarray of float32 or int8, shape (K, Cin / groups, Cout)
    bias : numpy.ndarray of float32 or int32, shape (Cout,), optional
    residual, out, num_threads : optional
        As for `conv2d`.
    **options
        `stride`, `padding`, `dilation`, `groups`, `activation` and quantizations of `Conv1D`.
    """
    layer = Conv1D(weight, bias, **options)
    return layer(x, residual, out=out, num_threads=num_threads)
