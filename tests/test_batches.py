"""Networks whose file fixes the batch at one: they take several images, each as by itself."""

from __future__ import annotations

import numpy as np
import pytest
import small_networks
from calls import bits_differ

import dwsep


def images(count, *shape, seed=0):
    return np.random.default_rng(seed).standard_normal((count, *shape), dtype=np.float32)


@pytest.fixture(scope="module")
def one():
    """Make a network of one image (1, 5, 7, 3) and, whatever the batch, one vector (3,)."""
    builder = small_networks.Builder(5)
    x = builder.core.input("images", (1, 5, 7, 3))
    gate = builder.core.input("gate", (3,))
    y = builder.step("binary", [x, gate], {"function": "mul"})
    scores = builder.step("reduce", [y], {"function": "mean", "axes": [1, 2], "keepdims": [0]})
    scores = builder.step("pointwise", [scores], {}, weight=builder.weight(3, 4))
    return dwsep.Model(builder.finish(scores=scores, gated=y))


@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("threads", [1, 2])
def test_each_image_is_a_call(one, count, threads):
    x, gate = images(count, 5, 7, 3), images(3)
    scores, gated = one(x, gate, num_threads=threads)
    assert scores.shape == (count, 4)
    assert gated.shape == x.shape
    for n in range(count):
        wanted = one(x[n : n + 1], gate, num_threads=1)
        assert bits_differ(scores[n : n + 1], wanted[0]) is None
        assert bits_differ(gated[n : n + 1], wanted[1]) is None


def test_reports_know_of_it(one, little_to_measure):
    x, gate = images(3, 5, 7, 3), images(3)
    shapes = {"images": (3, 5, 7, 3), "gate": (3,)}
    assert sum(row.flops for row in one.summary(input_shapes=shapes).rows) == 3 * sum(
        row.flops for row in one.summary().rows
    )
    assert one.profile(x, gate, rounds=1).flops == 3 * one.profile(x[:1], gate, rounds=1).flops


@pytest.mark.parametrize(
    ("x", "gate"),
    [((4, 5, 8, 3), (3,)), ((4, 5, 7, 3), (4,)), ((4, 5, 7), (3,)), ((), (3,)), ((4, 5, 7, 3), ())],
)
def test_other_axes_must_fit(one, x, gate):
    with pytest.raises(ValueError, match=r"input '(images|gate)': need shape"):
        one(np.zeros(x, np.float32), np.zeros(gate, np.float32))


def two_inputs():
    builder = small_networks.Builder(6)
    a, b = (builder.core.input(name, (1, 4)) for name in "ab")
    y = builder.step("binary", [a, b], {"function": "add"})
    return dwsep.Model(builder.finish(y=y))


def test_inputs_have_as_many_images():
    model = two_inputs()
    a, b = images(3, 4, seed=1), images(3, 4, seed=2)
    assert np.array_equal(model(a, b), a + b)
    with pytest.raises(ValueError, match=r"input '[ab]': need shape"):
        model(a, b[:2])
    with pytest.raises(ValueError, match=r"input '[ab]': need shape"):
        model(a, b[:1])


def test_the_message_says_what_has_no_batch():
    builder = small_networks.Builder(7)
    x = builder.core.input("x", (1, 2, 3))
    total = builder.step("reduce", [x], {"function": "sum", "axes": [0], "keepdims": [0]})
    model = dwsep.Model(builder.finish(same=x, total=total))
    assert model(images(1, 2, 3))[1].shape == (2, 3)
    with pytest.raises(ValueError, match=r"output 'total' of shape .* has no axis for several"):
        model(images(4, 2, 3))


def test_a_file_of_one_image(tmp_path):
    onnx = pytest.importorskip("onnx", reason="reads ONNX files")
    content = dwsep.models.mobilenet_v1(alpha=0.25, resolution=32)
    for value in content.graph.input:
        value.type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(content, tmp_path / "one.onnx")
    model = dwsep.load(tmp_path / "one.onnx")
    x = images(4, 3, 32, 32)
    opened = dwsep.load(content, input_shapes={model.inputs[0].name: (None, 3, 32, 32)})
    assert model.inputs[0].shape == (1, 3, 32, 32)
    assert bits_differ(model(x), opened(x)) is None
