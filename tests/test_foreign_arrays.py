"""Arrays of other libraries are read where they lie, and refused by name where that cannot be."""

import numpy as np
import pytest
import small_networks

import dwsep
from dwsep._foreign import as_array

X = np.random.default_rng(1).standard_normal((2, 5, 6, 4), np.float32)
WINDOW, MATRIX = np.full((3, 3, 4), 0.5, np.float32), np.eye(4, dtype=np.float32)


class DLPack:
    """Speaks DLPack and nothing else."""

    def __init__(self, array, device=(1, 0)):
        self.array, self.device = array, device

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **arguments):
        return self.array.__dlpack__(**arguments)


class Interface:
    """Has `__array_interface__` and nothing else."""

    def __init__(self, array):
        self.array = array
        self.__array_interface__ = array.__array_interface__


def tensor(array):
    """Make a tensor of PyTorch, where it is installed."""
    return pytest.importorskip("torch").from_numpy(array)


each_kind = pytest.mark.parametrize("foreign", [DLPack, Interface, tensor])


@each_kind
def test_layers_and_functions_read_them(foreign):
    layer = dwsep.SeparableConv2D(foreign(WINDOW), foreign(MATRIX), bias=foreign(MATRIX[0]))
    same = dwsep.SeparableConv2D(WINDOW, MATRIX, bias=MATRIX[0])
    wanted = same(X, X)
    assert np.array_equal(layer(foreign(X), foreign(X)), wanted)
    assert np.array_equal(layer(foreign(X), residual=foreign(X)), wanted)
    assert np.array_equal(
        dwsep.depthwise_conv2d(foreign(X), foreign(WINDOW)), dwsep.depthwise_conv2d(X, WINDOW)
    )


@each_kind
def test_networks_read_them(foreign, model):
    x = np.random.default_rng(2).standard_normal((3, 8, 8, 3), np.float32)
    wanted = model(x)
    for got in (model(foreign(x)), model.run(None, {model.inputs[0].name: foreign(x)})):
        assert len(got) == len(wanted)
        assert all(map(np.array_equal, got, wanted))


@each_kind
def test_their_memory_is_not_copied(foreign):
    for x in (X, X[:, ::2], X[..., 1], X.transpose(0, 3, 1, 2)):
        view = as_array(foreign(x), "x")
        assert (view.shape, view.strides) == (x.shape, x.strides)
        assert view.ctypes.data == x.ctypes.data


@each_kind
def test_views_keep_their_strides(foreign):
    layer = dwsep.DepthwiseConv2D(WINDOW)
    for view in (X[:, ::2], X[:, :, 1:], X[..., ::2].repeat(2, axis=3)[..., ::1]):
        assert np.array_equal(layer(foreign(view)), layer(view))
    planes = np.ascontiguousarray(X.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    assert np.array_equal(layer(foreign(planes)), layer(X))


@each_kind
def test_other_types_are_refused_by_name(foreign, model):
    layer = dwsep.PointwiseConv2D(MATRIX)
    for dtype in (np.float64, np.float16, np.int8):
        x = X.astype(dtype)
        with pytest.raises(TypeError, match=rf"^x: .* float32, got dtype {np.dtype(dtype)}$"):
            layer(foreign(x))
        with pytest.raises(TypeError, match=rf"^residual: .* got dtype {np.dtype(dtype)}$"):
            layer(X, foreign(x))
        with pytest.raises(TypeError, match=rf"^weight: .* got dtype {np.dtype(dtype)}$"):
            dwsep.PointwiseConv2D(foreign(MATRIX.astype(dtype)))
        with pytest.raises(TypeError, match=rf"^input '.*': .* got dtype {np.dtype(dtype)}$"):
            model(foreign(x))
    with pytest.raises(ValueError, match=r"^x: need shape"):
        layer(foreign(X[0, 0]))
    with pytest.raises(TypeError, match=r"^out: need a numpy.ndarray of native float32, got .*"):
        layer(X, out=foreign(X.copy()))


def test_other_devices_are_refused_by_name():
    layer = dwsep.PointwiseConv2D(MATRIX)
    for make in (layer, dwsep.PointwiseConv2D):
        with pytest.raises(TypeError, match=r"got .*\.DLPack on DLPack's device \(2, 1\), not the"):
            make(DLPack(X, (2, 1)))


def test_tensors_with_gradients_say_what_to_do():
    weight = tensor(MATRIX.copy()).requires_grad_()
    with pytest.raises(TypeError, match=r"^weight: .* got torch\.Tensor: .*detach"):
        dwsep.PointwiseConv2D(weight)
    assert np.array_equal(dwsep.PointwiseConv2D(weight.detach())(X), X)


def test_numbers_and_what_only_converts_are_no_arrays():
    class Converts:
        def __array__(self, dtype=None, copy=None):
            return X

    for x in (np.float32(1), Converts(), memoryview(X), X.tolist(), DLPack, Interface):
        with pytest.raises(TypeError, match=r"^x: need a numpy.ndarray of native float32, got "):
            dwsep.PointwiseConv2D(MATRIX)(x)


def test_protocols_that_fail_or_lie():
    class Lies:
        def __init__(self, interface):
            self.__array_interface__ = interface

    class Interrupts(DLPack):
        def __dlpack__(self, **arguments):
            raise KeyboardInterrupt

    layer = dwsep.PointwiseConv2D(MATRIX)
    lies = [None, {}, {"shape": (1,), "typestr": "?", "version": 3}, {"shape": -1}]
    for x in [Lies(lie) for lie in lies] + [DLPack(None), DLPack(X, None), DLPack(X, ())]:
        with pytest.raises(TypeError, match=r"^x: need"):
            layer(x)
    with pytest.raises(KeyboardInterrupt):
        layer(Interrupts(X))


def test_code_that_runs_meanwhile_changes_nothing():
    class Reshapes(DLPack):
        def __dlpack__(self, **arguments):
            self.other.shape = (-1,)
            return super().__dlpack__(**arguments)

    residual = Reshapes(X)
    residual.other = X.copy()
    with pytest.raises(ValueError, match=r"^x: need shape .*, got \(240,\)$"):
        dwsep.PointwiseConv2D(MATRIX)(residual.other, residual)
    network = dwsep.Model(small_networks.classifier())
    last = Reshapes(np.zeros((1, 8, 8, 3), np.float32))
    last.other = np.zeros((1, 8, 8, 3), np.float32)
    with pytest.raises(ValueError, match="need 1 array"):
        network(last.other, last)
