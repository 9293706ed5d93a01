"""The arguments of each operator, in the order of its signature and in canonical form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ._arguments import (
    bias,
    depthwise_weights,
    integer,
    padding,
    pair,
    pointwise_weights,
    standard_weights,
)
from ._checks import activation
from ._quantized import (
    check_output,
    check_scales,
    no_squeeze_excite,
    output_channels,
    quantizations,
)
from ._squeeze_excite import follow, squeeze_excite_arguments

if TYPE_CHECKING:
    from typing import TypeAlias

    from typing_extensions import Unpack

    from ._arguments import Array, CanonicalPadding, Pair
    from ._checks import CanonicalActivation
    from ._squeeze_excite import SqueezeExcite
    from .quantization import Quantization

    Q: TypeAlias = Quantization | None
    Given: TypeAlias = Mapping[str, object]  # quantizations by name, x's first
    # What a block's convolutions got, in the order in which they run.
    Two: TypeAlias = tuple[object, object]
    Three: TypeAlias = tuple[object, object, object]
    Window: TypeAlias = tuple[object, object, object]  # stride, padding, dilation


def _check_last(x_q: Q, weight_q: Q, q: Q, residual_q: Q, channels: int) -> None:
    """Check what a matrix product with these outputs reads and writes."""
    check_scales(x_q, "x_quantization", 0, "")
    check_scales(weight_q, "weight_quantization", channels, "output")
    check_output(q, "quantization", channels, residual_q)
    check_scales(residual_q, "residual_quantization", 0, "")


def _window(window: Window) -> tuple[Pair, CanonicalPadding, Pair]:
    stride, pad, dilation = window
    return pair(stride, "stride"), padding(pad), pair(dilation, "dilation")


def depthwise(
    weight: object, b: object, window: Window, act: object, given: Given
) -> tuple[Array, Array | None, Pair, CanonicalPadding, Pair, CanonicalActivation, Q, Q, Q]:
    """Return the canonical arguments of a depthwise convolution."""
    x_q, weight_q, q = quantizations(given, ("quantization",))
    weights = depthwise_weights(weight, "weight", weight_q)
    channels = output_channels(weights)
    act = activation(act)
    check_scales(x_q, "x_quantization", weights.shape[2], "input")
    check_scales(weight_q, "weight_quantization", channels, "output")
    check_output(q, "quantization", channels, None)
    return (
        weights,
        bias(b, "bias", channels, x_q),
        *_window(window),
        act,
        x_q,
        weight_q,
        q,
    )


def pointwise(
    weight: object, b: object, act: object, given: Given
) -> tuple[Array, Array | None, CanonicalActivation, Q, Q, Q, Q]:
    """Return the canonical arguments of a pointwise convolution."""
    x_q, weight_q, q, residual_q = quantizations(given, ("quantization", "residual_quantization"))
    weights = pointwise_weights(weight, "weight", weight_q)
    act = activation(act)
    _check_last(x_q, weight_q, q, residual_q, weights.shape[1])
    return weights, bias(b, "bias", weights.shape[1], x_q), act, x_q, weight_q, q, residual_q


def separable(
    weights: Two, biases: Two, window: Window, activations: Two, squeeze_excite: Given, given: Given
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
    Q,
    Q,
    Q,
    Q,
    Q,
    Q,
]:
    """Return the canonical arguments of a separable convolution."""
    qs = quantizations(given, ("quantization", "residual_quantization"))
    x_q, first_q, middle_q, weight_q, q, residual_q = qs
    no_squeeze_excite(x_q, squeeze_excite)
    first = depthwise_weights(weights[0], "depthwise_weight", first_q)
    second = pointwise_weights(weights[1], "weight", weight_q)
    middle = output_channels(first)
    follow("weight", second, second.shape[0], "depthwise_weight", middle)
    act = activation(activations[1])
    check_scales(x_q, "x_quantization", first.shape[2], "input")
    check_scales(first_q, "depthwise_weight_quantization", middle, "output")
    check_scales(middle_q, "depthwise_quantization", 0, "")
    _check_last(None, weight_q, q, residual_q, second.shape[1])
    return (
        first,
        second,
        bias(biases[0], "depthwise_bias", middle, x_q),
        bias(biases[1], "bias", second.shape[1], x_q),
        *_window(window),
        activation(activations[0], "depthwise_activation"),
        act,
        *squeeze_excite_arguments(middle, **squeeze_excite),
        x_q,
        first_q,
        middle_q,
        weight_q,
        q,
        residual_q,
    )


def inverted_residual(
    weights: Three,
    biases: Three,
    window: Window,
    activations: Three,
    squeeze_excite: Given,
    given: Given,
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
    Q,
    Q,
    Q,
    Q,
    Q,
    Q,
    Q,
    Q,
]:
    """Return the canonical arguments of an inverted residual block."""
    qs = quantizations(given, ("quantization", "residual_quantization"))
    x_q, first_q, expanded_q, second_q, middle_q, weight_q, q, residual_q = qs
    no_squeeze_excite(x_q, squeeze_excite)
    first = pointwise_weights(weights[0], "expand_weight", first_q)
    second = depthwise_weights(weights[1], "depthwise_weight", second_q)
    third = pointwise_weights(weights[2], "weight", weight_q)
    follow("depthwise_weight", second, second.shape[2], "expand_weight", first.shape[1])
    middle = output_channels(second)
    follow("weight", third, third.shape[0], "depthwise_weight", middle)
    expand_act = activation(activations[0], "expand_activation")
    act = activation(activations[2])
    check_scales(first_q, "expand_weight_quantization", first.shape[1], "output")
    check_output(expanded_q, "expand_quantization", first.shape[1], None)
    check_scales(second_q, "depthwise_weight_quantization", middle, "output")
    check_scales(middle_q, "depthwise_quantization", 0, "")
    _check_last(x_q, weight_q, q, residual_q, third.shape[1])
    return (
        first,
        second,
        third,
        bias(biases[0], "expand_bias", first.shape[1], x_q),
        bias(biases[1], "depthwise_bias", middle, x_q),
        bias(biases[2], "bias", third.shape[1], x_q),
        *_window(window),
        expand_act,
        activation(activations[1], "depthwise_activation"),
        act,
        *squeeze_excite_arguments(middle, **squeeze_excite),
        x_q,
        first_q,
        expanded_q,
        second_q,
        middle_q,
        weight_q,
        q,
        residual_q,
    )


def standard(
    weight: object, b: object, window: Window, groups: object, act: object, given: Given
) -> tuple[Array, Array | None, Pair, CanonicalPadding, Pair, int, CanonicalActivation, Q, Q, Q, Q]:
    """Return the canonical arguments of a standard convolution."""
    x_q, weight_q, q, residual_q = quantizations(given, ("quantization", "residual_quantization"))
    count = integer(groups, "groups", 1)
    weights = standard_weights(weight, "weight", count, weight_q)
    act = activation(act)
    _check_last(x_q, weight_q, q, residual_q, weights.shape[3])
    return (
        weights,
        bias(b, "bias", weights.shape[3], x_q),
        *_window(window),
        count,
        act,
        x_q,
        weight_q,
        q,
        residual_q,
    )
