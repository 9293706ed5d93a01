"""What a model promises to those who call it; no ONNX needed."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import small_networks
from small_networks import IMAGES, feeds, same

import dwsep

# --- names, shapes, calls


def test_names_and_shapes(model):
    assert model.name == "small"
    assert model.inputs == (("images", (None, 8, 8, 3), "float32", None),)
    assert [info[:2] for info in model.outputs] == [
        ("probabilities", (None, 10)),
        ("features", (None, 16)),
    ]
    assert {(i.dtype, i.quantization) for i in model.inputs + model.outputs} == {("float32", None)}
    assert repr(model) == (
        "<dwsep.Model 'small': images (N, 8, 8, 3) -> probabilities (N, 10), features (N, 16)>"
    )


def test_a_call_returns_all_outputs_in_order(model):
    probabilities, features = model(IMAGES)
    assert probabilities.shape == (5, 10)
    assert features.shape == (5, 16)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert np.ptp(probabilities) > 1e-3


def test_run_picks_and_orders_outputs(model):
    whole = model(IMAGES)
    assert same(model.run(None, {"images": IMAGES}), whole)
    assert same(model.run(["features", "probabilities"], {"images": IMAGES}), whole[::-1])
    assert same(model.run(["features"], {"images": IMAGES}), whole[1:])


@pytest.mark.parametrize(
    ("error", "names", "given", "words"),
    [
        (ValueError, None, {}, ["feeds", "images"]),
        (ValueError, None, {"picture": IMAGES}, ["feeds", "images", "picture"]),
        (ValueError, None, {"images": IMAGES, "more": IMAGES}, ["feeds", "more"]),
        (ValueError, ["logits"], {"images": IMAGES}, ["output_names", "logits", "features"]),
        (ValueError, None, {"images": IMAGES[0]}, ["images", "8"]),
        (ValueError, None, {"images": IMAGES[:, :7]}, ["images", "7", "(any, 8"]),
        (TypeError, None, {"images": IMAGES.astype(np.float64)}, ["images", "float64"]),
        (TypeError, None, {"images": IMAGES.tolist()}, ["images", "list"]),
        (TypeError, None, {"images": None}, ["images", "NoneType"]),
        (TypeError, None, [IMAGES], ["feeds", "mapping", "list"]),
        (TypeError, None, None, ["feeds", "mapping", "NoneType"]),
        (TypeError, "features", {"images": IMAGES}, ["output_names", "sequence", "'features'"]),
    ],
)
def test_run_refuses_by_name(model, error, names, given, words):
    with pytest.raises(error) as caught:
        model.run(names, given)
    for word in words:
        assert word in str(caught.value)


def test_calls_refuse_by_name(model, rearranger):
    with pytest.raises(ValueError, match="need 1 array, got 0"):
        model()
    with pytest.raises(ValueError, match=r"need 2 arrays, got 1"):
        rearranger(IMAGES)
    with pytest.raises(ValueError, match="num_threads"):
        model(IMAGES, num_threads=0)
    with pytest.raises(TypeError, match="num_threads"):
        model(IMAGES, num_threads="two")


def test_views_give_the_bits_of_copies(model):
    wide = np.random.default_rng(1).standard_normal((5, 8, 16, 6), dtype=np.float32)
    view = wide[:, ::-1, ::2, 1:4]
    assert same(model(view), model(view.copy()))


# --- determinism


@pytest.mark.parametrize("make", [small_networks.classifier, small_networks.rearranger])
def test_neither_threads_nor_batch_change_a_bit(make):
    model = dwsep.Model(make())
    whole_feeds = feeds(model, 5)
    whole = model(*whole_feeds.values(), num_threads=1)
    for threads in (1, 2, 3):
        for batch in range(1, 6):
            part = model(*(x[:batch] for x in whole_feeds.values()), num_threads=threads)
            assert same(part, [y[:batch] for y in whole]), (threads, batch)


def test_several_python_threads_may_call_at_once(model):
    inputs = [
        np.random.default_rng(seed).standard_normal((1 + seed % 3, 8, 8, 3), dtype=np.float32)
        for seed in range(12)
    ]
    alone = [model(x, num_threads=1) for x in inputs]
    with ThreadPoolExecutor(6) as pool:
        together = list(
            pool.map(lambda n: model(inputs[n % 12], num_threads=1 + n % 3), range(240))
        )
    assert all(same(result, alone[n % 12]) for n, result in enumerate(together))


def test_an_empty_batch_gives_empty_outputs(model):
    probabilities, features = model(IMAGES[:0])
    assert probabilities.shape == (0, 10)
    assert features.shape == (0, 16)


# --- pickling


def test_pickling(model):
    copy = pickle.loads(pickle.dumps(model))
    assert same(copy(IMAGES), model(IMAGES))
    assert repr(copy) == repr(model)


def call(arguments):
    model, x = arguments
    return model(x, num_threads=1)


def test_models_go_to_spawned_processes(model):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        results = pool.map(call, [(model, IMAGES), (model, IMAGES[:1])])
    assert same(results[0], model(IMAGES))
    assert same(results[1], model(IMAGES[:1]))
