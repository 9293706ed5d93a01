"""Every kind of node: attributes, weights, types, layouts and folding, one file for each family.

What is known about a kind is one `OpSpec`, which everything generic reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from ...errors import ShapeError
from ..ir import DType, Node, Quantization, TensorType
from ..later import Later
from ..sizes import Shape, checked, known_product, shown
from .attributes import AttributeType, clips

# Of a node, the shapes of its inputs, and whether images are NHWC.
ShapeRule: TypeAlias = "Callable[[Node, Sequence[Shape], bool], Shape]"
DTypes: TypeAlias = "tuple[DType, Quantization | None]"
DTypeRule: TypeAlias = "Callable[[Node, Sequence[TensorType]], DTypes]"
BYTES = frozenset((DType.INT8, DType.UINT8))
Cost: TypeAlias = "Callable[[Node, Sequence[Shape]], int]"


class Weights:
    """Weights of a node: names of their axes, and whether they may be absent."""

    def __init__(self, axes: tuple[str, ...], required: bool = True) -> None:
        self.axes, self.required = axes, required


def float32_only(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    """Return float32, which all inputs have to be."""
    for type_ in inputs:
        if type_.dtype is not DType.FLOAT32:
            raise ShapeError(f"need inputs of float32, got {type_.dtype.value}")
    return DType.FLOAT32, None


def quantized(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    """Return float32 of floats; of integers, what the attributes say, or float32 as well."""
    first = inputs[0]
    if first.dtype is DType.FLOAT32:
        return float32_only(node, inputs)
    for type_ in inputs:
        if type_.dtype not in BYTES or type_.quantization is None:
            raise ShapeError(f"need float32, or int8 or uint8 that is quantized, got {type_}")
    return output_quantization(node)


def of_integers(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    """Return as `quantized`, where inputs have one scale and activations are clips."""
    activation = node.attributes.get("activation")
    for type_ in inputs:
        if type_.quantization is not None and type_.quantization.axis is not None:
            raise ShapeError("need one scale for integers, got those of an axis")
    if inputs[0].dtype in BYTES and not clips(activation):
        wanted = "an activation that is a clip where inputs are integers"
        raise ShapeError(f"need {wanted}, got {activation}")
    if inputs[0].dtype is DType.FLOAT32 and node.attributes.get("to") is not None:
        raise ShapeError("cannot quantize what is computed of float32")
    quantized(node, inputs)
    return output_quantization(node, one_scale=True)


def output_quantization(node: Node, *, one_scale: bool = False) -> DTypes:
    """Return the type that the attributes of `QUANTIZED_OUTPUT` give, or of `ONE_SCALE`."""
    a = node.attributes
    if a.get("to") is None:
        return DType.FLOAT32, None
    dtype, axis = DType(a["to"]), None if one_scale else a.get("axis")
    return dtype, Quantization(tuple(a["scale"]), tuple(a["zero_point"]), axis, dtype)


def same_type(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    """Return the type of the first input."""
    return inputs[0].dtype, inputs[0].quantization


def moved(node: Node, inputs: Sequence[TensorType]) -> DTypes:
    """Return the type of the first input; scales along an axis would no longer lie along it."""
    return one_type(inputs[:1])


def one_type(inputs: Sequence[TensorType]) -> DTypes:
    """Return the type that all have; different quantizations are lost."""
    names = sorted({type_.dtype.value for type_ in inputs})
    if len(names) > 1:
        raise ShapeError(f"need inputs of one type, got {' and '.join(names)}")
    first = inputs[0].quantization
    keeps = first is not None and first.axis is None
    keeps = keeps and all(type_.quantization == first for type_ in inputs)
    return inputs[0].dtype, first if keeps else None


def moves(node: Node, shapes: Sequence[Shape]) -> int:
    """Estimate the work of a node that reads its inputs once or twice."""
    return 8 * sum(map(known_product, shapes))


# --- shape rules of several families ------------------------------------------------------------


def as_input(node: Node, inputs: Sequence[Shape], channels_last: bool) -> Shape:
    """Return the shape of the first input."""
    return inputs[0]


def image(shape: Shape, channels_last: bool) -> tuple[int | None, int, int, int]:
    """Return the sizes N, H, W, C."""
    if len(shape) != 4:
        raise ShapeError(f"need an image of 4 axes, got {shown(shape)}")
    n, *rest = shape
    if None in rest:
        raise ShapeError(f"need the batch as the first axis, got {shown(shape)}")
    a, b, c = (size for size in rest if size is not None)
    return (n, a, b, c) if channels_last else (n, b, c, a)


def from_image(n: int | None, size: Shape, channels: int, channels_last: bool) -> Shape:
    return (n, *size, channels) if channels_last else (n, channels, *size)


def check_channels(wanted: int, got: int) -> None:
    if wanted != got:
        raise ShapeError(f"the weights are for {wanted} channels, the input has {got}")


class OpSpec:
    """A kind of node.

    Attributes
    ----------
    kind : str
    summary : str
        One line for documents: what it computes.
    shape : callable
        The shape of the output; raises ShapeError where inputs, attributes or weights do not fit.
    inputs : tuple of str
        Their names; the last one in brackets may be absent, "..." stands for any more.
    attributes : mapping of str to AttributeType
    weights : mapping of str to Weights
    dtype : callable
        Data type and quantization of the output.
    layout : str
        How the node follows when images become NHWC: the name of a rule of `layout_rules`.
    core : bool
        Whether the core computes nodes of this kind. The others are gone after the passes.
    computed_as : str
        The kind of the core that computes a node as it is, if another than `kind`.
    folds : bool
        Whether a node without computed inputs is replaced by its value.
    most_axes : int
        Of the inputs that the core takes.
    image : bool
        Whether the inputs have to be images, whose channels the core reads last.
    cost : callable
        About how many multiplications or moves a node needs.
    changes_nothing : callable, optional
        Whether a node of these attributes, if it keeps the shape, is its input.
    integer : frozenset of DType
        Types of inputs, all quantized with one scale, that the core computes with too, for the
        attributes that `dtype` does not refuse. The attributes `to`, `scale` and `zero_point` then
        say what the output is, float32 without them; a kind that lacks them keeps the input's type.
    moves_values : bool, or callable
        Whether every element of the output is one of the first input, or the largest of some, so
        that the core computes it of int8 and uint8, whatever they stand for; always, or of the
        attributes for which it is true.
    """

    def __init__(
        self,
        kind: str,
        summary: str,
        shape: ShapeRule,
        inputs: tuple[str, ...] = ("x",),
        attributes: Mapping[str, AttributeType] = MappingProxyType({}),
        weights: Mapping[str, Weights] = MappingProxyType({}),
        dtype: DTypeRule = float32_only,
        layout: str = "as_in_file",
        core: bool = True,
        computed_as: str = "",
        folds: bool = False,
        most_axes: int = 8,
        image: bool = False,
        cost: Cost = moves,
        changes_nothing: Callable[[Mapping[str, Any]], bool] | None = None,
        integer: frozenset[DType] = frozenset(),
        moves_values: bool | Callable[[Mapping[str, Any]], bool] = False,
    ) -> None:
        self.kind = kind
        self.summary = summary
        self.shape = shape
        self.inputs = inputs
        self.attributes = attributes
        self.weights = weights
        self.dtype = dtype
        self.layout = layout
        self.core = core
        self.computed_as = computed_as
        self.folds = folds
        self.most_axes = most_axes
        self.image = image
        self.cost = cost
        self.changes_nothing = changes_nothing
        self.integer = integer
        self.moves_values = moves_values

    def moves(self, node: Node) -> bool:
        """Return whether `moves_values` holds for a node."""
        moves = self.moves_values
        return moves if isinstance(moves, bool) else moves(node.attributes)

    @property
    def input_counts(self) -> tuple[int, int]:
        """Return the least and the greatest number of inputs, -1 for any."""
        least = sum(name != "..." and not name.startswith("[") for name in self.inputs)
        return least, -1 if "..." in self.inputs else len(self.inputs)


OPS: Later[OpSpec] = Later(
    __name__,
    {
        "casting": "cast quantize dequantize reinterpret",
        "comparing": "compare where integers",
        "convolution": """
            conv conv_transpose dense depthwise pointwise standard transposed
            separable inverted_residual
        """,
        "detecting": "non_max_suppression",
        "elementwise": "activation unary binary table",
        "images": "pool resize zero_insert",
        "normalization": "batch_norm layer_norm softmax",
        "products": "matmul reduce",
        "rearranging": "identity reshape transpose concat slice pad gather expand",
        "recurrent": "recurrent",
        "searching": "accumulate arg top_k gather_elements take scatter cumulative_sum",
    },
)


def register(*specs: OpSpec) -> None:
    """Enter the kinds of a family."""
    for spec in specs:
        OPS.enter(spec.kind, spec)


def infer(
    node: Node, input_types: Sequence[TensorType], *, channels_last: bool = False
) -> TensorType:
    """Return the type of a node's value.

    The batch may be unknown (None); it stays None as long as it stays one axis of its own, and what
    would mix it with other axes is refused. Everything else is checked: a node that gets a type
    here can be computed.

    Parameters
    ----------
    node : Node
        Its attributes and weights are as its kind's `OpSpec` says.
    input_types : sequence of TensorType
        One for each input.
    channels_last : bool
        Whether images are NHWC, as they are after the layout pass, or NCHW as in ONNX files.

    Raises
    ------
    ShapeError
        If the types do not fit together; the message names the node and both sides.
    """
    spec = OPS.get(node.kind)
    if spec is None:
        raise ShapeError(f"{_named(node)}: no such kind of node")
    try:
        shapes = [type_.shape for type_ in input_types]
        shape = checked(spec.shape(node, shapes, channels_last))
        return TensorType(shape, *spec.dtype(node, input_types))
    except ShapeError as error:
        raise ShapeError(f"{_named(node)}: {error}") from None


def _named(node: Node) -> str:
    return f"{node.kind} {node.name or node.output!r}"
