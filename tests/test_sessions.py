"""Networks with state: variables of TFLite files, kept by sessions."""

from __future__ import annotations

import copy
import inspect
import pickle
import pydoc

import numpy as np
import pytest
from tflite_writer import constant, model, tensor

import dwsep
from dwsep.cli import main
from dwsep.errors import InvalidModelError

INFINITY = float("inf")
ADD = {
    "function": "add",
    "activation": "clip",
    "activation_lo": [-INFINITY],
    "activation_hi": [INFINITY],
}
SUM = {"function": "sum", "axes": [0], "keepdims": 0}


def f(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def delayed(initial=None):
    """Make a network that adds the last three inputs up; it keeps the two before in a variable."""
    i32 = np.int32
    tensors = [
        tensor("x", (1, 1, 4)),
        tensor("v", (), "int32"),
        tensor("before", (1, 2, 4)),
        tensor("all", (1, 3, 4)),
        constant("from", i32([0, 1, 0])),
        constant("size", i32([1, 2, 4])),
        tensor("last", (1, 2, 4)),
        constant("axis", i32([1])),
        tensor("y", (1, 4)),
    ]
    operators = [
        ("VAR_HANDLE", [], ["v"], {"shared_name": "kept"}),
        ("READ_VARIABLE", ["v"], ["before"], {}),
        ("CONCATENATION", ["before", "x"], ["all"], {"axis": 1}),
        ("SLICE", ["all", "from", "size"], ["last"], {}),
        ("ASSIGN_VARIABLE", ["v", "last"], [], {}),
        ("SUM", ["all", "axis"], ["y"], {}),
    ]
    others = []
    if initial is not None:
        operators.insert(0, ("CALL_ONCE", [], [], {"init_subgraph_index": 1}))
        first = [tensor("w", (), "int32"), constant("i", np.full((1, 2, 4), initial, np.float32))]
        steps = [
            ("VAR_HANDLE", [], ["w"], {"shared_name": "kept"}),
            ("ASSIGN_VARIABLE", ["w", "i"], [], {}),
        ]
        others.append((first, steps, [], []))
    return model(tensors, operators, ["x"], ["y"], others=others)


@pytest.mark.parametrize("initial", [None, 0.0, 2.5])
def test_steps(initial, tmp_path):
    network = dwsep.load(delayed(initial))
    assert [value.name for value in network.inputs] == ["x"]
    assert [value.name for value in network.outputs] == ["y"]
    network.save(tmp_path / "net.dwsep")
    stream = f(9, 1, 1, 4)
    before = np.full((2, 1, 4), initial or 0, np.float32)
    padded = np.concatenate([before, stream[:, 0]])
    wanted = [padded[i] + padded[i + 1] + padded[i + 2] for i in range(9)]
    for same in (network, dwsep.load(tmp_path / "net.dwsep"), pickle.loads(pickle.dumps(network))):
        session, other = same.session(), same.session()
        for _ in range(2):
            for x, y in zip(stream, wanted, strict=True):
                np.testing.assert_allclose(session(x), y, rtol=1e-6, atol=1e-6)
                np.testing.assert_allclose(same(x), before.sum(0) + x[0], rtol=1e-6, atol=1e-6)
            session.reset()
        np.testing.assert_allclose(other(stream[0]), wanted[0], rtol=1e-6, atol=1e-6)
        got = same.run(["y"], {"x": stream[0]})
        np.testing.assert_allclose(got[0], wanted[0], rtol=1e-6, atol=1e-6)
        assert same.profile(stream[0], rounds=1).rows


@pytest.mark.usefixtures("little_to_measure")
def test_the_command_profiles_it(tmp_path, capsys):
    (tmp_path / "net.tflite").write_bytes(delayed())
    assert main(["profile", str(tmp_path / "net.tflite"), "--rounds", "1"]) == 0
    assert "a whole call" in capsys.readouterr().out


def test_a_session_without_state_calls_the_model():
    tensors = [tensor("x", (-1, 4)), tensor("y", (-1, 4))]
    network = dwsep.load(model(tensors, [("NEG", ["x"], ["y"], {})], ["x"], ["y"]))
    session = network.session()
    for batch in (1, 3):
        assert np.array_equal(session(f(batch, 4)), -f(batch, 4))


def test_a_cut_before_the_variable_has_no_state():
    network = dwsep.load(delayed(), outputs=["x"])
    assert [value.name for value in network.inputs] == ["x"]
    x = f(1, 1, 4)
    assert np.array_equal(network(x), x)


def test_a_session_takes_no_other_name():
    session = dwsep.load(delayed()).session()
    for _ in range(2):
        with pytest.raises(TypeError, match="takes arrays and num_threads, not 'threads'"):
            session(f(1, 1, 4), threads=1)
        session(f(1, 1, 4), num_threads=1)


def test_wrong_arguments_leave_the_state():
    session = dwsep.load(delayed()).session()
    session(f(1, 1, 4))
    with pytest.raises(ValueError, match="'x'"):
        session(f(1, 2, 4))
    np.testing.assert_allclose(session(f(1, 1, 4)), 2 * f(1, 4), rtol=1e-6)


class Calls:
    """An array that calls a session while it is read."""

    ndim, shape = 3, (1, 1, 4)

    def __init__(self, session):
        self.session, self.array = session, f(1, 1, 4)

    @property
    def __array_interface__(self):
        self.session(self.array)
        return self.array.__array_interface__


def test_a_call_during_another_is_refused():
    session = dwsep.load(delayed()).session()
    session(f(1, 1, 4))
    with pytest.raises(RuntimeError, match="session: need one call at a time"):
        session(Calls(session))
    np.testing.assert_allclose(session(f(1, 1, 4)), 2 * f(1, 4), rtol=1e-6)


def test_a_call_during_the_first_is_refused():
    session = dwsep.load(delayed()).session()
    with pytest.raises(RuntimeError, match="session: need one call at a time"):
        session(Calls(session))
    for count in (1, 2, 3):
        np.testing.assert_allclose(session(f(1, 1, 4)), count * f(1, 4), rtol=1e-6)
    session.reset()
    with pytest.raises(RuntimeError, match="session: need one call at a time"):
        session(Calls(session))


def test_a_first_call_that_fails_is_not_a_step():
    model = dwsep.load(delayed())
    session = model.session()
    for call in (model, session):
        with pytest.raises(ValueError, match="inputs: need 1 array, got 0"):
            call()
    with pytest.raises(TypeError, match="'x'"):
        session(f(1, 1, 4).astype(np.float64))
    with pytest.raises(ValueError, match="inputs: need 1 array, got 2"):
        session(f(1, 1, 4), f(1, 1, 4))
    with pytest.raises(ValueError, match="num_threads"):
        session(f(1, 1, 4), num_threads=0)
    np.testing.assert_allclose(session(f(1, 1, 4)), f(1, 4), rtol=1e-6)


def test_results_stay_when_the_stream_goes_on():
    session = dwsep.load(delayed()).session()
    stream = f(6, 1, 1, 4)
    results = [session(x, num_threads=1) for x in stream]
    session.reset()
    for x, result in zip(stream, results, strict=True):
        assert np.array_equal(session(x), result)


@pytest.mark.parametrize("take", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_session_has_no_copies(take):
    session = dwsep.load(delayed()).session()
    session(f(1, 1, 4))
    with pytest.raises(TypeError, match=r"no copies .*copy or pickle its model"):
        take(session)


def test_a_session_says_how_it_is_called():
    loaded = dwsep.load(delayed())
    assert inspect.signature(loaded.session()) == inspect.signature(loaded)
    assert list(inspect.signature(loaded.session()).parameters) == ["arrays", "num_threads"]
    assert "num_threads : int, optional" in pydoc.render_doc(loaded.session())
    assert "networks" in inspect.signature(type(loaded.session())).parameters


@pytest.mark.parametrize("kept", [[(0, 2)], [(2, 0)], [(1, 1), (1, 1)]])
def test_places_that_a_network_does_not_have(kept):
    network = dwsep.load(delayed())._networks.first
    with pytest.raises(ValueError, match="kept"):
        dwsep._core.Stream(network, kept, [f(1, 2, 4)] * 2)


def test_a_state_may_grow():
    """A file may say so of any output; steps write arrays as large as they then are."""
    builder = dwsep._core.NetworkBuilder()
    places = [builder.input("s", [-1, 64]), builder.input("x", [1, 64])]
    joined = builder.step("concat", "y", places, {"axis": 0}, {})
    builder.output("kept", joined)
    builder.output("y", builder.step("reduce", "z", [joined], SUM, {}))
    builder.metadata("states", '{"s": ["kept", 0.0, true]}')
    session = dwsep.load(builder.finish().to_bytes()).session()
    for count in range(1, 40):
        assert np.array_equal(session(np.ones((1, 64), np.float32)), np.full(64, count))


def summing(*inputs):
    """Make a network that adds up its state and its inputs, and has the state for each as well."""
    builder = dwsep._core.NetworkBuilder()
    x = [builder.input(name, [1, 64]) for name in inputs]
    kept = total = builder.input("s", [1, 64])
    for place in x:
        total = builder.step("binary", "add", [total, place], ADD, {})
    builder.output("before", kept)
    builder.output("kept", total)
    builder.output("negative", builder.step("unary", "neg", [total], {"function": "neg"}, {}))
    builder.metadata("states", '{"s": ["kept", 0.0, true]}')
    return dwsep.load(builder.finish().to_bytes()).session()


def test_outputs_that_are_no_states():
    session, x = summing("x"), f(1, 64)
    for count in range(3):
        before, negative = session(x, num_threads=1)
        np.testing.assert_allclose(before, count * x, rtol=1e-6)
        assert np.array_equal(negative, -(before + x))


class Foreign:
    def __init__(self, array):
        self.__array_interface__ = array.__array_interface__
        self.array = array


def test_arrays_that_cannot_be_read_in_place():
    plain, session, x, y = summing("x", "y"), summing("x", "y"), f(1, 64), f(1, 64, seed=2)
    apart = np.repeat(x, 2, axis=1)[:, ::2]
    assert not apart.flags.c_contiguous
    for given in ((x, Foreign(y)), (apart, y), (Foreign(apart), Foreign(y)), (x, y)):
        for got, wanted in zip(session(*given), plain(x, y), strict=True):
            assert np.array_equal(got, wanted)
    with pytest.raises(TypeError, match="'y'"):
        session(x, y.astype(np.float64))


def test_variables_that_are_not_there():
    tensors = [tensor("x", (1, 4)), tensor("v", (), "int32"), tensor("y", (1, 4))]
    steps = [("READ_VARIABLE", ["v"], ["y"], {})]
    with pytest.raises(InvalidModelError, match="has no variable"):
        dwsep.load(model(tensors, steps, ["x"], ["y"]))
    with pytest.raises(InvalidModelError, match="there is no subgraph 3"):
        dwsep.load(
            model(
                tensors,
                [("CALL_ONCE", [], [], {"init_subgraph_index": 3}), ("NEG", ["x"], ["y"], {})],
                ["x"],
                ["y"],
            )
        )
