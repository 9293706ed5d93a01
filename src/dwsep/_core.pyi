from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict, TypeVar, final, type_check_only

import numpy as np
from numpy.typing import NDArray
from typing_extensions import CapsuleType, Never, Self, disjoint_base

from ._arguments import CanonicalPadding, Pair
from ._checks import CanonicalActivation
from .cpu import CacheSizes, KernelInfo
from .quantization import Quantization

_Array = NDArray[np.float32]
_Bias = _Array | None
_Shape = tuple[int, ...] | list[int]
_Shapes = Sequence[Sequence[int]]
_Q = Quantization | None
_T = TypeVar("_T")

@type_check_only
class PlanDict(TypedDict):
    algorithm: str
    kernel: str
    split: str
    threads: int
    flops: float
    bytes: float

@disjoint_base
class Layer:
    @property
    def channels(self) -> int: ...
    def output_shape(self, x_shape: _Shape, /) -> tuple[int, ...]: ...
    def plan(self, x_shape: _Shape, num_threads: int | None = None) -> PlanDict: ...
    def __call__(
        self, x: _Array, *, out: _Array | None = None, num_threads: int | None = None
    ) -> _Array: ...

class DepthwiseConv2D(Layer):
    def __new__(
        cls,
        weight: _Array,
        bias: _Bias,
        stride: Pair,
        padding: CanonicalPadding,
        dilation: Pair,
        activation: CanonicalActivation,
        x_quantization: _Q,
        weight_quantization: _Q,
        quantization: _Q,
        /,
    ) -> Self: ...

@type_check_only
class _AddingLayer(Layer):
    def __call__(
        self,
        x: _Array,
        residual: _Array | None = None,
        *,
        out: _Array | None = None,
        num_threads: int | None = None,
    ) -> _Array: ...

class PointwiseConv2D(_AddingLayer):
    def __new__(
        cls,
        weight: _Array,
        bias: _Bias,
        activation: CanonicalActivation,
        x_quantization: _Q,
        weight_quantization: _Q,
        quantization: _Q,
        residual_quantization: _Q,
        /,
    ) -> Self: ...

class SeparableConv2D(_AddingLayer):
    def __new__(
        cls,
        depthwise_weight: _Array,
        weight: _Array,
        depthwise_bias: _Bias,
        bias: _Bias,
        stride: Pair,
        padding: CanonicalPadding,
        dilation: Pair,
        depthwise_activation: CanonicalActivation,
        activation: CanonicalActivation,
        reduce_weight: _Array | None,
        reduce_bias: _Bias,
        reduce_activation: CanonicalActivation,
        excite_weight: _Array | None,
        excite_bias: _Bias,
        excite_activation: CanonicalActivation,
        x_quantization: _Q,
        depthwise_weight_quantization: _Q,
        depthwise_quantization: _Q,
        weight_quantization: _Q,
        quantization: _Q,
        residual_quantization: _Q,
        /,
    ) -> Self: ...

class InvertedResidual(_AddingLayer):
    def __new__(
        cls,
        expand_weight: _Array,
        depthwise_weight: _Array,
        weight: _Array,
        expand_bias: _Bias,
        depthwise_bias: _Bias,
        bias: _Bias,
        stride: Pair,
        padding: CanonicalPadding,
        dilation: Pair,
        expand_activation: CanonicalActivation,
        depthwise_activation: CanonicalActivation,
        activation: CanonicalActivation,
        reduce_weight: _Array | None,
        reduce_bias: _Bias,
        reduce_activation: CanonicalActivation,
        excite_weight: _Array | None,
        excite_bias: _Bias,
        excite_activation: CanonicalActivation,
        x_quantization: _Q,
        expand_weight_quantization: _Q,
        expand_quantization: _Q,
        depthwise_weight_quantization: _Q,
        depthwise_quantization: _Q,
        weight_quantization: _Q,
        quantization: _Q,
        residual_quantization: _Q,
        /,
    ) -> Self: ...

class Conv2D(_AddingLayer):
    def __new__(
        cls,
        weight: _Array,
        bias: _Bias,
        stride: Pair,
        padding: CanonicalPadding,
        dilation: Pair,
        groups: int,
        activation: CanonicalActivation,
        x_quantization: _Q,
        weight_quantization: _Q,
        quantization: _Q,
        residual_quantization: _Q,
        /,
    ) -> Self: ...

_C_API: CapsuleType

def layer_handle(layer: object) -> CapsuleType: ...
def network_handle(network: Network) -> CapsuleType: ...
def activations() -> dict[str, int]: ...
def isa() -> str: ...
def isas() -> list[str]: ...
def features() -> list[str]: ...
def features_in_use() -> list[str]: ...
def lanes() -> int: ...
def kernels() -> list[KernelInfo]: ...
def floats(halves: NDArray[np.float16]) -> NDArray[np.float32]: ...
def in_float_environment(function: Callable[[], _T]) -> _T: ...
def cache_sizes() -> CacheSizes: ...
def cpu_name() -> str: ...
def available_cpus() -> int: ...
def time_fma(iterations: int) -> tuple[float, float]: ...
def int8_sets() -> list[str]: ...
def time_dot(set: str, iterations: int) -> tuple[float, float]: ...
def time_read(bytes: int, rounds: int) -> tuple[float, float]: ...
def time_copy(bytes: int, rounds: int) -> tuple[float, float]: ...
def set_num_threads(threads: int) -> None: ...
def get_num_threads() -> int: ...
def recycled_bytes() -> int: ...
def clear_recycled() -> None: ...

