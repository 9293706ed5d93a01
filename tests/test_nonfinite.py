"""NaN and infinity go exactly where the sums take them, and nowhere else."""

import choices
import numpy as np
import pytest
import sweeps
from calls import assert_all, conv2d, depthwise, inverted_residual, normals, pointwise, separable
from test_activations import activate

pytestmark = [
    pytest.mark.kernels,
    pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning"),  # the oracle's own
]


def kinds(values) -> np.ndarray:
    """Reduce to NaN, +inf, -inf and 0 for anything finite."""
    return np.where(np.isfinite(values), 0, values)


def judge(call):
    got, want = kinds(call.run()), kinds(call.oracle().value)
    wrong = (got != want) & ~(np.isnan(got) & np.isnan(want))
    if wrong.any():
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        return (
            f"{wrong.sum()} of {wrong.size} differ, first at {where}: {got[where]}, {want[where]}"
        )
    return None


def spoiled(calls, name, value, seed=0):
    """Put `value` into one random place of the array `name` of every call that has it."""
    rng = np.random.default_rng(seed)
    for call in calls:
        if name in call.arrays:
            array = call.arrays[name].copy()
            array[tuple(rng.integers(array.shape))] = value
            yield call.with_arrays(**{name: array})


@pytest.mark.parametrize("name", ["x", "depthwise_weight", "weight", "bias", "residual"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=str)
def test_one_bad_number_reaches_its_outputs_only(name, value):
    """A neighbouring lane, pixel or image that is touched by mistake shows as a stray NaN."""
    calls = (
        call.with_options(**dict.fromkeys((k for k in call.options if "activation" in k), None))
        for call in sweeps.small(normals(1))
    )
    assert_all(spoiled(calls, name, value), judge)


@pytest.mark.parametrize("spec", choices.ALL_ACTIVATIONS, ids=str)
def test_nan_passes_through_every_activation(spec):
    x = np.linspace(-8, 8, 37).astype(np.float32)
    x[[0, 5, 16, 17, 36]] = np.nan
    assert np.array_equal(np.isnan(activate(x, spec)), np.isnan(x))


@pytest.mark.parametrize("spec", choices.ALL_ACTIVATIONS, ids=str)
def test_nan_passes_through_every_stage(spec):
    draw, shape = normals(2), (1, 5, 6, 17)
    both = {"depthwise_activation": spec, "activation": spec}
    calls = [
        depthwise(draw, shape, activation=spec),
        pointwise(draw, shape, 21, activation=spec),
        separable(draw, shape, 21, **both),
        inverted_residual(draw, shape, 33, 21, expand_activation=spec, **both),
        conv2d(draw, shape, 21, activation=spec),
    ]
    assert_all(spoiled(calls, "x", np.nan), judge)
    assert_all(spoiled(calls, "bias", np.nan), judge)


LIMITS = {
    "relu": (0, np.inf),
    "relu6": (0, 6),
    ("clip", -2, 3): (-2, 3),
    "leaky_relu": (-np.inf, np.inf),
    "hard_sigmoid": (0, 1),
    "sigmoid": (0, 1),
    "tanh": (-1, 1),
    "hard_swish": (0, np.inf),
    "silu": (0, np.inf),
    "gelu": (0, np.inf),
}


@pytest.mark.parametrize("spec", LIMITS, ids=str)
def test_infinity(spec):
    low, high = LIMITS[spec]
    left, right = activate([-np.inf, np.inf], spec)
    assert right == high
    # x * gate(x) is -inf * 0 there: NaN is what the formula says, 0 what the limit says.
    gated = spec in ("hard_swish", "silu", "gelu")
    # An exponential may stop short of zero, at about the smallest normal number.
    assert left == low or abs(left - low) < 1e-35 or (gated and np.isnan(left))


@pytest.mark.parametrize("padding", ["same", "same_lower", 2, ((0, 3), (2, 1))], ids=str)
@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (4, 4), (7, 7), (1, 7)], ids=choices.identity)
def test_a_tap_in_the_padding_is_not_multiplied(padding, kernel):
    """0 * inf would be NaN: a padded tap must contribute nothing, whatever its weight."""

    def calls():
        draw = normals(3)
        corners = {(0, 0): np.inf, (0, -1): -np.inf, (-1, 0): np.nan, (-1, -1): np.inf}
        for size, stride in (((1, 1), 1), ((2, 3), 1), ((3, 2), 2), ((9, 8), 1), ((16, 17), 2)):
            for channels in (1, 5, 16, 19):
                shape, window = (1, *size, channels), {"stride": stride, "padding": padding}
                if not choices.fits(size, kernel, stride, padding):
                    continue
                made = [
                    depthwise(draw, shape, kernel, **window),
                    depthwise(draw, shape, kernel, multiplier=2, **window),
                    separable(draw, shape, 7, kernel, **window),
                    inverted_residual(draw, shape, 12, 7, kernel, **window),
                    conv2d(draw, shape, 7, kernel, **window),
                ]
                for call in made:
                    for corner, bad in corners.items():
                        w = call.arrays[call.filters].copy()
                        w[corner] = bad
                        yield call.with_arrays(**{call.filters: w})

    assert_all(calls(), judge)
