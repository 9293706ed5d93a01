"""Functions of one element, or of one element of each of two arrays."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ShapeError
from ..ir import Node, TensorType
from ..sizes import Shape, broadcast, shown
from . import BYTES, DTypes, OpSpec, as_input, of_integers, register
from .attributes import ONE_SCALE, OPTIONAL_ACTIVATION, Flag, Floats, Ints, choice

UNARY = (
    *("exp", "sqrt", "neg", "abs", "erf", "reciprocal", "floor"),
    *("ceil", "round", "log", "softplus", "sin", "cos", "sign"),
    *("selu", "mish", "softsign", "gelu_tanh"),
)
BINARY = ("add", "sub", "mul", "div", "min", "max", "prelu", "pow", "elu")


def _binary(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    shape = broadcast(*inputs)
    if node.attributes["function"] == "prelu" and shape != inputs[0]:
        raise ShapeError(f"a slope {shown(inputs[1])} does not fit {shown(inputs[0])}")
    return shape


def _binary_type(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    function = node.attributes["function"]
    if inputs[0].dtype in BYTES and function not in ("add", "sub", "mul"):
        raise ShapeError(f"{function} does not take integers")
    return of_integers(node, inputs)


register(
    OpSpec(
        "activation",
        "an activation by itself",
        as_input,
        attributes={"activation": OPTIONAL_ACTIVATION},
        layout="elementwise",
        folds=True,
        changes_nothing=lambda a: a["activation"] is None,
    ),
    OpSpec(
        "unary",
        "a function of each element",
        as_input,
        attributes={"function": choice(*UNARY)},
        layout="elementwise",
        folds=True,
    ),
    OpSpec(
        "binary",
        "a function of two arrays, broadcast as NumPy does; where a >= 0 prelu and elu are a, "
        "else a * b and b * (exp(a) - 1); with `zero_first`, sums and products of integers get the "
        "zero point before they are rounded, by fused multiply-adds; with `fixed_point`, sums and "
        "differences have multipliers of 21 bits, and half is rounded up",
        _binary,
        inputs=("a", "b"),
        attributes={
            "function": choice(*BINARY),
            "activation": OPTIONAL_ACTIVATION,
            "zero_first": Flag(required=False),
            "fixed_point": Flag(required=False),
            **ONE_SCALE,
        },
        dtype=_binary_type,
        layout="aligned",
        folds=True,
        integer=BYTES,
    ),
    OpSpec(
        "table",
        "what `values` holds for each stored byte of x, taken as unsigned",
        as_input,
        attributes={
            "values": Ints(),
            "to": choice("int8", "uint8"),
            "scale": Floats(),
            "zero_point": Ints(),
        },
        dtype=of_integers,
        layout="elementwise",
        integer=BYTES,
    ),
)
