"""Other types of the same elements: casts, and integers that stand for real numbers."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ShapeError
from ..ir import DType, Node, Quantization, TensorType
from ..sizes import Shape, axis_of
from . import BYTES, DTypes, OpSpec, as_input, float32_only, register
from .attributes import Floats, Int, Ints, choice

_QUANTIZED = (DType.INT8, DType.UINT8, DType.INT32)


def _cast(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    return DType(node.attributes["to"]), None


def _quantize(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    float32_only(node, inputs)
    a = node.attributes
    dtype = DType(a["to"])
    return dtype, Quantization(tuple(a["scale"]), tuple(a["zero_point"]), a.get("axis"), dtype)


def _dequantize(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    if inputs[0].dtype not in _QUANTIZED:
        names = ", ".join(dtype.value for dtype in _QUANTIZED)
        raise ShapeError(f"need an input of {names}, got {inputs[0].dtype.value}")
    return DType.FLOAT32, None


def _reinterpret(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    a, dtype = node.attributes, inputs[0].dtype
    if dtype not in BYTES:
        raise ShapeError(f"need an input of int8 or uint8, got {dtype.value}")
    return dtype, Quantization(tuple(a["scale"]), tuple(a["zero_point"]), a.get("axis"), dtype)


def _scaled(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    scale, axis = node.attributes["scale"], node.attributes.get("axis")
    wanted = 1 if axis is None else inputs[0][axis_of(axis, inputs[0])]
    if len(scale) != wanted or len(node.attributes["zero_point"]) != wanted:
        raise ShapeError(f"need {wanted} scales and zero points, got {len(scale)}")
    return inputs[0]


_SCALES = {"scale": Floats(), "zero_point": Ints(), "axis": Int(required=False)}
register(
    OpSpec(
        "cast",
        "x as another type, as NumPy's astype: floats are cut towards zero",
        as_input,
        attributes={"to": choice(*DType.all)},
        dtype=_cast,
        layout="elementwise",
        folds=True,
        changes_nothing=lambda a: True,
    ),
    OpSpec(
        "quantize",
        "clamp(round(x / scale) + zero_point), ties to even; one scale, or one for each index "
        "along `axis`; the range is that of the type, or `least` to `most`",
        _scaled,
        attributes={
            "to": choice(*(dtype.value for dtype in _QUANTIZED)),
            **_SCALES,
            "least": Int(required=False),
            "most": Int(required=False),
        },
        dtype=_quantize,
        layout="scaled",
        folds=True,
    ),
    OpSpec(
        "dequantize",
        "(x - zero_point) * scale",
        _scaled,
        attributes=_SCALES,
        dtype=_dequantize,
        layout="scaled",
        folds=True,
    ),
    OpSpec(
        "reinterpret",
        "the same integers, which stand for other numbers: scale and zero point are of the output",
        _scaled,
        attributes=_SCALES,
        dtype=_reinterpret,
        layout="scaled",
    ),
)
