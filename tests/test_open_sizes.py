"""Networks whose files leave heights and widths open."""

import ctypes
import gc
import resource
import weakref

import dwsep_file
import numpy as np
import onnx_models
import pytest
from onnx_models import f, ints

import dwsep
from dwsep import _core
from dwsep.graph.importing.inputs import first_fitting
from dwsep.graph.open_sizes import Axis

ort = pytest.importorskip("onnxruntime")

SIDES = [1, 2, 3, 5, 8, 13, 16, 31, 32, 33, 48, 64, 75, 100]


def conv(x, y, *weights, **attributes):
    return "Conv", f"{x},{','.join(weights)}", y, attributes


def pyramid():
    """Halve an image three times, make the smaller ones larger again, and add them."""
    nodes = [
        conv("x", "a", "w0", "b0", strides=[2, 2], pads=[1, 1, 1, 1]),
        ("Relu", "a", "a1", {}),
        conv("a1", "d", "w1", auto_pad="SAME_UPPER", strides=[2, 2], group=8),
        conv("d", "b", "w2", "b0"),
        ("AveragePool", "b", "p", {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}),
        ("Shape", "a1", "shape", {}),
        ("Slice", "shape,two,four", "hw", {}),
        ("Concat", "nc,hw", "sizes", {"axis": 0}),
        ("Resize", "b,,,sizes", "up", {"mode": "nearest", "nearest_mode": "floor"}),
        ("Resize", "p,,,sizes", "up2", {"mode": "linear"}),
        ("Add", "up,up2", "s", {}),
        ("Add", "s,a1", "t", {}),
        ("GlobalAveragePool", "t", "g", {}),
        ("HardSigmoid", "g", "h", {}),
        ("Mul", "t,h", "y", {}),
    ]
    constants = {
        "w0": f(8, 3, 3, 3), "b0": f(8), "w1": f(8, 1, 3, 3), "w2": f(8, 8, 1, 1),
        "two": ints(2), "four": ints(4), "nc": ints(1, 8),
    }  # fmt: skip
    return nodes, constants, {"x": (1, 3, "h", "w")}


def text_line():
    """Read an image column by column, as recognisers of text do, with attention over columns."""
    nodes = [
        conv("x", "a", "w0", strides=[4, 2], pads=[1, 1, 1, 1]),
        ("Shape", "a", "shape", {}),
        ("Gather", "shape,three", "w", {"axis": 0}),
        ("Unsqueeze", "w,zero", "w1", {}),
        ("Concat", "keep,minus,w1", "flat", {"axis": 0}),
        ("Reshape", "a,flat", "columns", {}),
        ("Transpose", "columns", "steps", {"perm": [0, 2, 1]}),
        ("MatMul", "steps,wq", "q", {}),
        ("Transpose", "steps", "k", {"perm": [0, 2, 1]}),
        ("MatMul", "q,kk", "scores", {}),
        ("Softmax", "scores", "weights", {"axis": -1}),
        ("MatMul", "weights,steps", "z", {}),
        ("Slice", "z,one,end,axis1", "y", {}),
    ]
    nodes[8] = ("Identity", "columns", "kk", {})
    constants = {
        "w0": 0.2 * f(8, 3, 3, 3), "wq": 0.1 * f(16, 16), "three": np.array(3), "zero": ints(0),
        "keep": ints(0), "minus": ints(-1), "one": ints(-3), "end": ints(2**62), "axis1": ints(1),
    }  # fmt: skip
    return nodes, constants, {"x": ("N", 3, 8, "w")}


def fractions():
    """Resize by factors that are no integers, shuffle pixels, cut and pad."""
    nodes = [
        ("Resize", "x,,scales", "r", {"mode": "linear"}),
        ("Pad", "r,pads", "p", {"mode": "reflect"}),
        ("Slice", "p,starts,ends,axes,steps", "s", {}),
        conv("s", "c", "w0", auto_pad="SAME_LOWER", strides=[2, 2]),
        ("DepthToSpace", "c", "d", {"blocksize": 2}),
        ("ReduceMax", "d", "m", {"axes": [2], "keepdims": 1}),
        ("Sub", "d,m", "y", {}),
    ]
    constants = {
        "scales": np.array([1, 1, 1.3, 0.7], np.float32), "pads": ints(0, 0, 1, 0, 0, 0, 0, 1),
        "starts": ints(1, -1), "ends": ints(2**60, -(2**60)), "axes": ints(2, 3),
        "steps": ints(2, -1), "w0": f(8, 3, 3, 3),
    }  # fmt: skip
    return nodes, constants, {"x": ("N", 3, "h", "w")}


