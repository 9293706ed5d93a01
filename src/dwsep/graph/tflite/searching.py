"""Where the largest elements lie, running sums, rows with a one."""

from __future__ import annotations

from ...errors import InvalidModelError
from ..importing.compositions import to_target
from ..importing.moving import one_hot, sizes_with
from ..importing.values import Known, Unsupported, Value, shape_of
from ..ir import DType
from ..sizes import LARGEST_SIZE
from .call import Call, operator


def _axis(call: Call) -> int:
    axes = call.ints(1, "axis")
    if len(axes) != 1:
        raise InvalidModelError(f"axis: need one, got {axes}")
    return call.axis(axes[0], len(call.shape()))


@operator("ARG_MAX", "ARG_MIN")
def arg(call: Call) -> Value:
    """Import the place of an extreme, the first of several."""
    build, axis = call.builder, _axis(call)
    function = "max" if call.type == "ARG_MAX" else "min"
    y = build.emit("arg", [call.value(0)], function=function, axis=axis, last=False)
    y = build.reshape(y, to_target(shape_of(y), sizes_with(y, axis, [])))
    return build.cast(y, DType(call.results[0].type))


@operator("TOPK_V2")
def top_k(call: Call) -> list[Value | None]:
    """Import the largest elements of the last axis and where they lie."""
    build, x, ks = call.builder, call.value(0), call.ints(1, "k")
    axis = len(call.shape()) - 1
    if len(ks) != 1 or not 0 < ks[0] <= LARGEST_SIZE or axis < 0:
        raise InvalidModelError(f"k: need one number of at least 1, got {ks}")
    indices = build.emit("top_k", [x], function="max", axis=axis, k=ks[0])
    values = build.emit("gather_elements", [x, indices], axis=axis)
    return [values, *(build.cast(indices, DType(result.type)) for result in call.results[1:])]


@operator("CUMSUM")
def cumulative_sum(call: Call) -> Value:
    """Import running sums."""
    axis = _axis(call)
    if call.shape()[axis] is None:
        raise Unsupported("it sums over the batch, whose size is unknown")
    options = {name: bool(call.option(name, False)) for name in ("exclusive", "reverse")}
    return call.builder.emit("cumulative_sum", [call.value(0)], None, axis=axis, **options)


@operator("ONE_HOT")
def one_hot_(call: Call) -> Value:
    """Import a choice of two values at each index along a new axis."""
    depths = call.ints(1, "depth")
    if len(depths) != 1:
        raise InvalidModelError(f"depth: need one, got {depths}")
    on, off = (Known(call.known(i, "value").reshape(())) for i in (2, 3))
    return one_hot(call.builder, call.value(0), depths[0], on, off, call.option("axis", -1))
