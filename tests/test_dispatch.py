"""Every kernel of the dispatch list is chosen, is exact and sums in the canonical order."""

import choices
import numpy as np
import pytest
from calls import assert_all, bits_differ, depthwise, integers, normals, unequal

import dwsep
from dwsep import _core

pytestmark = pytest.mark.kernels

FLOAT = [k for k in _core.kernels() if k["dtype"] == "float32"]
SPECIALISED = [k for k in FLOAT if k["family"] == "depthwise" and all(k["kernel_size"])]
SHAPES = ((1, 3), (6, 5), (7, 7), (13, 18), (25, 11))
PADDINGS = (((1, 0), (2, 1)), ((0, 3), (0, 0)), ((3, 3), (3, 3)))
each_kernel = pytest.mark.parametrize("kernel", SPECIALISED, ids=lambda kernel: kernel["name"])


def calls(kernel, draw):
    for size in SHAPES:
        for padding in PADDINGS:
            if choices.fits(size, kernel["kernel_size"], kernel["stride"], padding):
                for channels in choices.CHANNELS:
                    yield depthwise(
                        draw,
                        (1, *size, channels),
                        kernel["kernel_size"],
                        stride=kernel["stride"],
                        padding=padding,
                    )


def one_column_wider(call):
    """Append a column of zero weights: the same sums, for which there is no kernel of its own."""
    w = call.arrays["weight"]
    (top, bottom), (left, right) = call.options["padding"]
    wider = np.concatenate([w, np.zeros_like(w[:, :1])], axis=1)
    return call.with_arrays(weight=wider).with_options(padding=((top, bottom), (left, right + 1)))


@each_kernel
def test_it_is_chosen(kernel):
    layer = next(calls(kernel, integers(1))).layer()
    assert layer.explain((64, 64, 1)).kernel == kernel["name"]


@each_kernel
def test_small_integers_are_exact(kernel):
    assert_all(calls(kernel, integers(2)), lambda call: unequal(call.run(), call.plain()))


@each_kernel
def test_bits_are_those_of_the_generic_kernel(kernel):
    generic = one_column_wider(next(calls(kernel, normals(3)))).layer()
    assert generic.explain((64, 64, 1)).kernel == "depthwise_generic"
    assert_all(
        calls(kernel, normals(4)),
        lambda call: bits_differ(call.run(), one_column_wider(call).run()),
    )


def test_anything_else_is_generic():
    layer = dwsep.DepthwiseConv2D(np.ones((2, 9, 3, 1), np.float32), stride=(3, 1))
    assert layer.explain((64, 64, 3)).kernel == "depthwise_generic"


@pytest.mark.parametrize("made", choices.CHANNELS)
def test_pointwise_layers_name_a_kernel_of_the_list(made):
    layer = dwsep.PointwiseConv2D(np.ones((5, made), np.float32))
    names = [kernel["name"] for kernel in FLOAT if kernel["family"] == "pointwise"]
    assert layer.explain((64, 64, 5)).kernel in names


@each_kernel
def test_multipliers_and_dilations_are_not_claimed(kernel):
    assert kernel["multiplier"] == 1
    assert kernel["dilation"] == (1, 1)
    twice = np.ones((*kernel["kernel_size"], 3, 2), np.float32)
    layer = dwsep.DepthwiseConv2D(twice, stride=kernel["stride"])
    assert layer.explain((64, 64, 3)).kernel == "depthwise_generic"
    layer = dwsep.DepthwiseConv2D(twice[..., :1], stride=kernel["stride"], dilation=(2, 1))
    # Without a stride the undilated kernel takes the sub-grids in turn, and the name says so.
    by_parts = kernel["stride"] == (1, 1)
    name = layer.explain((64, 64, 3)).kernel
    assert name.startswith(f"{kernel['name']}, ") if by_parts else name == "depthwise_generic"


def test_the_list_ends_with_the_kernel_for_everything():
    names = [k["name"] for k in FLOAT if k["family"] == "depthwise"]
    assert len(set(names)) == len(names) == len(SPECIALISED) + 1
    assert names[-1] == "depthwise_generic"


def test_matrix_products_have_an_entry_for_each_width_of_panels():
    lanes = dwsep.cpu_info()["lanes"]
    names = [k["name"] for k in FLOAT if k["family"] == "pointwise"]
    assert [int(name.split("x")[1]) for name in names] == [lanes, 2 * lanes, 3 * lanes]
