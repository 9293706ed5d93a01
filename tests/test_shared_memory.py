"""Where arguments of a call share memory, with each other or with themselves."""

import numpy as np
import pytest

import dwsep

RANDOM = np.random.default_rng(20)
DEPTHWISE = dwsep.DepthwiseConv2D(RANDOM.standard_normal((3, 3, 4), np.float32))
POINTWISE = dwsep.PointwiseConv2D(RANDOM.standard_normal((4, 4), np.float32))


def random_slice(length: int, size: int) -> slice:
    """Return a slice that takes `size` of `length` elements, forwards or backwards."""
    step = int(RANDOM.integers(1, (length - 1) // (size - 1) + 1))
    start = int(RANDOM.integers(0, length - step * (size - 1)))
    last = start + step * (size - 1)
    if RANDOM.integers(2):
        return slice(start, last + 1, step)
    return slice(last, start - 1 if start else None, -step)


def random_view(host: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a view of a random part of `host`, mostly with adjacent channels."""
    *spatial, channels = (random_slice(n, size) for n, size in zip(host.shape, shape, strict=True))
    if RANDOM.integers(4):
        start = int(RANDOM.integers(0, host.shape[-1] - shape[-1] + 1))
        channels = slice(start, start + shape[-1])
    return host[(*spatial, channels)]


@pytest.mark.parametrize("layer", [DEPTHWISE, POINTWISE], ids=["depthwise", "pointwise"])
def test_random_views_of_one_array(layer):
    shape = (2, 3, 5, 4)
    shared = 0
    for _ in range(400):
        host = RANDOM.standard_normal((4, 7, 10, 9), np.float32)
        views = [random_view(host, shape) for _ in range(3)]
        x, out, residual = views
        arguments = {} if layer is DEPTHWISE else {"residual": residual}
        expected = layer(x.copy(), **{name: array.copy() for name, array in arguments.items()})
        shared += np.shares_memory(x, out)
        untouched = np.ones(host.shape, bool)
        flat = untouched.reshape(-1)[(out.ctypes.data - host.ctypes.data) // 4 :]
        np.lib.stride_tricks.as_strided(flat, shape, [s // 4 for s in out.strides])[...] = False
        before = host[untouched].copy()
        assert layer(x, out=out, **arguments) is out
        assert np.array_equal(out, expected)
        assert np.array_equal(host[untouched], before)
    assert 50 < shared < 390


@pytest.mark.parametrize("shift", [0, 1, 7, 64])
def test_shifted_along_memory(shift):
    host = RANDOM.standard_normal(2 * 5 * 6 * 4 + 64).astype(np.float32)
    x = host[: 2 * 5 * 6 * 4].reshape(2, 5, 6, 4)
    out = host[shift : shift + x.size].reshape(x.shape)
    expected = DEPTHWISE(x.copy())
    assert np.array_equal(DEPTHWISE(x, out=out), expected)


def test_unaligned():
    raw = np.zeros(4 * 240 + 1, np.uint8)
    x = raw[1:].view(np.float32).reshape(2, 5, 6, 4)
    x[...] = RANDOM.standard_normal(x.shape)
    assert not x.flags.aligned
    expected = POINTWISE(x.copy(), residual=x.copy())
    assert np.array_equal(POINTWISE(x, residual=x, out=x), expected)


def test_an_out_that_shares_memory_with_itself_is_refused_and_no_other():
    """Against all addresses, for every kind of stride."""
    refused = 0
    for _ in range(2000):
        shape = (*RANDOM.integers(1, 4, 3), 4)
        host = np.arange(400)
        steps = tuple(int(s) for s in RANDOM.integers(-20, 20, 4))
        if RANDOM.integers(2):
            steps = (*steps[:3], 1)
        first = sum(-step * (size - 1) for step, size in zip(steps, shape, strict=True) if step < 0)

        def strided(array, first=first, shape=shape, steps=steps):
            strides = tuple(step * array.itemsize for step in steps)
            return np.lib.stride_tricks.as_strided(array[first:], shape, strides)

        out = strided(np.zeros(400, np.float32))
        x = RANDOM.standard_normal(shape).astype(np.float32)
        if np.unique(strided(host)).size < x.size:
            refused += 1
            with pytest.raises(ValueError, match="out"):
                POINTWISE(x, out=out)
        else:
            assert np.array_equal(POINTWISE(x, out=out), POINTWISE(x))
    assert 200 < refused < 1800


def test_an_enormous_out_is_refused_at_once():
    x = np.lib.stride_tricks.as_strided(np.ones(4, np.float32), (2**40, 1, 2, 4), (0, 0, 0, 4))
    out = np.lib.stride_tricks.as_strided(np.ones(4, np.float32), x.shape, (0, 0, 0, 4))
    with pytest.raises(ValueError, match="out"):
        POINTWISE(x, out=out)
