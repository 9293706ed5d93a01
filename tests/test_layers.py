"""Prepacked layers: pack once, call often, from any thread; pickle; describe themselves."""

import copy
import mmap
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from calls import (
    LAYERS,
    PER_CALL,
    assert_all,
    bits_differ,
    conv2d,
    depthwise,
    inverted_residual,
    normals,
    pointwise,
    separable,
)

import dwsep


def make_calls(shape=(2, 11, 12, 24), seed=1):
    draw = normals(seed)
    inner = {"expand_activation": "silu", "depthwise_activation": ("clip", -0.5, 2.5)}
    lower = {"depthwise_activation": "relu6", "padding": "same_lower"}
    sides = {"padding": ((2, 1), (2, 3)), "groups": 2}
    return {
        call.function: call
        for call in (
            depthwise(draw, shape, (5, 5), multiplier=2, stride=2, activation="hard_swish"),
            pointwise(draw, shape, 40, residual=True, activation="gelu"),
            separable(draw, shape, 40, residual=True, **lower),
            inverted_residual(draw, shape, 72, 24, residual=True, dilation=(1, 2), **inner),
            conv2d(draw, shape, 36, (3, 5), residual=True, **sides),
        )
    }


CALLS = make_calls()
each_function = pytest.mark.parametrize("function", CALLS)


@each_function
def test_one_layer_takes_any_image_size(function):
    layer = CALLS[function].layer()
    weights = {n: a for n, a in CALLS[function].arrays.items() if n not in PER_CALL}
    shapes = [(n, h, w, 24) for n in (1, 3) for h in (1, 2, 9, 30) for w in (1, 7, 33)]
    calls = [make_calls(shape)[function].with_arrays(**weights) for shape in shapes]
    assert_all(calls, lambda call: bits_differ(call.run_layer(layer), call.run()))


@each_function
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(function, protocol):
    call = CALLS[function]
    layer = call.layer()
    again = pickle.loads(pickle.dumps(layer, protocol))
    assert bits_differ(call.run_layer(again), call.run()) is None
    assert repr(again) == repr(layer)


@each_function
def test_copy(function):
    call = CALLS[function]
    layer = call.layer()
    for again in (copy.copy(layer), copy.deepcopy(layer)):
        assert bits_differ(call.run_layer(again), call.run()) is None


@each_function
def test_later_changes_of_the_weights_do_not_matter(function):
    call = CALLS[function]
    expected = call.run()
    copies = {name: array.copy() for name, array in call.arrays.items()}
    mine = call.with_arrays(**copies)
    layer = mine.layer()
    for name, array in copies.items():
        if name not in PER_CALL:
            array[...] = np.nan
    assert bits_differ(mine.run_layer(layer), expected) is None
    again = pickle.loads(pickle.dumps(layer))
    assert bits_differ(mine.run_layer(again), expected) is None


@each_function
def test_repr_tells_shapes_and_options(function):
    call = CALLS[function]
    text = repr(call.layer())
    assert LAYERS[function] in text
    assert "\n" not in text
    for name, array in call.arrays.items():
        if name.endswith("weight"):
            assert all(str(size) in text for size in array.shape), (name, text)
    for name, value in call.options.items():
        if name.endswith("activation"):
            assert (value if isinstance(value, str) else value[0]) in text, (name, text)


@each_function
def test_one_layer_in_many_threads(function):
    call = CALLS[function]
    layer, expected = call.layer(), call.run()
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda i: call.run_layer(layer, num_threads=1 + i % 3), range(64)))
    assert all(bits_differ(result, expected) is None for result in results)


@each_function
def test_results_are_new_arrays(function):
    call = CALLS[function]
    layer = call.layer()
    first = call.run_layer(layer)
    kept = first.copy()
    second = call.run_layer(layer)
    assert not np.shares_memory(first, second)
    assert first.flags.c_contiguous
    assert first.flags.writeable
    second[...] = 0
    assert bits_differ(first, kept) is None


@each_function
def test_weights_may_be_dropped(function):
    """A layer owns what it needs: its weights' memory may go, and reading it would be a crash."""
    call = CALLS[function]
    blocks, mapped = [], {}
    for name, array in call.arrays.items():
        blocks.append(mmap.mmap(-1, array.nbytes))
        mapped[name] = np.frombuffer(blocks[-1], array.dtype).reshape(array.shape)
        mapped[name][...] = array
    layer = call.with_arrays(**mapped).layer()
    mapped.clear()
    for block in blocks:
        block.close()  # an error while anything refers to the memory
    assert bits_differ(call.run_layer(layer), call.run()) is None


def test_positional_arguments():
    a = CALLS["inverted_residual"].arrays
    layer = dwsep.InvertedResidual(
        a["expand_weight"],
        a["depthwise_weight"],
        a["weight"],
        a["expand_bias"],
        a["depthwise_bias"],
        a["bias"],
    )
    x = a["x"]
    expected = dwsep.inverted_residual(
        x,
        a["expand_weight"],
        a["depthwise_weight"],
        a["weight"],
        a["expand_bias"],
        a["depthwise_bias"],
        a["bias"],
        residual=x,
    )
    assert bits_differ(layer(x, residual=x), expected) is None
    with pytest.raises(TypeError):
        layer(x, x, x, x, x)
