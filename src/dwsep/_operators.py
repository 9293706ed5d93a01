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


def _follow(name: str, weight: Array, takes: int, previous: str, gives: int) -> None:
    if takes != gives:
        raise ValueError(
            f"{name}: need {gives} input channels, as many as {previous} gives, "
            f"got {takes} in shape {weight.shape}"
        )


def depthwise(
    weight: object, b: object, stride: object, pad: object, dilation: object, act: object
) -> tuple[Array, Array | None, Pair, CanonicalPadding, Pair, CanonicalActivation]:
    """Return the canonical arguments of a depthwise convolution."""
    weights = depthwise_weights(weight, "weight")
    return (
        weights,
        bias(b, "bias", weights.shape[2] * weights.shape[3]),
        pair(stride, "stride"),
        padding(pad),
        pair(dilation, "dilation"),
        activation(act),
    )


def pointwise(
    weight: object, b: object, act: object
) -> tuple[Array, Array | None, CanonicalActivation]:
    """Return the canonical arguments of a pointwise convolution."""
    weights = pointwise_weights(weight, "weight")
    return weights, bias(b, "bias", weights.shape[1]), activation(act)


def separable(
    depthwise_weight: object,
    weight: object,
    depthwise_bias: object,
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
    first = depthwise_weights(depthwise_weight, "depthwise_weight")
    second = pointwise_weights(weight, "weight")
    middle = first.shape[2] * first.shape[3]
    _follow("weight", second, second.shape[0], "depthwise_weight", middle)
    return (
        first,
        second,
        bias(depthwise_bias, "depthwise_bias", middle),
        bias(b, "bias", second.shape[1]),
        pair(stride, "stride"),
        padding(pad),
        pair(dilation, "dilation"),
        activation(depthwise_act, "depthwise_activation"),
        activation(act),
    )


def inverted_residual(
    expand_weight: object,
    depthwise_weight: object,
    weight: object,
    expand_bias: object,
    depthwise_bias: object,
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
    first = pointwise_weights(expand_weight, "expand_weight")
    second = depthwise_weights(depthwise_weight, "depthwise_weight")
    third = pointwise_weights(weight, "weight")
    _follow("depthwise_weight", second, second.shape[2], "expand_weight", first.shape[1])
    middle = second.shape[2] * second.shape[3]
    _follow("weight", third, third.shape[0], "depthwise_weight", middle)
    return (
        first,
        second,
        third,
        bias(expand_bias, "expand_bias", first.shape[1]),
        bias(depthwise_bias, "depthwise_bias", middle),
        bias(b, "bias", third.shape[1]),
        pair(stride, "stride"),
        padding(pad),
        pair(dilation, "dilation"),
        activation(expand_act, "expand_activation"),
        activation(depthwise_act, "depthwise_activation"),
        activation(act),
    )


def standard(
    weight: object,
    b: object,
    stride: object,
    pad: object,
    dilation: object,
    groups: object,
    act: object,
) -> tuple[Array, Array | None, Pair, CanonicalPadding, Pair, int, CanonicalActivation]:
    """Return the canonical arguments of a standard convolution."""
    count = integer(groups, "groups", 1)
    weights = standard_weights(weight, "weight", count)
    return (
        weights,
        bias(b, "bias", weights.shape[3]),
        pair(stride, "stride"),
        padding(pad),
        pair(dilation, "dilation"),
        count,
        activation(act),
    )
