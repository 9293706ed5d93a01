"""A `Call` is one operator with its arguments: it runs in dwsep, plainly and in float64.

One description, many judges: the exact, bounded, determinism and guard-page tests all build their
calls here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import oracle
import plain

import dwsep

LAYERS = {
    "depthwise_conv2d": "DepthwiseConv2D",
    "pointwise_conv2d": "PointwiseConv2D",
    "separable_conv2d": "SeparableConv2D",
    "inverted_residual": "InvertedResidual",
    "conv2d": "Conv2D",
}
PER_CALL = ("x", "residual")

Draw = Callable[[tuple[int, ...]], np.ndarray]


def integers(seed: int, largest: int = 3) -> Draw:
    """Small integers: every product and sum that the tests make of them is exact in float32."""
    rng = np.random.default_rng(seed)
    return lambda shape: rng.integers(-largest, largest + 1, shape).astype(np.float32)


def normals(seed: int) -> Draw:
    rng = np.random.default_rng(seed)
    return lambda shape: rng.standard_normal(shape, np.float32)


@dataclass(frozen=True, repr=False)
class Call:
    function: str
    arrays: dict[str, np.ndarray]
    options: dict[str, object] = field(default_factory=dict)

    def run(self, **extra) -> np.ndarray:
        return getattr(dwsep, self.function)(**self.arrays, **self.options, **extra)

    def layer(self):
        weights = {name: a for name, a in self.arrays.items() if name not in PER_CALL}
        return getattr(dwsep, LAYERS[self.function])(**weights, **self.options)

    def run_layer(self, layer=None, **extra) -> np.ndarray:
        layer = layer or self.layer()
        inputs = {name: a for name, a in self.arrays.items() if name in PER_CALL}
        return layer(**inputs, **extra)

    def plain(self) -> np.ndarray:
        return getattr(plain, self.function)(**self.arrays, **self.options)

    def oracle(self) -> oracle.Estimate:
        return getattr(oracle, self.function)(**self.arrays, **self.options)

    @property
    def filters(self) -> str:
        """The name of the weights with a window, or of the matrix where there is no window."""
        return "depthwise_weight" if "depthwise_weight" in self.arrays else "weight"

    def with_arrays(self, **arrays) -> Call:
        return replace(self, arrays={**self.arrays, **arrays})

    def with_options(self, **options) -> Call:
        return replace(self, options={**self.options, **options})

    def __repr__(self) -> str:
        arrays = [f"{name}{a.shape}" for name, a in self.arrays.items()]
        options = [f"{name}={value!r}" for name, value in self.options.items()]
        return f"{self.function}({', '.join(arrays + options)})"


# --- one maker per family ----------------------------------------------------------------------

WINDOW = ("stride", "padding", "dilation")


def _output_shape(shape, kernel, channels, options):
    window = {"stride": 1, "padding": "same", "dilation": 1}
    window.update((k, v) for k, v in options.items() if k in WINDOW)
    batch = (1, *shape) if len(shape) == 3 else shape
    output = oracle.Window(batch, kernel, **window).output
    return (*shape[:-3], *output, channels)


def depthwise(draw: Draw, shape, kernel=(3, 3), multiplier=1, bias=True, **options) -> Call:
    channels = shape[-1]
    arrays = {"x": draw(shape), "weight": draw((*kernel, channels, multiplier))}
    if bias:
        arrays["bias"] = draw((channels * multiplier,))
    return Call("depthwise_conv2d", arrays, options)


def pointwise(draw: Draw, shape, cout, bias=True, residual=False, **options) -> Call:
    arrays = {"x": draw(shape), "weight": draw((shape[-1], cout))}
    if bias:
        arrays["bias"] = draw((cout,))
    if residual:
        arrays["residual"] = draw((*shape[:-1], cout))
    return Call("pointwise_conv2d", arrays, options)


def _squeeze_excite(draw: Draw, channels, reduced, bias) -> dict[str, np.ndarray]:
    if not reduced:
        return {}
    weights = {
        "reduce_weight": draw((channels, reduced)),
        "excite_weight": draw((reduced, channels)),
    }
    biases = {"reduce_bias": draw((reduced,)), "excite_bias": draw((channels,))} if bias else {}
    return weights | biases


def separable(
    draw: Draw,
    shape,
    cout,
    kernel=(3, 3),
    multiplier=1,
    bias=True,
    residual=False,
    reduced=0,
    **options,
) -> Call:
    """Make a separable convolution, with squeeze-excite if it has `reduced` channels."""
    channels = shape[-1]
    arrays = {
        "x": draw(shape),
        "depthwise_weight": draw((*kernel, channels, multiplier)),
        "weight": draw((channels * multiplier, cout)),
    }
    if bias:
        arrays["depthwise_bias"] = draw((channels * multiplier,))
        arrays["bias"] = draw((cout,))
    if residual:
        arrays["residual"] = draw(_output_shape(shape, kernel, cout, options))
    arrays |= _squeeze_excite(draw, channels * multiplier, reduced, bias)
    return Call("separable_conv2d", arrays, options)


def inverted_residual(
    draw: Draw,
    shape,
    hidden,
    cout,
    kernel=(3, 3),
    multiplier=1,
    bias=True,
    residual=False,
    reduced=0,
    **options,
) -> Call:
    arrays = {
        "x": draw(shape),
        "expand_weight": draw((shape[-1], hidden)),
        "depthwise_weight": draw((*kernel, hidden, multiplier)),
        "weight": draw((hidden * multiplier, cout)),
    }
    if bias:
        arrays["expand_bias"] = draw((hidden,))
        arrays["depthwise_bias"] = draw((hidden * multiplier,))
        arrays["bias"] = draw((cout,))
    if residual:
        arrays["residual"] = draw(_output_shape(shape, kernel, cout, options))
    arrays |= _squeeze_excite(draw, hidden * multiplier, reduced, bias)
    return Call("inverted_residual", arrays, options)


def conv2d(
    draw: Draw, shape, cout, kernel=(3, 3), groups=1, bias=True, residual=False, **options
) -> Call:
    arrays = {"x": draw(shape), "weight": draw((*kernel, shape[-1] // groups, cout))}
    if bias:
        arrays["bias"] = draw((cout,))
    if residual:
        arrays["residual"] = draw(_output_shape(shape, kernel, cout, options))
    return Call("conv2d", arrays, {**options, "groups": groups})


def families(shape=(2, 9, 10, 16), **options) -> list[Call]:
    """Make one call of each family whose output has the shape of its input."""
    draw, channels = integers(1, 2), shape[-1]
    return [
        depthwise(draw, shape, **options),
        pointwise(draw, shape, channels, residual=True),
        separable(draw, shape, channels, residual=True, **options),
        inverted_residual(draw, shape, 24, channels, residual=True, **options),
        conv2d(draw, shape, channels, residual=True, **options),
    ]


# --- judging -----------------------------------------------------------------------------------


def _first(wrong, actual, expected) -> str:
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    return (
        f"{np.count_nonzero(wrong)} of {wrong.size} differ, first at {index}: "
        f"got {actual[index]!r}, want {expected[index]!r}"
    )


def _misfit(actual, expected) -> str | None:
    if actual.dtype != np.float32:
        return f"got dtype {actual.dtype}, want float32"
    if actual.shape != expected.shape:
        return f"got shape {actual.shape}, want {expected.shape}"
    return None


def unequal(actual, expected) -> str | None:
    """Return how values that must be equal differ (0 equals -0, NaN equals NaN)."""
    if problem := _misfit(actual, expected):
        return problem
    wrong = (actual != expected) & ~(np.isnan(actual) & np.isnan(expected))
    return _first(wrong, actual, expected) if wrong.any() else None


def bits_differ(actual, expected) -> str | None:
    """Return how bits that must agree differ."""
    if problem := _misfit(actual, expected):
        return problem
    a, b = np.ascontiguousarray(actual), np.ascontiguousarray(expected)
    wrong = a.view(np.uint32) != b.view(np.uint32)
    return _first(wrong, a, b) if wrong.any() else None


def out_of_bound(actual, estimate: oracle.Estimate) -> str | None:
    """Return which values exceed their own a-priori bound."""
    if problem := _misfit(actual, estimate.value):
        return problem
    error = np.abs(actual.astype(np.float64) - estimate.value)
    wrong = ~(error <= estimate.bound)
    if not wrong.any():
        return None
    excess = np.max(error[wrong] / np.maximum(estimate.bound[wrong], oracle.TINY))
    return f"{_first(wrong, actual, estimate.value)}, up to {excess:.3g} times the bound"


def assert_all(calls: Iterable[Call], judge: Callable[[Call], str | None]) -> None:
    """Judge every call and report all that fail, not only the first."""
    failures, count = [], 0
    for call in calls:
        count += 1
        if problem := judge(call):
            failures.append(f"{call}: {problem}")
    assert count, "no calls were made"
    shown = "\n".join(failures[:12])
    assert not failures, f"{len(failures)} of {count} calls are wrong:\n{shown}"


def displaced(array, elements):
    """Return the array so many elements past a cache line: NumPy's own lie at any 16 bytes."""
    line, item = 64, array.itemsize
    memory = np.empty(array.nbytes + 2 * line, np.uint8)
    start = -memory.ctypes.data % line + elements * item
    result = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    result[...] = array
    return result
