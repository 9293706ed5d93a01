"""Functions of one element, or of one element of each of two arrays."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ShapeError
from ..ir import Node
from ..sizes import broadcast, shown
from ..types import Shape
from .attributes import OPTIONAL_ACTIVATION, choice
from .layout_rules import ALIGNED, ELEMENTWISE
from .shape_rules import as_input
from .spec import OpSpec

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


ELEMENTWISE_OPS = (
    OpSpec(
        "activation",
        "an activation by itself",
        as_input,
        attributes={"activation": OPTIONAL_ACTIVATION},
        layout=ELEMENTWISE,
        folds=True,
        changes_nothing=lambda a: a["activation"] is None,
    ),
    OpSpec(
        "unary",
        "a function of each element",
        as_input,
        attributes={"function": choice(*UNARY)},
        layout=ELEMENTWISE,
        folds=True,
    ),
    OpSpec(
        "binary",
        "a function of two arrays, broadcast as NumPy does; where a >= 0 prelu and elu are a, "
        "else a * b and b * (exp(a) - 1)",
        _binary,
        inputs=("a", "b"),
        attributes={"function": choice(*BINARY), "activation": OPTIONAL_ACTIVATION},
        layout=ALIGNED,
        folds=True,
    ),
)
