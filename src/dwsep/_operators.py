"""The arguments of each operator, in the order of its signature and in canonical form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._arguments import (
    activation,
    bias,
    depthwise_weights,
    integer,
    padding,
    pair,
    pointwise_weights,
    standard_weights,
)

if TYPE_CHECKING:
    from ._arguments import Array, CanonicalActivation, CanonicalPadding, Pair


def _follow(name: str, w: Array, takes: int, previous: str, gives: int) -> None:
    if takes != gives:
        raise ValueError(
            f"{name}: need {gives} input channels, as many as {previous} gives, "
            f"got {takes} in shape {w.shape}"
        )


def depthwise(
    w: object, b: object, stride: object, pad: object, dilation: object, act: object
) -> tuple[Array, Array | None, Pair, CanonicalPadding, Pair, CanonicalActivation]:
    """Return the canonical arguments of a depthwise convolution."""
    weights = depthwise_weights(w, "w")
    return (
        weights,
        bias(b, "bias", weights.shape[2] * weights.shape[3]),
        pair(stride, "stride"),
        padding(pad),
        pair(dilation, "dilation"),
        activation(act),
    )


def pointwise(w: object, b: object, act: object) -> tuple[Array, Array | None, CanonicalActivation]:
    """Return the canonical arguments of a pointwise convolution."""
    weights = pointwise_weights(w, "w")
    return weights, bias(b, "bias", weights.shape[1]), activation(act)


def separable(
    w_depthwise: object,
    w_pointwise: object,
    bias_depthwise: object,
    b: object,
    stride: object,
    pad: object,
    dilation: object,
    depthwise_act: object,
    act: object,
) -> tuple[
    Array,
    Array,
    Array | None,
    Array | None,
    Pair,
    CanonicalPadding,
    Pair,
    CanonicalActivation,
    CanonicalActivation,
]:
    """Return the canonical arguments of a separable convolution."""
    first = depthwise_weights(w_depthwise, "w_depthwise")
    second = pointwise_weights(w_pointwise, "w_pointwise")
    middle = first.shape[2] * first.shape[3]
    _follow("w_pointwise", second, second.shape[0], "w_depthwise", middle)
    return (
        first,
        second,
        bias(bias_depthwise, "bias_depthwise", middle),
        bias(b, "bias", second.shape[1]),
        pair(stride, "stride"),
        padding(pad),
        pair(dilation, "dilation"),
        activation(depthwise_act, "depthwise_activation"),
        activation(act),
    )


def inverted_residual(
    w_expand: object,
    w_depthwise: object,
    w_project: object,
    bias_expand: object,
    bias_depthwise: object,
    b: object,
    stride: object,
    pad: object,
    dilation: object,
    expand_act: object,
    depthwise_act: object,
    act: object,
) -> tuple[
    Array,
    Array,
    Array,
    Array | None,
    Array | None,
    Array | None,
    Pair,
    CanonicalPadding,
    Pair,
    CanonicalActivation,
    CanonicalActivation,
    CanonicalActivation,
]:
    """Return the canonical arguments of an inverted residual block."""
    first = pointwise_weights(w_expand, "w_expand")
    second = depthwise_weights(w_depthwise, "w_depthwise")
    third = pointwise_weights(w_project, "w_project")
    _follow("w_depthwise", second, second.shape[2], "w_expand", first.shape[1])
    middle = second.shape[2] * second.shape[3]
    _follow("w_project", third, third.shape[0], "w_depthwise", middle)
    return (
        first,
        second,
        third,
        bias(bias_expand, "bias_expand", first.shape[1]),
        bias(bias_depthwise, "bias_depthwise", middle),
        bias(b, "bias", third.shape[1]),
        pair(stride, "stride"),
        padding(pad),
        pair(dilation, "dilation"),
        activation(expand_act, "expand_activation"),
        activation(depthwise_act, "depthwise_activation"),
        activation(act),
    )


def standard(
    w: object,
    b: object,
    stride: object,
    pad: object,
    dilation: object,
    groups: object,
    act: object,
) -> tuple[Array, Array | None, Pair, CanonicalPadding, Pair, int, CanonicalActivation]:
    """Return the canonical arguments of a standard convolution."""
    count = integer(groups, "groups", 1)
    weights = standard_weights(w, "w", count)
    return (
        weights,
        bias(b, "bias", weights.shape[3]),
        pair(stride, "stride"),
        padding(pad),
        pair(dilation, "dilation"),
        count,
        activation(act),
    )
