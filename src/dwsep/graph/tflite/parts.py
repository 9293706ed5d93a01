"""What a model consists of, as it was read, and the parts of TFLite's schema that are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..._core import FlatBuffer
from ...errors import InvalidModelError
from ..importing.node import FileNode

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

# In the order of their numbers.
_NAMES = """
    ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE
    EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D
    LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1
    RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM
    CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND
    SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE
    BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM
    CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE
    SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW
    ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK
    REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR
    LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS
    WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE
    NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM
    BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG
    REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL
    CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL
    BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD
    UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN
"""
OPERATORS = tuple(_NAMES.split())

# Operators of variables, which keep values from call to call.
VARIABLES = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE")

# Complex numbers, and operators that take them.
COMPLEX = "complex64"
TAKES_COMPLEX = ("SQUEEZE", "EXPAND_DIMS", "CAST", "COMPLEX_ABS", "REAL", "IMAG")

# NumPy's names of the types of tensors, None for those that NumPy has not.
TYPES = (
    *("float32", "float16", "int32", "uint8", "int64", None, "bool", "int16", "complex64"),
    *("int8", "float64", "complex128", "uint64", None, None, "uint32", "uint16", None, None),
)
TYPE_NAMES = {
    **dict(enumerate(TYPES)),
    **{5: "string", 13: "resource", 14: "variant", 17: "int4", 18: "bfloat16"},
}

# Fields of tables as `FlatBuffer.row` takes them: the number of each, its kind, what it is where
# it is absent. Kinds are letters: of the struct module for numbers, "s" for a text, "[" for a tuple
# of int32, "v" for where a vector begins and its length (in place of a default: the bytes of an
# element that count as read), "t" for where a table is; or the fields of a table, in a list for a
# vector of tables.
Fields: TypeAlias = "tuple[tuple[int, Any, Any], ...]"
_PORT: Fields = ((1, "I", 0), (0, "s", ""))
_LEVEL: Fields = tuple((n, kind, 0) for n, kind in enumerate("biBtBt"))
_SPARSITY: Fields = ((0, "[", None), (1, "[", None), (2, [_LEVEL], ()))
_QUANTIZATION: Fields = ((2, "v", 4), (3, "v", 8), (6, "i", 0))
_TENSOR: Fields = (
    *((3, "s", None), (0, "[", None), (7, "[", None), (1, "b", 0), (2, "I", 0)),
    *((4, _QUANTIZATION, None), (6, _SPARSITY, None)),
)
_OPERATOR: Fields = ((0, "I", 0), (1, "[", None), (2, "[", None), (4, "t", 0), (5, "v", 1))
_GRAPH: Fields = (
    *((0, [_TENSOR], ()), (1, "[", None), (2, "[", None)),
    *((3, [_OPERATOR], ()), (4, "s", None)),
)
MODEL: Fields = (
    (1, [((0, "b", 0), (3, "i", 0), (1, "s", None))], ()),  # codes of operators
    (2, [_GRAPH], ()),
    (4, [((0, "v", 0), (1, "Q", 0), (2, "Q", 0))], ()),  # buffers
    (7, [((2, "s", None), (0, [_PORT], ()), (1, [_PORT], ()), (4, "I", 0))], ()),  # signatures
)

# Of an operator, its options by their names. Operators that are not here have none to read.
Options = dict[str, tuple[int, str, object]]
_ACTIVATION = ("b", 0)
_WINDOW: Options = {"padding": (0, "b", 0), "stride_w": (1, "i", 0), "stride_h": (2, "i", 0)}
_POOL: Options = {
    **_WINDOW,
    "filter_width": (3, "i", 0),
    "filter_height": (4, "i", 0),
    "activation": (5, *_ACTIVATION),
}
_ARITHMETIC: Options = {"activation": (0, *_ACTIVATION)}
_REDUCER: Options = {"keep_dims": (0, "?", False)}
_BLOCK: Options = {"block_size": (0, "i", 0)}
OPTIONS: dict[str, Options] = {
    "CONV_2D": {
        **_WINDOW,
        "activation": (3, *_ACTIVATION),
        "dilation_w_factor": (4, "i", 1),
        "dilation_h_factor": (5, "i", 1),
    },
    "DEPTHWISE_CONV_2D": {
        **_WINDOW,
        "depth_multiplier": (3, "i", 0),
        "activation": (4, *_ACTIVATION),
        "dilation_w_factor": (5, "i", 1),
        "dilation_h_factor": (6, "i", 1),
    },
    "TRANSPOSE_CONV": {**_WINDOW, "activation": (3, *_ACTIVATION)},
    "AVERAGE_POOL_2D": _POOL,
    "MAX_POOL_2D": _POOL,
    "FULLY_CONNECTED": {
        "activation": (0, *_ACTIVATION),
        "weights_format": (1, "b", 0),
        "keep_num_dims": (2, "?", False),
    },
    "ADD": _ARITHMETIC,
    "SUB": _ARITHMETIC,
    "MUL": _ARITHMETIC,
    "DIV": _ARITHMETIC,
    "L2_NORMALIZATION": _ARITHMETIC,
    "CONCATENATION": {"axis": (0, "i", 0), "activation": (1, *_ACTIVATION)},
    "SOFTMAX": {"beta": (0, "f", 0.0)},
    "RESHAPE": {"new_shape": (0, "[", None)},
    "SQUEEZE": {"squeeze_dims": (0, "[", None)},
    "RESIZE_BILINEAR": {"align_corners": (2, "?", False), "half_pixel_centers": (3, "?", False)},
    "RESIZE_NEAREST_NEIGHBOR": {
        "align_corners": (0, "?", False),
        "half_pixel_centers": (1, "?", False),
    },
    "LEAKY_RELU": {"alpha": (0, "f", 0.0)},
    "GELU": {"approximate": (0, "?", False)},
    "MEAN": _REDUCER,
    "SUM": _REDUCER,
    "REDUCE_MAX": _REDUCER,
    "REDUCE_MIN": _REDUCER,
    "REDUCE_PROD": _REDUCER,
    "REDUCE_ANY": _REDUCER,
    "REDUCE_ALL": _REDUCER,
    "ARG_MAX": {"output_type": (0, "b", 0)},
    "ARG_MIN": {"output_type": (0, "b", 0)},
    "CUMSUM": {"exclusive": (0, "?", False), "reverse": (1, "?", False)},
    "ONE_HOT": {"axis": (0, "i", 0)},
    "DEPTH_TO_SPACE": _BLOCK,
    "SPACE_TO_DEPTH": _BLOCK,
    "STRIDED_SLICE": {
        name: (number, "i", 0)
        for number, name in enumerate(
            ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
        )
    },
    "PACK": {"values_count": (0, "i", 0), "axis": (1, "i", 0)},
    "UNPACK": {"num": (0, "i", 0), "axis": (1, "i", 0)},
    "SPLIT": {"num_splits": (0, "i", 0)},
    "SPLIT_V": {"num_splits": (0, "i", 0)},
    "GATHER": {"axis": (0, "i", 0), "batch_dims": (1, "i", 0)},
    "CAST": {"in_data_type": (0, "b", 0), "out_data_type": (1, "b", 0)},
    "MIRROR_PAD": {"mode": (0, "b", 0)},
    "VAR_HANDLE": {"container": (0, "s", ""), "shared_name": (1, "s", "")},
    "IF": {"then_subgraph_index": (0, "i", 0), "else_subgraph_index": (1, "i", 0)},
    "UNIDIRECTIONAL_SEQUENCE_LSTM": {
        "activation": (0, *_ACTIVATION),
        "cell_clip": (1, "f", 0.0),
        "proj_clip": (2, "f", 0.0),
        "time_major": (3, "?", False),
    },
    "WHILE": {"cond_subgraph_index": (0, "i", 0), "body_subgraph_index": (1, "i", 0)},
    "CALL_ONCE": {"init_subgraph_index": (0, "i", 0)},
    "BATCH_MATMUL": {"adj_x": (0, "?", False), "adj_y": (1, "?", False)},
}

# Data classes take 0.2 ms each to make, which is much of the time in which small files load.


class Content:
    """The bytes of a file, and its tables, each a tuple of what `schema` lists.

    The core reads tables: each distance is checked before it is followed.
    """

    def __init__(self, data: memoryview) -> None:
        self.data = data
        flat = FlatBuffer(data)
        self.row: Callable[[int, Fields], tuple[Any, ...]] = flat.row
        self.codes, self.graphs, self.buffers, self.signatures = flat.row(flat.root(), MODEL)

    def numbers(self, vector: tuple[int, int], dtype: DTypeLike) -> NDArray[Any]:
        """Return a vector of numbers as a view of the file."""
        first, count = vector
        return np.frombuffer(self.data, dtype, count, first) if count else np.empty(0, dtype)


class Quantization:
    """real = scale * (stored - zero_point), for the tensor or for each index along an axis."""

    __slots__ = ("axis", "scale", "zero_point")

    def __init__(
        self, scale: NDArray[np.float32], zero_point: NDArray[np.int64], axis: int
    ) -> None:
        self.scale, self.zero_point, self.axis = scale, zero_point, axis


class Tensor:
    """A tensor of the file.

    Attributes
    ----------
    name : str
        A unique one.
    shape : tuple of int
        -1 where the file leaves a size open; as declared where the file has none.
    declared : tuple of int
        The shape with a number there, 1 as a rule.
    type, stored : str
        The type, and the one that `data` has: float16 of some float32.
    data : ndarray of uint8, or None
        None for what the network computes.
    quantization : Quantization or None
    sparsity : (Content, tuple) or None
        Where it was read, and its row.
    """

    __slots__ = ("data", "declared", "name", "quantization", "shape", "sparsity", "stored", "type")

    def __init__(
        self,
        name: str,
        shape: tuple[int, ...],
        declared: tuple[int, ...],
        type_: str,
        data: NDArray[np.uint8] | None,
    ) -> None:
        self.name, self.shape, self.declared, self.data = name, shape or declared, declared, data
        self.type = self.stored = type_
        self.quantization: Quantization | None = None
        self.sparsity: tuple[Content, Any] | None = None

    def array(self) -> NDArray[Any]:
        """Return the constant that a tensor is, as it is stored."""
        if self.data is None or self.sparsity is not None:
            raise InvalidModelError(f"tensor {self.name!r} is no dense constant")
        elements = self.elements()
        if math.prod(self.declared) != elements.size:
            raise InvalidModelError(
                f"tensor {self.name!r}: need {math.prod(self.declared)} elements for the shape "
                f"{self.declared}, got {elements.size}"
            )
        return elements.reshape(self.declared)

    def elements(self) -> NDArray[Any]:
        """Return what is stored of a constant, all of it or what is not zero."""
        assert self.data is not None
        if self.stored not in TYPES:
            raise InvalidModelError(f"tensor {self.name!r} is {self.stored}")
        dtype = np.dtype(self.stored)
        if self.data.size % dtype.itemsize:
            raise InvalidModelError(
                f"tensor {self.name!r}: {self.data.size} bytes are no {self.stored} numbers"
            )
        return self.data.view(dtype)


class Subgraph:
    """What operators refer to: a branch, or what initializes variables."""

    __slots__ = ("inputs", "nodes", "outputs", "tensors")

    def __init__(
        self,
        tensors: dict[str, Tensor],
        inputs: list[str],
        outputs: list[str],
        nodes: list[FileNode],
    ) -> None:
        self.tensors, self.nodes = tensors, nodes
        self.inputs, self.outputs = inputs, outputs


class File(Subgraph):
    """A model as it was read: one subgraph; `others` gives those that operators name by numbers.

    `name` is for messages, `network` what the file calls the network.
    """

    __slots__ = ("name", "network", "others")

    def __init__(
        self,
        name: str,
        network: str,
        graph: Subgraph,
        others: Callable[[int], Subgraph],
    ) -> None:
        super().__init__(graph.tensors, graph.inputs, graph.outputs, graph.nodes)
        self.name, self.network, self.others = name, network, others