NETWORKS = [pyramid, text_line, fractions]


def made(network):
    nodes, constants, inputs = network()
    return onnx_models.model(nodes, constants, inputs=inputs, opset=17)


def random_image(rng, info):
    sides = [n if n is not None else int(rng.choice(SIDES)) for n in info.shape[1:]]
    return rng.standard_normal((1, *sides)).astype(np.float32)


@pytest.fixture(params=NETWORKS, ids=lambda network: network.__name__)
def file(request):
    return made(request.param)


def test_any_size_gives_what_a_network_of_that_size_gives(file):
    rng = np.random.default_rng(0)
    model = dwsep.load(file)
    session = ort.InferenceSession(file.SerializeToString(), providers=["CPUExecutionProvider"])
    computed = 0
    for _ in range(40):
        x = random_image(rng, model.inputs[0])
        try:
            fixed = dwsep.load(file, input_shapes={"x": x.shape})
        except ValueError:
            with pytest.raises(ValueError, match=r"need|cannot be imported"):
                model(x)
            continue
        y = model(x)
        np.testing.assert_array_equal(y, fixed(x))
        (wanted,) = session.run(None, {"x": x})
        np.testing.assert_allclose(y, wanted, atol=1e-5 * np.abs(wanted).max() + 1e-6, rtol=0)
        if model._network.admits([x.shape]):
            assert all(n in (None, m) for n, m in zip(model.outputs[0].shape, y.shape, strict=True))
        computed += 1
    assert computed > 20


