"""Every kind of node: attributes, weights, types, layouts and folding, one file for each family."""

from __future__ import annotations

from .casting import CASTS
from .comparing import COMPARING
from .convolution import CONVOLUTIONS
from .detecting import DETECTING
from .elementwise import ELEMENTWISE_OPS
from .images import IMAGES
from .normalization import NORMALIZATIONS
from .products import PRODUCTS
from .rearranging import REARRANGING
from .recurrent import RECURRENT
from .searching import SEARCHING
from .spec import OpSpec

__all__ = ["OPS", "OpSpec"]

_FAMILIES = (
    *(CASTS, COMPARING, CONVOLUTIONS, DETECTING, ELEMENTWISE_OPS, IMAGES, NORMALIZATIONS, PRODUCTS),
    *(REARRANGING, RECURRENT, SEARCHING),
)

OPS: dict[str, OpSpec] = {spec.kind: spec for family in _FAMILIES for spec in family}
