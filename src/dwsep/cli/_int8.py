"""Layers in int8, made from those of float32 that the benchmarks time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

__all__ = ["aligned", "int8_of", "note", "share_of_peak"]


def aligned(values: Array) -> Array:
    """Copy to where results of layers lie, at a cache line; NumPy's own begin anywhere."""
    import numpy as np

    line = 64
    room = np.empty(values.nbytes + line, np.uint8)
    skip = -room.ctypes.data % line
    copy = room[skip : skip + values.nbytes].view(values.dtype).reshape(values.shape)
    copy[...] = values
    return copy


def int8_of(layer: Any, call: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return the layer with weights rounded to int8, and a call's arguments likewise.

    `call` has the float32 layer's result in "out"; its range is the last one's, and what lies
    between stages takes that of its clip. The values do not matter to the time.
    """
    from dwsep import Quantization, quantize_weight

    arguments = dict(layer.arguments)
    x, out = call["x"], call["out"]
    qx = Quantization.from_range(float(x.min()), float(x.max()))
    made: dict[str, Any] = {"x_quantization": qx}
    for name, value in arguments.items():
        if value is not None and name.endswith("weight"):
            arguments[name], made[f"{name}_quantization"] = quantize_weight(value)
        elif name in ("expand_activation", "depthwise_activation"):
            between = name.removesuffix("activation") + "quantization"
            made[between] = Quantization.from_range(0.0 if value else -6.0, 6.0)
    made["quantization"] = Quantization.from_range(float(out.min()), float(out.max()))
    result: dict[str, Any] = {"x": aligned(qx.quantize(x))}
    if "residual" in call:
        made["residual_quantization"] = qx
        result["residual"] = result["x"]
    quantized = type(layer)(**{**arguments, **made})
    result["out"] = aligned(quantized(**result))
    return quantized, result


def share_of_peak(family: str, flops: float, seconds: float, cores: int) -> float:
    """Return the share of what int8 products of a family's kernels reach on so many cores."""
    from dwsep import _limits

    return flops / seconds / (cores * _limits.int8_peak_of(family))


def note() -> str:
    """Say what the peaks are."""
    from dwsep import _limits

    peaks = (f"{_limits.int8_peak_of(f) / 1e9:,.0f} for {f}" for f in ("depthwise", "pointwise"))
    return (
        "int8 peak: of int8 products alone, by the best instructions that the kernels in use have:"
        f" {', '.join(peaks)} kernels, GOP/s a core (a multiply-add is two)."
    )
