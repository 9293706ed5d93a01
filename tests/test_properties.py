"""Hypothesis: any shapes, windows, layouts and numbers, and the laws that hold for all of them."""

import choices
import numpy as np
import pytest
from calls import (
    Call,
    bits_differ,
    conv2d,
    depthwise,
    integers,
    inverted_residual,
    normals,
    out_of_bound,
    pointwise,
    separable,
    unequal,
)
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from oracle import Estimate

import dwsep

pytestmark = pytest.mark.kernels
# Repeatable, and without a deadline: another load on the machine must not fail a test.
repeatable = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)

small = st.integers(1, 12)
channels = st.integers(1, 70)
kernels = st.tuples(st.integers(1, 7), st.integers(1, 7))
pairs = st.one_of(st.integers(1, 4), st.tuples(st.integers(1, 4), st.integers(1, 4)))
sides = st.integers(0, 5)
paddings = st.one_of(
    st.sampled_from(["same", "same_lower", "valid"]),
    sides,
    st.tuples(sides, sides),
    st.tuples(st.tuples(sides, sides), st.tuples(sides, sides)),
)
activations = st.one_of(
    st.sampled_from(choices.ALL_ACTIVATIONS),
    st.tuples(st.just("leaky_relu"), st.floats(-1, 1, width=32, allow_subnormal=False)),
    st.tuples(st.just("clip"), st.floats(-3, 0, width=32), st.floats(0, 3, width=32)),
)


@st.composite
def calls(draw, numbers=normals, activations=activations) -> Call:
    array = numbers(draw(st.integers(0, 2**32 - 1)))
    batch = draw(st.sampled_from([(), (1,), (2,)]))
    size, kernel = (draw(small), draw(small)), draw(kernels)
    shape = (*batch, *size, draw(channels))
    window = {"stride": draw(pairs), "padding": draw(paddings), "dilation": draw(pairs)}
    last = {"activation": draw(activations)}
    both = {"bias": draw(st.booleans()), "residual": draw(st.booleans())}
    family = draw(st.sampled_from([depthwise, pointwise, separable, inverted_residual, conv2d]))
    if family is pointwise:
        return pointwise(array, shape, draw(channels), **both, **last)
    assume(choices.fits(size, kernel, **window))
    multiplier = draw(st.integers(1, 3))
    if family is depthwise:
        return depthwise(array, shape, kernel, multiplier, both["bias"], **window, **last)
    if family is conv2d:
        groups = draw(st.sampled_from([g for g in range(1, 71) if shape[-1] % g == 0]))
        cout = groups * draw(st.integers(1, max(1, 70 // groups)))
        return conv2d(array, shape, cout, kernel, groups, **both, **window, **last)
    last["depthwise_activation"] = draw(activations)
    if family is separable:
        return separable(array, shape, draw(channels), kernel, multiplier, **both, **window, **last)
    last["expand_activation"] = draw(activations)
    widths = draw(channels), draw(channels)
    return inverted_residual(array, shape, *widths, kernel, multiplier, **both, **window, **last)


few_integers = calls(lambda seed: integers(seed, 1), st.sampled_from(choices.EXACT_ACTIVATIONS))


@repeatable
@given(calls())
def test_error_is_within_the_bound(call):
    assert out_of_bound(call.run(), call.oracle()) is None


@repeatable
@given(few_integers)
def test_integers_are_exact(call):
    assert unequal(call.run(), call.plain()) is None


@repeatable
@given(calls(), st.integers(1, 9))
def test_bits_are_the_same_however_it_is_run(call, threads):
    expected = call.run(num_threads=1)
    assert bits_differ(call.run(num_threads=threads), expected) is None
    assert bits_differ(call.run_layer(num_threads=threads), expected) is None
    out = np.full((*expected.shape[:-1], expected.shape[-1] + 3), np.nan, np.float32)[..., 1:-2]
    call.run(out=out, num_threads=threads)
    assert bits_differ(out, expected) is None


@st.composite
def views(draw, shape):
    """Slice a larger random array to `shape`, not contiguous and with reversed axes."""
    steps = [draw(st.sampled_from([1, 1, 2, 3, -1, -2])) for _ in shape[:-1]] + [1]
    extra = [draw(st.integers(0, 3)) for _ in shape]
    spans = [abs(step) * size + more for step, size, more in zip(steps, shape, extra, strict=True)]
    host = normals(draw(st.integers(0, 2**32 - 1)))(spans)
    forward = tuple(
        slice(more, more + abs(step) * size, abs(step))
        for step, size, more in zip(steps, shape, extra, strict=True)
    )
    backward = tuple(slice(None, None, -1 if step < 0 else 1) for step in steps)
    return host[forward][backward]


@repeatable
@given(st.data(), calls())
def test_views_give_the_bits_of_their_copies(data, call):
    view = data.draw(views(call.arrays["x"].shape))
    expected = call.with_arrays(x=np.ascontiguousarray(view)).run()
    assert bits_differ(call.with_arrays(x=view).run(), expected) is None


@repeatable
@given(calls(activations=st.none()), st.integers(-20, 20))
def test_scaling_by_a_power_of_two_is_exact(call, exponent):
    """Scaling the input, the biases and the residual scales every rounding with them."""
    scale = np.float32(2.0**exponent)
    scaled = {n: a * scale for n, a in call.arrays.items() if not n.endswith("weight")}
    assert bits_differ(call.with_arrays(**scaled).run(), call.run() * scale) is None


@repeatable
@given(few_integers, few_integers)
def test_linear_in_the_input(call, other):
    """f(x + x') = f(x) + f(x') - f(0), exactly on integers and without activations."""
    call = call.with_options(**{name: None for name in call.options if "activation" in name})
    x = call.arrays["x"]
    more = np.resize(other.arrays["x"], x.shape)
    total = call.with_arrays(x=x + more).run()
    parts = call.run() + call.with_arrays(x=more).run() - call.with_arrays(x=0 * x).run()
    assert unequal(total, parts) is None


@repeatable
@given(
    st.sampled_from(
        [lambda *a, **o: depthwise(*a, 2, **o), lambda d, s, k, **o: conv2d(d, s, 9, k, **o)]
    ),
    st.tuples(small, small, channels),
    kernels,
    pairs,
    st.sampled_from(
        [("same", "same_lower"), ("same_lower", "same"), (((1, 4), (0, 2)), ((4, 1), (2, 0)))]
    ),
)
def test_upside_down(make, shape, kernel, dilation, padding):
    """Turning image, kernel and padding by half a turn turns the result, to rounding."""
    assume(choices.fits(shape[:2], kernel, 1, padding[0], dilation))
    call = make(normals(1), shape, kernel, padding=padding[0], dilation=dilation)
    x, w = call.arrays["x"][::-1, ::-1], call.arrays["weight"][::-1, ::-1]
    turned = call.with_arrays(x=x, weight=w).with_options(padding=padding[1]).run()[::-1, ::-1]
    value, bound = turned.astype(np.float64), 2 * call.oracle().bound
    assert out_of_bound(call.run(), Estimate(value, bound)) is None


@repeatable
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 70), st.integers(0, 2**32 - 1))
def test_identity_matrix_changes_nothing(height, width, count, seed):
    x = normals(seed)((height, width, count))
    y = dwsep.pointwise_conv2d(x, np.eye(count, dtype=np.float32))
    assert unequal(y, x) is None
