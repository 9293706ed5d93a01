"""The errors that have a name of their own; all are ValueErrors."""

from __future__ import annotations


class ShapeError(ValueError):
    """Sizes that do not fit together, or sizes that no array can have."""


class InvalidModelError(ValueError):
    """A file that is no model, or a model that contradicts itself."""


class UnsupportedOperatorError(ValueError):
    """A sound model with operators that dwsep cannot compute; the message lists all of them."""

    lacks_operators = False  # whether there are operators that no shape makes computable
