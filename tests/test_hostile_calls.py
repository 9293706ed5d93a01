"""Nothing that Python can be made to pass crashes the interpreter or half-works."""

import contextlib
import copy
import functools
import gc
import pickle
import tracemalloc

import numpy as np
import pytest
import small_networks

import dwsep
from dwsep import _core

X = np.arange(2 * 5 * 6 * 4, dtype=np.float32).reshape(2, 5, 6, 4)
W_DEPTHWISE, W_POINTWISE = np.ones((3, 3, 4), np.float32), np.eye(4, dtype=np.float32)
LAYERS = [
    dwsep.DepthwiseConv2D(W_DEPTHWISE),
    dwsep.PointwiseConv2D(W_POINTWISE),
    dwsep.SeparableConv2D(W_DEPTHWISE, W_POINTWISE),
    dwsep.InvertedResidual(W_POINTWISE, W_DEPTHWISE, W_POINTWISE),
    dwsep.Conv2D(np.ones((3, 3, 2, 4), np.float32), groups=2),
]
each_layer = pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)


def core_class(layer):
    return getattr(_core, type(layer).__name__)


@each_layer
def test_there_are_no_half_made_layers(layer):
    kind, core = type(layer), core_class(layer)
    for make in (kind, core):
        with pytest.raises(TypeError):
            make()
    for new in (kind.__new__, core.__new__, object.__new__, _core.Layer.__new__):
        with pytest.raises(TypeError):
            new(kind)
    with pytest.raises(TypeError):
        _core.Layer()


@each_layer
def test_a_layer_without_its_arguments_calls_but_does_not_describe_itself(layer):
    """Only who goes behind the constructor's back gets one."""
    bare = core_class(layer).__new__(type(layer), *layer.arguments.values())
    assert np.array_equal(bare(X), layer(X))
    for ask in (repr, pickle.dumps, lambda it: it.arguments):
        with pytest.raises(AttributeError):
            ask(bare)
    with pytest.raises(TypeError):
        pickle.dumps(core_class(layer)(*layer.arguments.values()))


@each_layer
def test_the_core_checks_what_keeps_memory_safe(layer):
    core, values = core_class(layer), tuple(layer.arguments.values())
    for i, value in enumerate(values):
        others = [None, 0, "x", (), np.ones((2, 2), np.float32), np.ones((3, 3, 4, 1)), [[]]]
        if isinstance(value, np.ndarray):
            others += [value[..., ::-1], value.astype(">f4"), value[0]]
        for other in others:
            with contextlib.suppress(TypeError, ValueError):
                core(*values[:i], other, *values[i + 1 :])(X)
    with pytest.raises(TypeError):
        core(*values, None)
    with pytest.raises(TypeError):
        core(*values[:-1])


@each_layer
def test_the_core_names_what_should_be_a_quantization(layer):
    values = list(layer.arguments.values())
    for i, name in enumerate(layer.arguments):
        if name.endswith("quantization"):
            with pytest.raises(TypeError, match=f"{name}: need a dwsep.Quantization or None, got"):
                core_class(layer)(*values[:i], 3, *values[i + 1 :])


@each_layer
def test_layers_cannot_be_changed(layer):
    for name in ("stride", "arguments", "_values", "__class__", "__call__"):
        with pytest.raises(AttributeError):
            setattr(layer, name, 3)
        with pytest.raises(AttributeError):
            delattr(layer, name)
    for array in layer.arguments.values():
        if isinstance(array, np.ndarray):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0
    with pytest.raises(TypeError):
        layer.arguments["weight"] = None
    for kind in (_core.Layer, core_class(layer)):
        with pytest.raises(TypeError):
            kind.__call__ = None
    assert copy.copy(layer) is copy.deepcopy(layer) is layer


@each_layer
def test_initialising_again_changes_nothing(layer):
    expected = layer(X)
    layer.__init__(1, 2, three=3)  # object's: does nothing
    assert np.array_equal(layer(X), expected)


@each_layer
def test_subclasses(layer):
    class Mine(type(layer)):
        def __call__(self, x):
            return "mine", super().__call__(x)

    class Plain(type(layer)):
        pass

    mine, plain = Mine(**layer.arguments), Plain(**layer.arguments)
    assert mine(X)[0] == "mine"
    assert np.array_equal(mine(X)[1], layer(X))
    out = np.empty(plain.output_shape(X.shape), np.float32)
    assert plain(X, out=out, num_threads=1) is out
    assert np.array_equal(out, layer(X))
    with pytest.raises(AttributeError):
        plain.note = "immutable as well"


@each_layer
def test_weights_may_be_changed_or_deleted_after_packing(layer):
    arrays = {
        name: value.copy() if isinstance(value, np.ndarray) else value
        for name, value in layer.arguments.items()
    }
    other = type(layer)(**arrays)
    for value in arrays.values():
        if isinstance(value, np.ndarray):
            value[...] = np.nan
    del arrays
    gc.collect()
    assert np.array_equal(other(X), layer(X))


