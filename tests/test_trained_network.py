"""A network that was trained: `examples/digits.py` made tests/data/digits.onnx with PyTorch."""

from __future__ import annotations

import runpy
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import dwsep

ROOT = Path(__file__).parent.parent
PATH = ROOT / "tests" / "data" / "digits.onnx"
onnx = pytest.importorskip("onnx", reason="reads ONNX files")


@pytest.fixture(scope="module")
def unseen():
    """Pictures that the network was not trained on, and their digits."""
    example = runpy.run_path(str(ROOT / "examples" / "digits.py"))
    _, pictures, _, digits = example["pictures"]()
    return pictures, digits


@pytest.fixture(scope="module")
def model():
    return dwsep.load(PATH)


def test_the_file_is_as_exported():
    counts = Counter(node.op_type for node in onnx.load(PATH).graph.node)
    assert counts["BatchNormalization"] == 8
    assert counts["GlobalAveragePool"] == 2  # of squeeze-excite and of the classifier
    assert PATH.stat().st_size < 100_000


def test_it_recognises_digits(model, unseen):
    pictures, digits = unseen
    assert len(pictures) == 450
    assert (model(pictures).argmax(axis=1) == digits).mean() > 0.97


def test_its_logits_are_those_of_torch(model, unseen):
    wanted = np.load(PATH.with_name("digits_logits.npy"))
    assert wanted.shape == (32, 10)
    got = model(unseen[0][:32])
    np.testing.assert_allclose(got, wanted, rtol=0, atol=5e-6 * np.abs(wanted).max())
    assert np.array_equal(got.argmax(axis=1), wanted.argmax(axis=1))


def test_it_became_blocks(model):
    rows = model.summary().rows
    kinds = [row.kind for row in rows if not row.free]
    assert kinds == [
        "standard",
        "separable",
        "separable",
        "inverted_residual",
        "reduce",
        "pointwise",
    ]
    assert sum(row.parameters for row in rows) < 14_084  # batch norms have become biases


def test_batches_threads_layouts_and_files_give_the_same_bits(model, unseen, tmp_path):
    pictures = unseen[0][:9]
    wanted = model(pictures, num_threads=1)
    for threads in (1, 2, 3):
        alone = [model(pictures[n : n + 1], num_threads=threads) for n in range(9)]
        assert np.array_equal(np.concatenate(alone), wanted)
    nhwc = dwsep.load(PATH, input_layout="NHWC")
    assert nhwc.inputs[0].shape == (None, 8, 8, 1)
    assert np.array_equal(nhwc(pictures.transpose(0, 2, 3, 1)), wanted)
    model.save(tmp_path / "digits.dwsep")
    assert np.array_equal(dwsep.load(tmp_path / "digits.dwsep")(pictures), wanted)


def test_features_inside(model, unseen):
    flat = next(n.output[0] for n in onnx.load(PATH).graph.node if n.op_type == "Flatten")
    both = dwsep.load(PATH, outputs=[flat, "logits"])
    features, logits = both(unseen[0][:4])
    assert features.shape == (4, 40)
    assert np.array_equal(logits, model(unseen[0][:4]))
    assert np.array_equal(both.run([flat], {"images": unseen[0][:4]})[0], features)