# Name, shape, data type, and scales, zero points and axis where the values are quantized.
_Quantization = tuple[list[float], list[int], int]
_ValueInfo = tuple[str, tuple[int, ...], str, _Quantization | None]

@type_check_only
class OpSchema(TypedDict):
    inputs: tuple[int, int]
    attributes: list[tuple[str, str, bool, tuple[str, ...]]]
    weights: list[tuple[str, int, bool]]

def op_schemas() -> dict[str, OpSchema]: ...

@type_check_only
class StepDict(TypedDict):
    name: str
    kind: str
    kernel: str
    inputs: list[tuple[int, ...]]
    output: tuple[int, ...]
    flops: float
    bytes: float
    parameters: int
    free: bool
    input_dtypes: tuple[str, ...]
    dtype: str

# The metaclass that pybind11 gives its classes; no module exports it.
@type_check_only
class _Pybind11Type(type): ...

@final
class Network(metaclass=_Pybind11Type):
    # Made by load, from_bytes and NetworkBuilder.finish.
    def __init__(self, /, *args: Never, **kwargs: Never) -> None: ...
    @staticmethod
    def load(path: bytes, map: bool = False) -> Network: ...
    @staticmethod
    def from_bytes(content: bytes) -> Network: ...
    def save(self, path: bytes) -> None: ...
    def to_bytes(self) -> bytes: ...
    @property
    def inputs(self) -> list[_ValueInfo]: ...
    @property
    def outputs(self) -> list[_ValueInfo]: ...
    @property
    def metadata(self) -> dict[str, str]: ...
    @property
    def weight_bytes(self) -> int: ...
    def trace(
        self, inputs: Sequence[Any], num_threads: int | None = None
    ) -> list[tuple[int, int, int, float, float]]: ...
    def plans(self) -> list[tuple[list[tuple[int, ...]], int]]: ...
    def trim(self) -> None: ...
    def admits(self, input_shapes: _Shapes) -> bool: ...
    def output_shapes(self, input_shapes: _Shapes) -> list[tuple[int, ...]]: ...
    def run(
        self, inputs: Sequence[NDArray[Any]], num_threads: int | None = None
    ) -> list[NDArray[Any]]: ...
    def profile(
        self, inputs: Sequence[NDArray[Any]], num_threads: int | None = None
    ) -> tuple[list[NDArray[Any]], list[float]]: ...
    def steps(self, input_shapes: _Shapes, num_threads: int | None = None) -> list[StepDict]: ...
    def arena_bytes(self, input_shapes: _Shapes, num_threads: int | None = None) -> int: ...

@final
class Stream(metaclass=_Pybind11Type):
    def __init__(
        self, network: Network, kept: Sequence[tuple[int, int]], first: Sequence[NDArray[Any]]
    ) -> None: ...
    def step(self, inputs: tuple[Any, ...], num_threads: int | None = None) -> Any: ...

@disjoint_base
class Session:
    _stream: Stream | None
    def __call__(self, *arrays: Any, num_threads: int | None = None) -> Any: ...

@final
class FlatBuffer(metaclass=_Pybind11Type):
    def __init__(self, data: memoryview | bytes) -> None: ...
    def root(self) -> int: ...
    def row(self, table: int, fields: tuple[tuple[int, Any, Any], ...]) -> tuple[Any, ...]: ...

@final
class NetworkBuilder(metaclass=_Pybind11Type):
    def __init__(self) -> None: ...
    def input(
        self,
        name: str,
        shape: Sequence[int],
        dtype: str = "float32",
        quantization: _Quantization | None = None,
    ) -> int: ...
    def constant(self, array: NDArray[Any], quantization: _Quantization | None = None) -> int: ...
    def step(
        self,
        kind: str,
        name: str,
        inputs: Sequence[int],
        attributes: Mapping[str, Any],
        weights: Mapping[str, _Array],
    ) -> int: ...
    def output(self, name: str, value: int) -> None: ...
    def example(self, inputs: _Shapes) -> None: ...
    def size(self, op: int, a: int, b: int = 0) -> int: ...
    def require(self, size: int, relation: int, text: str) -> None: ...
    def open_attribute(
        self, value: int, attribute: str, position: int, size: int, divisor: int = -1
    ) -> None: ...
    def open_output(self, output: int, axis: int) -> None: ...
    def metadata(self, key: str, text: str) -> None: ...
    def finish(self) -> Network: ...