def test_one_network_serves_most_sizes():
    model = dwsep.load(made(pyramid))
    for side in range(20, 60):
        model(np.zeros((1, 3, side, 3 * side // 2), np.float32))
    assert len(list(model._networks)) == 1


@pytest.mark.parametrize("layout", [None, "NHWC"])
def test_files_keep_sizes_open(file, layout, tmp_path):
    rng = np.random.default_rng(1)
    model = dwsep.load(file, input_layout=layout)
    model.save(tmp_path / "net.dwsep")
    saved = dwsep.load(tmp_path / "net.dwsep")
    assert saved.inputs == model.inputs
    assert saved.outputs == model.outputs
    for _ in range(20):
        x = random_image(rng, dwsep.load(file).inputs[0])
        x = x.transpose(0, 2, 3, 1).copy() if layout else x
        if model._network.admits([x.shape]):
            np.testing.assert_array_equal(saved(x), model(x))
        else:
            with pytest.raises(ValueError, match=r"inputs: need sizes with .*x\.shape\[\d\]"):
                saved(x)


def test_plans_stay_few():
    """Weights are shared, and memory for calls is that of eight plans, however many sizes came."""
    model = dwsep.load(made(pyramid))
    shapes = [(1, 3, 20 + i, 100 - i) for i in range(30)]
    for shape in shapes:
        model(np.zeros(shape, np.float32))
    kept = model._network.plans()
    assert len(kept) == 8
    assert {tuple(inputs[0]) for inputs, _ in kept} == set(shapes[-8:])
    before = model.memory()
    assert before.plans == 8
    assert before.arenas == sum(size for _, size in kept) > 0
    model.trim()
    assert model.memory() == (before.weights, 0, 0)
    assert model(np.zeros(shapes[0], np.float32)).shape == (1, 8, 10, 50)


def test_large_plans_are_fewer():
    """Together they take 256 MB at most, unless one alone takes more."""
    nodes = [conv("x", "a", "w", "b"), ("GlobalAveragePool", "a", "y", {})]
    constants = {"w": f(1024, 1, 1, 1), "b": f(1024)}
    model = dwsep.load(onnx_models.model(nodes, constants, inputs={"x": (1, 1, "h", "w")}))
    for side in (100, 150, 200):
        model._network.arena_bytes([(1, 1, side, side)])  # plans, and keeps the plan
    kept = model._network.plans()
    assert [shape for ((shape,), _) in kept] == [(1, 1, 150, 150), (1, 1, 200, 200)]
    model._network.arena_bytes([(1, 1, 280, 280)])
    assert model.memory().plans == 1
    assert model.memory().arenas > 2**28


def test_models_of_one_file_share_their_weights():
    """A second model of twenty million weights takes hardly any memory."""
    nodes = [conv("x", "a", "w", "b"), ("Relu", "a", "y", {})]
    constants = {"w": f(1024, 512, 3, 3), "b": f(1024)}
    file = onnx_models.model(nodes, constants, inputs={"x": (1, 512, "h", "w")})
    models = [dwsep.load(file, input_shapes={"x": (1, 512, n, n)}) for n in (3, 4)]
    before = resident()
    models += [dwsep.load(file, input_shapes={"x": (1, 512, n, n)}) for n in range(5, 9)]
    assert resident() - before < models[0].memory().weights // 2
    x = f(1, 512, 8, 8)
    np.testing.assert_array_equal(models[-1](x), dwsep.load(file)(x))


def resident():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def test_reports_ask_for_sizes():
    model = dwsep.load(made(pyramid))
    with pytest.raises(ValueError, match="need the shape of 'x'"):
        model.summary()
    rows = model.summary(input_shapes={"x": (1, 3, 33, 65)}).rows
    assert rows[1].output == (1, 17, 33, 8)


def damaged(change):
    file = dwsep_file.parse(bytes(dwsep.load(made(pyramid))._network.to_bytes()))
    change(file.open)
    return file.to_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda o: o.terms.__setitem__(0, (0, 7, 0)), "an open axis of an input"),
        (lambda o: o.terms.__setitem__(0, (0, 0, 1)), "an open axis of an input"),
        (lambda o: o.terms.__setitem__(0, (2, 0, 0)), "one of the 0 earlier ones"),
        (lambda o: o.terms.__setitem__(0, (9, 0, 0)), "arithmetic that this version knows"),
        (lambda o: o.terms.append((4, 1, 999)), "earlier ones"),
        (lambda o: o.conditions.append((0, 3, "no")), "relation: need 0 to 2"),
        (lambda o: o.conditions.append((-1, 0, "no")), "earlier ones"),
        (lambda o: o.conditions.append((0, 0, "a size of 0")), "sizes with a size of 0"),
        (lambda o: o.uses.append((0, "size", 0, 0, -1)), "value of a step"),
        (lambda o: o.uses.append((3, "nothing", 0, 0, -1)), "open attribute"),
        (lambda o: o.uses.append((*o.uses[0][:2], 99, 0, -1)), "open attribute"),
        (lambda o: o.axes.append((0, 7)), "8 axes"),
        (lambda o: o.axes.append((3, 0)), "one of the 1 outputs"),
        (lambda o: o.example.__setitem__(0, [1, 3, 5]), "example: need sizes of input 'x'"),
        (lambda o: o.example.__setitem__(0, [1, 3, 0, 5]), "example: need sizes of input 'x'"),
    ],
)
def test_open_sizes_of_a_file_are_checked(change, message):
    with pytest.raises(ValueError, match=message):
        _core.Network.from_bytes(damaged(change))


def test_arithmetic_that_overflows_is_refused():
    def square(o):
        for _ in range(6):
            o.terms.append((3, len(o.terms) - 1, len(o.terms) - 1))
        o.conditions.append((len(o.terms) - 1, 1, "no overflow"))

    with pytest.raises(ValueError, match="64 bits"):
        _core.Network.from_bytes(damaged(lambda o: (o.terms.append((1, 2**15, 0)), square(o))))


def test_examples_that_differ_in_nothing_that_is_asked_are_tried_once():
    sizes = []

    def refused(example):
        sizes.append(example(Axis("x", 0), "N", ""))
        raise ValueError("no")

    with pytest.raises(ValueError, match="were taken as"):
        first_fitting(refused)
    assert sizes == [None, 1]


def test_what_a_refused_file_took_is_freed_at_once():
    """Without the collector of garbage: refused files of 19 MB held 200 MB each until it came."""
    held = weakref.WeakSet()
    tried = []

    class Content:
        pass

    def refused(example):
        content = Content()
        held.add(content)
        tried.append(example(Axis("x", 2), "H", "h"))
        raise ValueError(f"a file of {len(held)}")

    gc.disable()
    try:
        with pytest.raises(ValueError, match="and others; give"):
            first_fitting(refused)
        assert len(tried) > 1
        assert not held
    finally:
        gc.enable()
