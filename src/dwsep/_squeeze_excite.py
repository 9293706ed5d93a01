"""The arguments of squeeze-excite within a block, in canonical form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._arguments import bias, pointwise_weights
from ._checks import activation, shown

if TYPE_CHECKING:
    from typing import TypeAlias

    from ._arguments import Array
    from ._checks import CanonicalActivation

    SqueezeExcite: TypeAlias = tuple[
        Array | None,
        Array | None,
        CanonicalActivation,
        Array | None,
        Array | None,
        CanonicalActivation,
    ]


def follow(name: str, weight: Array, takes: int, previous: str, gives: int) -> None:
    if takes != gives:
        raise ValueError(
            f"{name}: need {gives} input channels, as many as {previous} gives, "
            f"got {takes} in shape {weight.shape}"
        )


def squeeze_excite_arguments(
    channels: int,
    *,
    reduce_weight: object,
    reduce_bias: object,
    reduce_activation: object,
    excite_weight: object,
    excite_bias: object,
    excite_activation: object,
) -> SqueezeExcite:
    """Return the canonical arguments of the squeeze-excite within a block, all None for none."""
    if reduce_weight is None and excite_weight is None:
        given = {
            "reduce_bias": reduce_bias,
            "reduce_activation": reduce_activation,
            "excite_bias": excite_bias,
            "excite_activation": excite_activation,
        }
        for name, value in given.items():
            if value is not None:
                raise ValueError(
                    f"{name}: need None without reduce_weight and excite_weight, got {shown(value)}"
                )
        return None, None, None, None, None, None
    reduce = pointwise_weights(reduce_weight, "reduce_weight")
    excite = pointwise_weights(excite_weight, "excite_weight")
    follow("reduce_weight", reduce, reduce.shape[0], "depthwise_weight", channels)
    follow("excite_weight", excite, excite.shape[0], "reduce_weight", reduce.shape[1])
    if excite.shape[1] != channels:
        raise ValueError(
            f"excite_weight: need {channels} output channels, as many as depthwise_weight gives, "
            f"got {excite.shape[1]} in shape {excite.shape}"
        )
    return (
        reduce,
        bias(reduce_bias, "reduce_bias", reduce.shape[1]),
        activation(reduce_activation, "reduce_activation"),
        excite,
        bias(excite_bias, "excite_bias", channels),
        activation(excite_activation, "excite_activation"),
    )
