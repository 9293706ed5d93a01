"""One operator of the file as its importer reads it, and which function imports which."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ...errors import InvalidModelError
from ..importing.builder import Builder
from ..importing.compositions import clipped
from ..importing.node import FileNode, OperatorCall
from ..importing.values import Known, Unsupported, Value, as_float32, dtype_of
from ..ir import Array, DType, Quantization
from ..later import Later
from .parts import COMPLEX, Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

Importer: TypeAlias = "Callable[..., Any]"
IMPORTERS: Later[Importer] = Later(
    __package__,
    {
        "convolution": """
            CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED BATCH_MATMUL AVERAGE_POOL_2D MAX_POOL_2D
        """,
        "enlarging": """
            TRANSPOSE_CONV Convolution2DTransposeBias RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR
            DEPTH_TO_SPACE SPACE_TO_DEPTH
        """,
        "elementwise": """
            RELU RELU6 LOGISTIC TANH RELU_N1_TO_1 RELU_0_TO_1 HARD_SWISH LEAKY_RELU PRELU ELU GELU
            EXP LOG SQRT NEG ABS FLOOR CEIL ROUND SIN COS SIGN RSQRT SQUARE ADD SUB MUL DIV MAXIMUM
            MINIMUM POW SQUARED_DIFFERENCE FLOOR_DIV ADD_N
        """,
        "reductions": """
            MEAN SUM REDUCE_MAX REDUCE_MIN REDUCE_ANY REDUCE_ALL SOFTMAX LOG_SOFTMAX
            L2_NORMALIZATION
        """,
        "comparing": """
            CAST EQUAL LESS LESS_EQUAL GREATER GREATER_EQUAL NOT_EQUAL LOGICAL_AND LOGICAL_OR
            LOGICAL_NOT SELECT SELECT_V2
        """,
        "moves": """
            DENSIFY RESHAPE SQUEEZE EXPAND_DIMS TRANSPOSE CONCATENATION PAD PADV2 MIRROR_PAD
        """,
        "slices": """
            PACK UNPACK SPLIT SPLIT_V REVERSE_V2 SLICE STRIDED_SLICE GATHER TILE BROADCAST_TO
            ZEROS_LIKE
        """,
        "quantized": "DEQUANTIZE QUANTIZE",
        "searching": "ARG_MAX ARG_MIN TOPK_V2 CUMSUM ONE_HOT",
        "sequence_lstm": "UNIDIRECTIONAL_SEQUENCE_LSTM",
        "spectrum": "RFFT2D REAL IMAG COMPLEX_ABS",
    },
)

FOLDED: Later[Importer] = Later(
    __package__,
    {
        "folding": """
            ADD CAST CONCATENATION DIV EXPAND_DIMS FILL FLOOR_DIV FLOOR_MOD GATHER MAXIMUM MINIMUM
            MUL PACK RANGE RANK REDUCE_PROD RESHAPE SHAPE SLICE SQUEEZE STRIDED_SLICE SUB SUM
        """
    },
)

operator, folding = IMPORTERS.entry, FOLDED.entry

_COUNTS = ("int32", "int64")
_INTEGERS = ("int8", "uint8", "int16", "int32")

# Fused activations, in the order of their numbers.
_ACTIVATIONS = (None, "relu", ("clip", -1.0, 1.0), "relu6", "tanh")


class Call(OperatorCall):
    """What an importer of an operator of TFLite works on: also tensors of inputs and outputs."""

    def __init__(
        self,
        builder: Builder,
        node: FileNode,
        inputs: list[Value | None],
        outputs: list[str],
        tensors: list[Tensor | None],
        results: list[Tensor],
    ) -> None:
        super().__init__(builder, node.name, node.type, inputs, outputs)
        self.options = node.attributes
        self.tensors = tensors
        self.results = results

    def imported(self, importer: Callable[[Call], Any]) -> list[Value | None]:
        """Return all that an importer makes of the operator."""
        results = importer(self)
        return results if isinstance(results, list) else [results]

    @property
    def is_plain(self) -> bool:
        """Whether the operator computes float32 of float32, as most do."""
        for tensor, value in zip(self.tensors, self.inputs, strict=True):
            if tensor is None or tensor.type == "float32":
                continue
            if not isinstance(value, Known) or tensor.type == COMPLEX:
                return False
        return all(tensor.type == "float32" for tensor in self.results)

    def option(self, name: str, default: Any = None) -> Any:
        """Return an option."""
        value = self.options.get(name, default)
        return default if value is None else value

    def weight(self, index: int, what: str) -> Array:
        """Return an input that must be a constant, in float32."""
        value = self.value(index)
        if isinstance(value, Known) and value.array.dtype != np.float32:
            tensor = self.tensors[index]
            assert tensor is not None
            return dequantized(value, tensor)
        return super().weight(index, what)

    def operand(self, index: int) -> Value:
        """Return an input of arithmetic; constants may be stored in other types than float32."""
        value = self.value(index)
        if isinstance(value, Known) and value.array.dtype != np.float32 and not self.is_integral:
            return Known(self.weight(index, "operand"), "")
        return value

    @property
    def is_integral(self) -> bool:
        """Whether the operator computes integers that stand for themselves."""
        result = self.results[0] if self.results else None
        return result is not None and result.type in _COUNTS and result.quantization is None

    def real(self, index: int) -> Value:
        """Return an input; integers with a scale are the real numbers that they stand for."""
        value, tensor = self.value(index), self.tensors[index]
        has_scale = tensor is not None and core_quantization(tensor) is not None
        return self.operand(index) if has_scale else value

    def activated(self, y: Value) -> Value:
        """Add the activation that is fused into the operator."""
        code = self.option("activation", 0)
        if not 0 <= code < len(_ACTIVATIONS):
            raise Unsupported(f"its fused activation {code} is not supported")
        activation = _ACTIVATIONS[code]
        if activation is None:
            return y
        if dtype_of(y) != "float32":
            if activation == "tanh":
                raise Unsupported("tanh of integers is not supported")
            if not isinstance(activation, tuple):
                activation = ("clip", 0.0, math.inf if activation == "relu" else 6.0)
        if isinstance(activation, tuple):
            return clipped(self.builder, y, activation[1], activation[2])
        return self.builder.activated(activation, y)


def core_quantization(tensor: Tensor) -> Quantization | None:
    """Return a tensor's quantization as values of the graph have it, None if it has none."""
    q = tensor.quantization
    if q is None or tensor.type not in _INTEGERS:
        return None
    axis = q.axis if q.scale.size > 1 else None
    # int16 is stored as int32; the limits of its range are the caller's
    dtype = DType.INT32 if tensor.type == "int16" else DType(tensor.type)
    return Quantization(tuple(q.scale.tolist()), tuple(q.zero_point.tolist()), axis, dtype)


def dequantized(value: Known, tensor: Tensor) -> Array:
    """Return the real numbers that a constant stands for."""
    array, quantization = value.array, tensor.quantization
    if array.dtype in (np.float16, np.float64):
        return as_float32(array)
    if quantization is None or array.dtype.kind not in "iu":
        raise InvalidModelError(f"tensor {tensor.name!r} is {array.dtype} and not quantized")
    along = [1] * array.ndim
    if quantization.scale.size > 1:
        along[quantization.axis] = -1
    scale, zero = quantization.scale.reshape(along), quantization.zero_point.reshape(along)
    difference = array.astype(np.int64) - zero if zero.any() else array  # of most weights zero is 0
    return np.asarray(difference.astype(np.float32) * scale, np.float32)
