"""Convolutions of int8 and uint8 sequences have the bits of images of one row."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sequence_calls import f, messages

import dwsep


def _quantized(filters, scales):
    rng = np.random.default_rng(scales)
    stored = rng.integers(-127, 128, (3, 8, filters)).astype(np.int8)
    return stored, dwsep.Quantization(rng.uniform(0.002, 0.02, scales))


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_quantized(dtype):
    depthwise, by_depthwise = _quantized(1, 8)
    filters, by_filters = _quantized(6, 6)
    x_quantization = dwsep.Quantization(0.05, 100, dtype)
    quantization = dwsep.Quantization(0.1, 3, dtype)
    between = dwsep.Quantization(0.1, -7)
    x = x_quantization.quantize(f(2, 9, 8))
    edges = {"x_quantization": x_quantization, "quantization": quantization, "stride": 2}
    bias = np.arange(8, dtype=np.int32) * 100
    sequences = [
        dwsep.DepthwiseConv1D(depthwise, bias, weight_quantization=by_depthwise, **edges),
        dwsep.Conv1D(
            filters, weight_quantization=by_filters, residual_quantization=between, **edges
        ),
    ]
    residual = between.quantize(f(2, 5, 6))
    edges["stride"] = (1, 2)
    images = [
        dwsep.DepthwiseConv2D(depthwise[None], bias, weight_quantization=by_depthwise, **edges),
        dwsep.Conv2D(
            filters[None], weight_quantization=by_filters, residual_quantization=between, **edges
        ),
    ]
    both = {"depthwise_weight_quantization": by_depthwise, "depthwise_quantization": between}
    both["weight_quantization"] = by_filters
    sequences.append(dwsep.SeparableConv1D(depthwise, filters[0], **both, **edges | {"stride": 2}))
    images.append(dwsep.SeparableConv2D(depthwise[None], filters[0], **both, **edges))
    for layer, wanted, more in zip(sequences, images, [(), (residual,), ()], strict=True):
        y = layer(x, *more)
        assert y.dtype == dtype
        assert np.array_equal(y, wanted(x[:, None], *(r[:, None] for r in more))[:, 0])
        again = pickle.loads(pickle.dumps(layer))
        assert np.array_equal(again(x, *more), y)
        assert layer.explain(x.shape).dtype == dtype
        assert "weight_quantization=Quantization" in repr(layer)
    options = {"weight_quantization": by_filters, **edges, "stride": 2, "quantization": None}
    assert dwsep.conv1d(x, filters, **options).dtype == np.float32


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("padding", ["causal", "valid", (1, 4)])
def test_functions_of_integers(padding, dtype):
    depthwise, by_depthwise = _quantized(1, 8)
    matrix, by_matrix = _quantized(6, 6)
    grouped, by_grouped = _quantized(4, 4)
    x_quantization = dwsep.Quantization(0.05, 100, dtype)
    between, residuals = dwsep.Quantization(0.1, -7), dwsep.Quantization(0.02, 9, dtype)
    x = x_quantization.quantize(f(2, 19, 16))
    sides = {"causal": (4, 0), "valid": (0, 0)}.get(padding, padding)
    edges = {"x_quantization": x_quantization, "quantization": dwsep.Quantization(0.1, 3, dtype)}
    of_rows = {**edges, "stride": 2, "padding": padding, "dilation": 2}
    of_images = {**edges, "stride": (1, 2), "padding": ((0, 0), sides), "dilation": (1, 2)}

    def compared(on_rows, on_images, x, weights, residual=None, **options):
        more = {} if residual is None else {"residual": residual}
        images = {name: array[:, np.newaxis] for name, array in more.items()}
        first = weights[0][np.newaxis]
        wanted = on_images(x[:, np.newaxis], first, *weights[1:], **images, **of_images, **options)
        got = on_rows(x, *weights, **more, **of_rows, **options)
        assert got.dtype == wanted.dtype == dtype
        np.testing.assert_array_equal(got, wanted[:, 0])
        out = np.zeros_like(got)
        assert on_rows(x, *weights, out=out, **more, **of_rows, **options) is out
        np.testing.assert_array_equal(out, got)
        return got

    few, bias = x[..., :8], np.arange(8, dtype=np.int32) * 100
    options = {"weight_quantization": by_depthwise}
    functions = dwsep.depthwise_conv1d, dwsep.depthwise_conv2d
    compared(*functions, few, (depthwise, bias), **options)
    options = {"weight_quantization": by_grouped, "groups": 2}
    y = compared(dwsep.conv1d, dwsep.conv2d, x, (grouped,), **options)
    residual = residuals.quantize(f(*y.shape, seed=5))
    options |= {"residual_quantization": residuals}
    compared(dwsep.conv1d, dwsep.conv2d, x, (grouped,), residual, **options)
    options = {
        "depthwise_weight_quantization": by_depthwise, "depthwise_quantization": between,
        "weight_quantization": by_matrix,
    }  # fmt: skip
    functions, weights = (dwsep.separable_conv1d, dwsep.separable_conv2d), (depthwise, matrix[0])
    y = compared(*functions, few, weights, **options)
    residual = residuals.quantize(f(*y.shape, seed=6))
    options |= {"residual_quantization": residuals}
    assert not np.array_equal(compared(*functions, few, weights, residual, **options), y)
    layer = dwsep.SeparableConv1D(*weights, **of_rows, **options)
    images = dwsep.SeparableConv2D(depthwise[np.newaxis], matrix[0], **of_images, **options)
    wanted = images(few[:, np.newaxis], residual[:, np.newaxis])
    np.testing.assert_array_equal(layer(few, residual), wanted[:, 0])
    again = type(layer)(**layer.arguments)
    np.testing.assert_array_equal(again(few, residual), wanted[:, 0])


def test_lists_are_refused_as_images_are():
    by = dwsep.Quantization(0.1, 0)
    options = {"x_quantization": by, "weight_quantization": by, "quantization": by}
    options["residual_quantization"] = dwsep.Quantization(0.1, 9, "uint8")
    x, w = np.ones((9, 8), np.int8), np.ones((3, 8, 2), np.int8)
    image, filters = x[np.newaxis], w[np.newaxis]
    for more in ({}, {"residual": [1]}, {"out": [1]}):
        x1, x2 = (x, image) if more else ([1], [1])
        wanted = messages(lambda x=x2, o={**more, **options}: dwsep.conv2d(x, filters, **o))
        got = messages(lambda x=x1, o={**more, **options}: dwsep.conv1d(x, w, **o))
        assert got == wanted
    wanted = messages(lambda: dwsep.conv2d(image, [1], **options))
    assert messages(lambda: dwsep.conv1d(x, [1], **options)) == wanted
    wanted = messages(lambda: dwsep.conv2d(f(1, 9, 8), [1]))
    assert messages(lambda: dwsep.conv1d(f(9, 8), [1])) == wanted
