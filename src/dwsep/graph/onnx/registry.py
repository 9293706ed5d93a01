"""Which function imports which operator of ONNX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from ..._record import Record
from ..later import Later

Importer: TypeAlias = "Callable[..., Any]"


class Signature(Record):
    """What an operator may have that no schema of ONNX describes; inputs without end are None."""

    least: int
    most: int | None
    attributes: dict[str, type]
    outputs: int = 1  # at most


IMPORTERS: Later[Importer] = Later(
    __package__,
    {
        "activations": """
            Relu Sigmoid Tanh HardSwish Exp Log Sqrt Neg Abs Erf Reciprocal Floor Ceil Round
            Softplus Sin Cos Sign Mish Softsign Clip HardSigmoid LeakyRelu PRelu Elu Selu Celu
            Gelu Swish Identity Dropout ThresholdedRelu
        """,
        "comparing": """
            Cast CastLike Equal Less LessOrEqual Greater GreaterOrEqual And Or Xor BitwiseAnd
            BitwiseOr BitwiseXor Not Mod IsNaN IsInf Where Trilu
        """,
        "conversions": """
            com.microsoft.QuantizeLinear QuantizeLinear com.microsoft.DequantizeLinear
            DequantizeLinear DynamicQuantizeLinear
        """,
        "columns": "Col2Im",
        "convolution": "Conv ConvTranspose BatchNormalization",
        "einsum": "Einsum",
        "elementwise": "Add Sub Mul Div Min Max Sum Mean Pow",
        "heads": "Gemm MatMul Softmax LogSoftmax",
        "normalization": """
            LayerNormalization InstanceNormalization GroupNormalization
            MeanVarianceNormalization LpNormalization LRN
        """,
        "pooling": """
            MaxPool AveragePool LpPool GlobalLpPool GlobalAveragePool GlobalMaxPool ReduceMean
            ReduceSum ReduceMax ReduceMin ReduceL1 ReduceL2 ReduceSumSquare ReduceProd
            ReduceLogSum ReduceLogSumExp
        """,
        "quantized": """
            QLinearConv QLinearMatMul ConvInteger MatMulInteger com.microsoft.QLinearMul
            com.microsoft.QLinearAdd com.microsoft.QLinearSoftmax
            com.microsoft.QLinearLeakyRelu com.microsoft.QLinearSigmoid
            com.microsoft.QLinearAveragePool com.microsoft.QLinearGlobalAveragePool
            com.microsoft.QLinearConcat com.microsoft.QGemm
        """,
        "dynamic_lstm": "com.microsoft.DynamicQuantizeLSTM",
        "recurrent": "RNN GRU LSTM",
        "reshapes": """
            Reshape Flatten Squeeze Unsqueeze Transpose Concat DepthToSpace SpaceToDepth
        """,
        "resize": "Upsample Resize",
        "sampling": "GridSample",
        "scattering": "ScatterND ScatterElements Scatter",
        "searching": """
            ArgMax ArgMin TopK GatherElements CumSum Hardmax NonMaxSuppression GatherND
        """,
        "slices": "Split Slice Gather",
        "spreads": "Pad Expand Tile",
        "units": "EyeLike OneHot",
    },
)
FOREIGN: Later[Signature] = Later(  # of other domains
    __package__,
    {
        module: " ".join(n for n in IMPORTERS if "." in n and IMPORTERS.modules[n] == module)
        for module in ("conversions", "dynamic_lstm", "quantized")
    },
)
operator = IMPORTERS.entry


def foreign(
    type_: str, least: int, most: int | None, **attributes: type
) -> Callable[[Importer], Importer]:
    """Register a function as the importer of an operator of another domain, of one output."""
    FOREIGN.enter(type_, Signature(least, most, attributes))
    return operator(type_)
