"""Every kind of node: attributes, weights, types, layouts and folding, one file for each family."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ShapeError
from ..ir import Node, TensorType
from ..later import Later
from ..sizes import checked
from .spec import OpSpec

__all__ = ["OPS", "OpSpec", "infer", "register"]

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
        "searching": "accumulate arg top_k gather_elements take cumulative_sum",
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
