"""What the benchmarks share: layers made from cases.

Every name of dwsep is looked up when a benchmark needs it and a benchmark that does not find its
own is skipped, so the suite can be imported on any commit.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from .cases import Case

__all__ = [
    "STAGES",
    "aligned",
    "attribute",
    "case_arguments",
    "case_arrays",
    "cpus",
    "make_layer",
    "make_packed",
    "random_array",
    "skip_unless_cpus",
]


def attribute(module: str, name: str) -> Any:
    """Return a name of dwsep; skip the benchmark on a commit that lacks it."""
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise NotImplementedError(f"this commit has no {module}.{name}") from error


def cpus() -> int:
    """Return the CPUs that this process may use."""
    return len(os.sched_getaffinity(0))


def skip_unless_cpus(threads: int) -> None:
    """Skip the benchmark where its threads would share CPUs."""
    if threads > cpus():
        raise NotImplementedError(f"{threads} threads, {cpus()} CPUs")


def random_array(*shape: int, scale: float = 1.0, seed: int = 0) -> np.ndarray:
    """Return normal numbers at a cache line, where the results of layers lie, all touched."""
    normal = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    return aligned(normal * np.float32(scale))


def aligned(values: np.ndarray) -> np.ndarray:
    """Copy to a cache line."""
    line = 64
    room = np.empty(values.nbytes + line, np.uint8)
    skip = -room.ctypes.data % line
    array = room[skip : skip + values.nbytes].view(values.dtype).reshape(values.shape)
    array[...] = values
    return array


def case_arrays(case: Case) -> dict[str, np.ndarray]:
    """Return the input and the weights, by the parameters of dwsep's functions."""
    kh, kw = case.kernels
    c, o, e = case.inputs, case.outputs, case.expanded

    def matrix(inputs: int, outputs: int, seed: int) -> np.ndarray:
        return random_array(inputs, outputs, scale=inputs**-0.5, seed=seed)

    def taps(channels: int, times: int = 1) -> np.ndarray:
        return random_array(kh, kw, channels, times, scale=(kh * kw) ** -0.5, seed=1)

    x = {"x": random_array(1, *case.shape, c)}
    bias = {"bias": random_array(o, seed=2)}
    if case.kind == "depthwise":
        return x | {"weight": taps(c, o // c)} | bias
    if case.kind == "pointwise":
        return x | {"weight": matrix(c, o, 3)} | bias
    if case.kind == "separable":
        first = {"depthwise_weight": taps(c), "depthwise_bias": random_array(c, seed=4)}
        return x | first | {"weight": matrix(c, o, 3)} | bias
    if case.kind == "inverted":
        weights = {
            "expand_weight": matrix(c, e, 5),
            "depthwise_weight": taps(e),
            "weight": matrix(e, o, 6),
        }
        biases = {name: random_array(e, seed=7) for name in ("expand_bias", "depthwise_bias")}
        return x | weights | biases | bias
    fan = kh * kw * c // case.groups
    weight = random_array(kh, kw, c // case.groups, o, scale=fan**-0.5, seed=8)
    return x | {"weight": weight} | bias


_NAMES = {
    "depthwise": ("DepthwiseConv2D", "depthwise_conv2d"),
    "pointwise": ("PointwiseConv2D", "pointwise_conv2d"),
    "separable": ("SeparableConv2D", "separable_conv2d"),
    "inverted": ("InvertedResidual", "inverted_residual"),
    "standard": ("Conv2D", "conv2d"),
}


# Prefixes of the arguments of each stage.
STAGES = {"separable": ("depthwise_", ""), "inverted": ("expand_", "depthwise_", "")}


def _in_int8(case: Case, arguments: dict[str, Any]) -> dict[str, Any]:
    """Round x, weights and biases; the outputs of all stages have the range of relu6."""
    quantization = attribute("dwsep", "Quantization")
    quantize_weight = attribute("dwsep", "quantize_weight")
    x = arguments["x"]
    qx, six = quantization.from_range(x.min(), x.max()), quantization.from_range(0, 6)
    made = {**arguments, "x": aligned(qx.quantize(x)), "x_quantization": qx, "quantization": six}
    for name, value in arguments.items():
        if name.endswith("weight"):
            windows = case.kind == "depthwise" or name.startswith("depthwise")
            axis = (-2, -1) if windows else -1
            made[name], made[f"{name}_quantization"] = quantize_weight(value, axis)
        elif name.endswith("_activation"):
            made[f"{name.removesuffix('activation')}quantization"] = six
    for number, prefix in enumerate(STAGES.get(case.kind, ("",))):
        x_scale = np.float32((six if number else qx).scale)
        steps = x_scale * made[f"{prefix}weight_quantization"].scale
        made[f"{prefix}bias"] = np.rint(arguments[f"{prefix}bias"] / steps).astype(np.int32)
    return made


def case_arguments(case: Case) -> dict[str, Any]:
    """Return all arguments of the function of a case."""
    arguments = case_arrays(case) | _options(case)
    return _in_int8(case, arguments) if case.dtype == "int8" else arguments


def _options(case: Case) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if case.kind != "pointwise":
        options |= {"stride": case.strides, "dilation": case.dilations}
    if case.kind == "standard":
        options["groups"] = case.groups
    if case.kind in ("separable", "inverted"):
        options["depthwise_activation"] = case.activation
    if case.kind == "inverted":
        return options | {"expand_activation": case.activation}
    return options | {"activation": case.activation}


def make_layer(case: Case, threads: int) -> Callable[[], np.ndarray]:
    """Return a call of the packed layer: no arguments, an output that was touched before."""
    layer, x = make_packed(case)
    out = layer(x, num_threads=threads)
    return lambda: layer(x, out=out, num_threads=threads)


def make_packed(case: Case) -> tuple[Any, np.ndarray]:
    """Return the layer and its input."""
    arguments = case_arguments(case)
    x = arguments.pop("x")
    return attribute("dwsep", _NAMES[case.kind][0])(**arguments), x


def make_function(case: Case, threads: int) -> Callable[[], np.ndarray]:
    """Return a call of the function, which packs the weights and makes its output."""
    function = attribute("dwsep", _NAMES[case.kind][1])
    arguments = case_arguments(case) | {"num_threads": threads}
    function(**arguments)
    return lambda: function(**arguments)
