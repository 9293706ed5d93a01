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
    shown,
    standard_weights,
)

if TYPE_CHECKING:
    from typing import TypeAlias

    from typing_extensions import Unpack

    from ._arguments import Array, CanonicalActivation, CanonicalPadding, Pair

    SqueezeExcite: TypeAlias = tuple[
        Array | None,
        Array | None,
        CanonicalActivation,
        Array | None,
        Array | None,
        CanonicalActivation,
    ]


def _follow(name: str, weight: Array, takes: int, previous: str, gives: int) -> None:
    if takes != gives:
        raise ValueError(
            f"{name}: need {gives} input channels, as many as {previous} gives, "
            f"got {takes} in shape {weight.shape}"
        )


def _squeeze_excite(
    channels: int,
    reduce_weight: object,
    reduce_bias: object,
    reduce_act: object,
    excite_weight: object,
    excite_bias: object,
    excite_act: object,
) -> SqueezeExcite:
    """Return the canonical arguments of the squeeze-excite within a block, all None for none."""
    if reduce_weight is None and excite_weight is None:
        given = {
            "reduce_bias": reduce_bias,
            "reduce_activation": reduce_act,
            "excite_bias": excite_bias,
            "excite_activation": excite_act,
        }
        for name, value in given.items():
            if value is not None:
                raise ValueError(
                    f"{name}: need None without reduce_weight and excite_weight, got {shown(value)}"
                )
        return None, None, None, None, None, None
    reduce = pointwise_weights(reduce_weight, "reduce_weight")
    excite = pointwise_weights(excite_weight, "excite_weight")
    _follow("reduce_weight", reduce, reduce.shape[0], "depthwise_weight", channels)
    _follow("excite_weight", excite, excite.shape[0], "reduce_weight", reduce.shape[1])
    if excite.shape[1] != channels:
        raise ValueError(
            f"excite_weight: need {channels} output channels, as many as depthwise_weight gives, "
            f"got {excite.shape[1]} in shape {excite.shape}"
        )
    return (
        reduce,
        bias(reduce_bias, "reduce_bias", reduce.shape[1]),
        activation(reduce_act, "reduce_activation"),
        excite,
        bias(excite_bias, "excite_bias", channels),
        activation(excite_act, "excite_activation"),
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
    *squeeze_excite: Unpack[tuple[object, object, object, object, object, object]],
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
    Unpack[SqueezeExcite],
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
        *_squeeze_excite(middle, *squeeze_excite),
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
    *squeeze_excite: Unpack[tuple[object, object, object, object, object, object]],
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
    Unpack[SqueezeExcite],
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
        *_squeeze_excite(middle, *squeeze_excite),
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
