"""Functions of one element against float64, over all floats; whatever their place in a row."""

import math

import elementwise_functions as functions
import numpy as np
import pytest
from calls import bits_differ

from dwsep.graph.ops.elementwise import UNARY

pytestmark = pytest.mark.kernels


def judge(name, precise, got, *inputs):
    with np.errstate(all="ignore"):
        exact = [x.astype(np.float64) for x in inputs]
        wanted = precise.f(*exact)
        allowed = precise.ulp(*exact) if callable(precise.ulp) else precise.ulp
        error = functions.ulps(got, wanted)
    allowed = np.nan_to_num(allowed)
    worst = np.argmax(error - allowed)
    at = [x[worst] for x in inputs]
    assert np.all(error <= allowed), (
        f"{name}{at} = {got[worst]}, wanted {wanted[worst]}: {error[worst]} ulp"
    )


@pytest.mark.parametrize("name", functions.UNARY)
def test_unary(name):
    x = functions.all_sizes(8191)
    y = functions.network("unary", name, x.shape)(x)
    judge(name, functions.UNARY[name], y, x)


@pytest.mark.parametrize("name", functions.BINARY)
def test_binary(name):
    a, b = functions.bases_and_exponents(20_000)
    if name == "elu":
        b = np.clip(b, -100, 100)
    y = functions.network("binary", name, a.shape, b.shape)(a, b)
    judge(name, functions.BINARY[name], y, a, b)


def test_powers_of_ieee_754():
    """Every combination of special numbers, signs of zeros too."""
    numbers = [0.0, 0.5, 1.0, 2.0, 3.0, 2.5, math.inf, 1e-40, 16777216.0, 16777215.0, 1e30]
    numbers = np.float32([*numbers, *(-n for n in numbers), math.nan])
    a, b = (np.ascontiguousarray(m).ravel() for m in np.meshgrid(numbers, numbers))
    y = functions.network("binary", "pow", a.shape, b.shape)(a, b)
    with np.errstate(all="ignore"):
        wanted = np.power(a.astype(np.float64), b.astype(np.float64)).astype(np.float32)
    same = (np.signbit(y) == np.signbit(wanted)) & np.isclose(y, wanted, rtol=3e-7, atol=0)
    wrong = ~(same | (np.isnan(y) & np.isnan(wanted)))
    assert not wrong.any(), [(a[i], b[i], y[i], wanted[i]) for i in np.flatnonzero(wrong)[:8]]


@pytest.mark.parametrize("call", list(functions.function_calls()), ids=str)
def test_the_place_in_a_row_does_not_matter(call):
    """Nor what stands next to a number: large angles and odd bases take ways of their own."""
    rng = np.random.default_rng(0)
    arrays = (functions.all_sizes(1_000_003),)
    if call.kind == "binary":
        arrays = functions.bases_and_exponents(200)
    order = rng.permutation(arrays[0].size)
    model = functions.network(call.kind, call.function, *[(-1,)] * len(arrays))
    whole = model(*arrays)
    shuffled = np.empty_like(whole)
    shuffled[order] = model(*(x[order] for x in arrays))
    assert not bits_differ(np.nan_to_num(shuffled), np.nan_to_num(whole))
    for first, last in ((0, 1), (3, 20), (7, 40), (1, 68)):
        part = model(*(x[first:last] for x in arrays))
        assert not bits_differ(np.nan_to_num(part), np.nan_to_num(whole[first:last]))


BROADCASTS = [
    ((5, 37), (5, 1)),
    ((5, 1), (5, 37)),
    ((1, 37), (5, 1)),
    ((9, 70), (1, 1)),
    ((1,), (9, 64)),
    ((9, 1), (9, 1)),
    ((1, 1), (1, 1)),
    ((3, 7, 8), (3, 1, 8)),
    ((6, 33), (33,)),
    ((7, 3), (7, 1)),
]


@pytest.mark.parametrize("shapes", BROADCASTS, ids=str)
@pytest.mark.parametrize("name", functions.BINARY)
def test_one_number_for_a_row(name, shapes):
    """Bits are those of a row that has it in each column."""
    rng = np.random.default_rng(1)
    arrays = [3 * rng.standard_normal(shape, np.float32) for shape in shapes]
    written = [np.ascontiguousarray(a) for a in np.broadcast_arrays(*arrays)]
    got = functions.network("binary", name, *shapes)(*arrays)
    wanted = functions.network("binary", name, *(a.shape for a in written))(*written)
    np.testing.assert_array_equal(got, wanted)  # NaN too, whose bits are of no account
    numbers = ~np.isnan(wanted)
    assert not bits_differ(got[numbers], wanted[numbers])


def test_all_functions_are_here():
    assert set(functions.UNARY) == set(UNARY)
