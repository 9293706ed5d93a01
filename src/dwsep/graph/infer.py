"""The type of a node's value, from the types of its inputs.

The batch may be unknown (None); it stays None as long as it stays one axis of its own, and what
would mix it with other axes is refused. Everything else is checked: a node that gets a type here
can be computed.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ShapeError
from .ir import Node
from .ops import OPS
from .sizes import checked
from .types import TensorType

__all__ = ["infer"]


def infer(
    node: Node, input_types: Sequence[TensorType], *, channels_last: bool = False
) -> TensorType:
    """Return the type of a node's value.

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
