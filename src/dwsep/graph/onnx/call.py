"""One node of the file, with its inputs found and its attributes checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...errors import InvalidModelError
from ..importing.builder import Builder
from ..importing.node import OperatorCall
from ..importing.values import Unsupported, Value
from ..sizes import bounds

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Call", "charge_folding", "part_of"]

_LARGEST_OF_INTEGERS = 2**23  # elements: indices of a part of an image have a million


class Call(OperatorCall):
    """What an importer of an operator of ONNX works on."""

    def __init__(
        self,
        builder: Builder,
        name: str,
        type_: str,
        inputs: list[Value | None],
        outputs: list[str],
        opset: int,
        attributes: dict[str, Any],
    ) -> None:
        super().__init__(builder, name, type_, inputs, outputs)
        self.opset = opset
        self.attributes = attributes

    def attribute(self, name: str, default: Any) -> Any:
        """Return an attribute; one without a default must be there."""
        value = self.attributes.get(name, default)
        if value is ...:
            raise InvalidModelError(f"attribute {name!r} is missing")
        return value

    def number(self, name: str, default: float) -> float:
        """Return an attribute that is a finite number."""
        value = float(self.attribute(name, default))
        if not math.isfinite(value):
            raise InvalidModelError(f"{name}: need a finite number, got {value}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """Return an attribute that is 0 or 1."""
        value = self.attribute(name, int(default))
        if value not in (0, 1):
            raise InvalidModelError(f"{name}: need 0 or 1, got {value!r}")
        return bool(value)

    def ints_of(self, name: str, index: int, changed: int) -> list[int] | None:
        """Return integers that were an attribute before the opset `changed`, an input since."""
        if self.opset < changed:
            value = self.attributes.get(name)
            return None if value is None else list(value)
        return self.ints(index, name) if self.has(index) else None


def part_of(start: int, stop: int, step: int, size: int) -> tuple[int, int | None, int]:
    """Return the part of an axis as Python would write it, of which ONNX clamps the bounds.

    Python's own clamping differs: going down from before the first element it takes nothing, ONNX
    the first element.
    """
    first, last, step = bounds(start, stop, step, size)
    return max(first, 0), None if last < 0 else last, step


def charge_folding(call: Call, shape: Sequence[int], *arrays: NDArray[Any]) -> None:
    """Check that making an array of this shape of others is not too much."""
    if all(a.dtype.kind not in "fc" for a in arrays) and math.prod(shape) > _LARGEST_OF_INTEGERS:
        raise Unsupported(f"its arithmetic on shapes makes {math.prod(shape)} numbers")
    call.builder.charge(shape, sum(a.nbytes for a in arrays))
