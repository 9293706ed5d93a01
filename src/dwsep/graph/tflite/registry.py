"""Which function imports which operator of TFLite, and which finds a value that is known now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from ..later import Later

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
            MEAN SUM REDUCE_MAX REDUCE_MIN SOFTMAX LOG_SOFTMAX L2_NORMALIZATION
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
        """,
        "quantized": "DEQUANTIZE QUANTIZE",
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
