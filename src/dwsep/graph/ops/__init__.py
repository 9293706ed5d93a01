"""Every kind of node: attributes, weights, types, layouts and folding, one file for each family."""

from __future__ import annotations

from ..later import Later
from .spec import OpSpec

__all__ = ["OPS", "OpSpec", "register"]

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