@each_layer
def test_layers_and_arguments_that_vanish_during_the_call(layer):
    class Vanishing:
        def __index__(self):
            call.keywords.clear()
            call.__setstate__((len, (), {}, None))
            gc.collect()
            return 1

    call = functools.partial(type(layer)(**layer.arguments))
    call.keywords.update(x=X.copy(), out=np.empty(X.shape, np.float32), num_threads=Vanishing())
    assert np.array_equal(call(), layer(X))


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")  # NumPy 2.5
def test_arguments_that_change_shape_during_the_call():
    class Reshaping:
        def __index__(self):
            out.shape = (out.size,)
            return 1

    out = np.empty(X.shape, np.float32)
    with pytest.raises(ValueError, match="out"):
        LAYERS[1](X, out=out, num_threads=Reshaping())


def test_a_list_of_inputs_that_changes_its_length():
    class Growing(list):
        asked = 0

        def __len__(self):
            self.asked += 1
            return min(self.asked - 1, super().__len__())

    network = small_networks.classifier()
    images = small_networks.IMAGES
    for call in (network.run, network.profile):
        with contextlib.suppress(ValueError, TypeError):
            call(Growing([images] * 3), 1)


def test_errors_in_the_arguments_own_code_come_through():
    class Broken:
        def __index__(self):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        LAYERS[1](X, num_threads=Broken())


@each_layer
def test_names_of_arguments(layer):
    for call in (
        lambda: layer(),
        lambda: layer(X, x=X),
        lambda: layer(X, X, X),
        lambda: layer(X, nothing=1),
        lambda: layer(X, **{"ou": X}),
        lambda: layer.__call__(X, **{"ou": X}),
        lambda: functools.partial(layer, X, ou=X)(),
    ):
        with pytest.raises(TypeError):
            call()
    name = "".join(["o", "u", "t"])  # equal to the interned name, but another object
    out = np.empty(X.shape, np.float32)
    assert layer(X, **{name: out}) is out
    assert layer.__call__(X, **{name: out}) is out
    assert layer(X, out=None, num_threads=None) is not out


def test_residual_by_position():
    layer = LAYERS[1]
    assert np.array_equal(layer(X, X), layer(X, residual=X))
    assert np.array_equal(layer(X, None), layer(X))
    with pytest.raises(TypeError, match="residual"):
        layer(X, X, residual=X)
    with pytest.raises(TypeError):
        LAYERS[0](X, X)


@each_layer
def test_shapes_to_ask_about(layer):
    for wrong in ((2, 5, 6), (5, 6), (), (1, 2, 5, 6, 4), (-1, 5, 6, 4), (2**70, 5, 6, 4)):
        for ask in (layer.output_shape, layer.plan, layer.explain):
            with pytest.raises(ValueError, match="x_shape"):
                ask(wrong)
    for wrong in (None, 5, "abcd", X, {1, 2, 4}, (1.0, 6, 4), ("5", "6", "4"), (True, 6, 4)):
        # Of no shape, explanations are of the usual one.
        for ask in (layer.output_shape, layer.plan, *[layer.explain] * (wrong is not None)):
            with pytest.raises(TypeError, match="x_shape"):
                ask(wrong)
    with pytest.raises(ValueError, match=r"x_shape: need less than"):
        layer.output_shape((2**40, 2**40, 4))
    assert layer.output_shape([5, 6, np.int64(4)]) == (5, 6, 4)
    assert layer.output_shape((0, 5, 6, 4)) == (0, 5, 6, 4)
    for empty in ((0, 5, 6, 4), (0, 6, 4), (5, 0, 4), (3, 0, 0, 4)):
        assert "->" in repr(layer.explain(empty))


def grown(work, rounds: int) -> int:
    """Bytes of Python's and NumPy's memory that so many rounds leave behind."""
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(rounds):
        work()
    gc.collect()
    return tracemalloc.get_traced_memory()[0] - before


@each_layer
def test_nothing_leaks(layer):
    def work():
        layer(X)
        layer(X[..., ::-1], out=np.asfortranarray(X))
        repr(layer)
        pickle.loads(pickle.dumps(layer))
        for wrong in ({"x": X[0, 0]}, {"x": X, "num_threads": 0}, {"x": X, "nothing": 1}):
            with contextlib.suppress(TypeError, ValueError):
                layer(**wrong)

    tracemalloc.start()
    try:
        grown(work, 5)
        # Less than one object a round, in the quietest of three tries.
        assert min(grown(work, 500) for _ in range(3)) < 500 * 32
    finally:
        tracemalloc.stop()
