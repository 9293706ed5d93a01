"""Fuses the blocks that the core computes in one call, so that what lies between stays in cache.

depthwise [-> squeeze-excite] -> pointwise becomes `separable`, and with a pointwise before it
`inverted_residual` (M. Sandler et al., "MobileNetV2", 2018, arXiv:1801.04381).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir import Array, Graph, Node
from ._edit import Edit

if TYPE_CHECKING:
    from .squeeze_excite import SqueezeExcite

_FLOATS = ("weight", "bias")  # weights of nodes that compute with floats


def run(graph: Graph) -> bool:
    """Fuse where no value between the stages is read by anything else or is a graph output.

    Inverted residuals come first, as there the widest value is inside: depthwise, expand,
    depthwise, project (MobileNetV4) is not two separable convolutions with the expanded image
    between them.
    """
    edit = Edit(graph)
    for inverted in (True, False):
        for project in edit.nodes("pointwise"):
            if _is_quantized(project):
                continue  # stages of int8 gain nothing by being fused
            block = _block(edit, project)
            if block is not None and (block.is_inverted or not inverted):
                _fuse(edit, block)
    return edit.finish()


class _Block:
    def __init__(
        self,
        project: Node,
        depthwise: Node,
        expand: Node | None,
        squeeze_excite: SqueezeExcite | None,
    ) -> None:
        self.project, self.depthwise, self.expand = project, depthwise, expand
        self.squeeze_excite = squeeze_excite

    @property
    def is_inverted(self) -> bool:
        if self.expand is None:
            return False
        taken, expanded = self.expand.weights["weight"].shape
        inner, made = self.project.weights["weight"].shape
        return bool(taken < expanded and made < inner)


def _block(edit: Edit, project: Node) -> _Block | None:
    """Return the block that a pointwise convolution ends."""
    value = project.inputs[0]
    if not edit.private(value):
        return None
    squeeze_excite = None
    product = edit.made_by(value, "binary")
    if product is not None:
        squeeze_excite = _private_squeeze_excite(edit, product)
        if squeeze_excite is None:
            return None
        value = squeeze_excite.x
    depthwise = edit.made_by(value, "depthwise")
    if depthwise is None or len(depthwise.inputs) > 1 or _is_quantized(depthwise):
        return None  # a block adds nothing in its middle
    expand = edit.made_by(depthwise.inputs[0], "pointwise")
    single = expand is not None and len(expand.inputs) == 1 and not _is_quantized(expand)
    if expand is not None and not (single and edit.private(expand.output)):
        expand = None
    return _Block(project, depthwise, expand, squeeze_excite)


def _is_quantized(node: Node) -> bool:
    return bool(node.weights["weight"].dtype != np.float32)


def _private_squeeze_excite(edit: Edit, product: Node) -> SqueezeExcite | None:
    """Return a squeeze-excite whose inner values nothing else reads."""
    from .squeeze_excite import match

    found = match(edit, product)
    if found is None or product.attributes.get("activation") is not None:
        return None
    readers = {id(node) for node in edit.readers(found.x)}
    inside = all(edit.private(node.output) for node in found.inner)
    if any(_is_quantized(node) for node in (found.reduce, found.excite)):
        return None
    if edit.is_output(found.x) or readers != {id(found.mean), id(product)} or not inside:
        return None
    return found


def _fuse(edit: Edit, block: _Block) -> None:
    project, depthwise, expand = block.project, block.depthwise, block.expand
    geometry = {name: depthwise.attributes[name] for name in ("stride", "dilation", "padding")}
    attributes: dict[str, Any] = {
        **geometry,
        "depthwise_activation": depthwise.attributes.get("activation"),
        "activation": project.attributes.get("activation"),
    }
    weights = {**_renamed(depthwise, "depthwise")}
    weights.update({name: project.weights[name] for name in _FLOATS if name in project.weights})
    x = depthwise.inputs[0]
    if expand is not None:
        attributes["expand_activation"] = expand.attributes.get("activation")
        weights.update(_renamed(expand, "expand"))
        x = expand.inputs[0]
    if (inner := block.squeeze_excite) is not None:
        for stage, node in (("reduce", inner.reduce), ("excite", inner.excite)):
            attributes[f"{stage}_activation"] = node.attributes.get("activation")
            weights.update(_renamed(node, stage))
    kind = "separable" if expand is None else "inverted_residual"
    edit.become(project, kind, [x, *project.inputs[1:]], attributes, weights)


def _renamed(node: Node, stage: str) -> dict[str, Array]:
    return {f"{stage}_{name}": node.weights[name] for name in _FLOATS if name in node.weights}
