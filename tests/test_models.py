"""The built networks have the sizes that were published, are valid ONNX, and compute something."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

import dwsep


@dataclass(frozen=True)
class Published:
    """What others count: parameters exactly, multiply-adds of the paper in millions."""

    parameters: int | tuple[float, float]  # or a rounded number and half of its last digit
    macs: float
    resolution: int = 224


# Exact parameters are the trainable ones of keras.applications, where it has the network (V1, V2,
# V3, EfficientNet, Xception, ConvNeXt), or else those that torchvision states with its weights
# (MnasNet-B1, ShuffleNetV2). Those of Lite0, MnasNet-A1 and V4 are in timm's tables of results.
# Multiply-adds are the papers', but Xception's, which NASNet's paper gives (arXiv:1707.07012),
# MnasNet-B1's (torchvision: 0.314 G), V4's (timm: 0.19 G, where the paper rounds to 0.2 G) and
# Lite0's: B0's, since timm states the same number for both; squeeze-excite has less than 1 %.
PUBLISHED = {
    "mobilenet_v1": Published(4_231_976, 569),
    "mobilenet_v2": Published(3_504_872, 300),
    "mobilenet_v3_large": Published(5_483_032, 219),
    "mobilenet_v3_small": Published(2_542_856, 56),
    "efficientnet_b0": Published(5_288_548, 390),
    "efficientnet_b1": Published(7_794_184, 700, 240),
    "efficientnet_b2": Published(9_109_994, 1000, 260),
    "efficientnet_lite0": Published((4.65e6, 0.005e6), 390),
    "mnasnet": Published(4_383_312, 314),
    "mnasnet_a1": Published((3.89e6, 0.005e6), 312),
    "xception": Published(22_855_952, 8400, 299),
    "mobilenet_v4_conv_small": Published((3.77e6, 0.005e6), 190),
    "shufflenet_v2": Published(2_278_604, 146),
    "convnext_tiny": Published(28_589_128, 4500),
}
# The same sources, at other widths; multiply-adds where the paper has them.
PUBLISHED_WIDTHS = {
    ("mobilenet_v1", 0.25): (470_072, 41),
    ("mobilenet_v1", 0.5): (1_331_592, 149),
    ("mobilenet_v1", 0.75): (2_585_560, 325),
    ("mobilenet_v2", 0.35): (1_677_128, None),
    ("mobilenet_v2", 0.5): (1_968_680, None),
    ("mobilenet_v2", 1.4): (6_108_776, 585),
    ("mobilenet_v3_large", 0.75): (3_993_528, 155),
    ("mobilenet_v3_small", 0.75): (2_041_872, 44),
    ("mnasnet", 0.5): (2_218_512, None),
    ("mnasnet", 1.3): (6_282_256, None),
    ("shufflenet_v2", 0.5): (1_366_792, 41),
    ("shufflenet_v2", 1.5): (3_503_624, 299),
    ("shufflenet_v2", 2.0): (7_393_996, 591),
}
BUILDERS = [name for name in dwsep.models.__all__ if name not in ("Count", "count")]
WITH_ALPHA = sorted({name for name, _ in PUBLISHED_WIDTHS})


@pytest.fixture(scope="module")
def onnx():
    return pytest.importorskip("onnx")


@pytest.fixture(scope="module", params=BUILDERS)
def network(onnx, request):
    """Build each network once, with its name."""
    return request.param, build(request.param)


def build(name: str, **arguments):
    return getattr(dwsep.models, name)(**arguments)


def weights(model) -> dict[str, tuple[int, ...]]:
    return {w.name: tuple(w.dims) for w in model.graph.initializer}


def test_every_builder_has_a_published_size():
    assert sorted(BUILDERS) == sorted(PUBLISHED)


def test_size_is_the_published_one(network):
    name, model = network
    published, count = PUBLISHED[name], dwsep.models.count(model)
    if isinstance(published.parameters, int):
        assert count.parameters == published.parameters
    else:
        rounded, half_digit = published.parameters
        assert abs(count.parameters - rounded) <= half_digit
    assert count.macs == pytest.approx(published.macs * 1e6, rel=0.022)


@pytest.mark.parametrize(("name", "alpha"), PUBLISHED_WIDTHS)
def test_size_at_other_widths_is_the_published_one(onnx, name, alpha):
    parameters, macs = PUBLISHED_WIDTHS[name, alpha]
    count = dwsep.models.count(build(name, alpha=alpha))
    assert count.parameters == parameters
    if macs is not None:
        assert count.macs == pytest.approx(macs * 1e6, rel=0.02)


def test_network_is_valid_and_like_an_export(onnx, network):
    name, model = network
    onnx.checker.check_model(model, full_check=True)
    assert (model.ir_version, model.opset_import[0].version) == (8, 17)
    size = PUBLISHED[name].resolution
    shapes = {
        v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]
        for v in [*model.graph.input, *model.graph.output]
    }
    assert shapes == {"input": ["N", 3, size, size], "logits": ["N", 1000]}
    ops = Counter(node.op_type for node in model.graph.node)
    if name != "convnext_tiny":
        assert ops["BatchNormalization"] >= 27  # MobileNetV1 has the fewest


@pytest.mark.parametrize(
    ("name", "epsilon"), [("mobilenet_v2", 1e-5), ("mobilenet_v3_small", 1e-3)]
)
def test_epsilons_are_those_of_the_reference(onnx, name, epsilon):
    norms = [n for n in build(name).graph.node if n.op_type == "BatchNormalization"]
    assert {a.f for n in norms for a in n.attribute} == {np.float32(epsilon)}


def test_network_depends_on_its_input(network):
    """Logits are of the order of 1 to 100, different between images and not between batches."""
    runtime = pytest.importorskip("onnxruntime")
    name, model = network
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    size = PUBLISHED[name].resolution
    noise = np.random.default_rng(1).standard_normal((3, size, size), dtype=np.float32)
    t = np.linspace(-1, 1, size, dtype=np.float32)
    waves = np.stack([np.sin(k * t)[:, None] + np.cos(5 * t * t) for k in (9, 5, 20)])
    [both] = session.run(None, {"input": np.stack([noise, waves])})
    [first] = session.run(None, {"input": noise[None]})
    assert both.shape == (2, 1000)
    assert np.isfinite(both).all()
    assert 0.5 < np.abs(both).max() < 100
    scale = np.linalg.norm(both[0])
    assert np.linalg.norm(both[0] - both[1]) > 0.02 * scale
    assert np.linalg.norm(both[0] - first[0]) < 1e-4 * scale


@pytest.mark.parametrize("name", BUILDERS)
def test_arguments_change_what_they_say(onnx, name):
    model = build(name, resolution=64, classes=10, seed=3)
    dims = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    assert dims == [0, 3, 64, 64]
    onnx.checker.check_model(model, full_check=True)
    last = next(n for n in reversed(model.graph.node) if n.op_type == "Gemm")
    assert weights(model)[last.input[1]][0] == 10
    assert dwsep.models.count(model).macs < PUBLISHED[name].macs * 1e6 / 4


def test_seed_decides_the_weights(onnx):
    first, again, other = (
        build("mobilenet_v3_small", seed=s).SerializeToString() for s in (1, 1, 2)
    )
    assert first == again
    assert first != other
    a, b = (onnx.load_from_string(raw).graph.initializer for raw in (first, other))
    different = [p.raw_data != q.raw_data for p, q in zip(a, b, strict=True) if p.dims]
    assert len(different) > 100
    assert all(different)


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v2", "mnasnet"])
@pytest.mark.parametrize("alpha", [0.1, 0.35, 0.6, 1.3])
def test_channels_are_multiples_of_eight(onnx, name, alpha):
    narrow, full = (
        [s for s in weights(build(name, alpha=a, classes=8)).values() if len(s) == 4]
        for a in (alpha, 1.0)
    )
    assert len(narrow) == len(full)
    for (channels, *_), (unscaled, *_) in zip(narrow, full, strict=True):
        assert channels % 8 == 0
        if unscaled != 1280:  # the last convolution keeps its width
            # expanded channels are up to six times a rounded number
            assert 0.9 * alpha * unscaled <= channels < alpha * unscaled + 6 * 8


def test_both_kinds_of_padding_occur(onnx):
    def paddings(name):
        nodes = build(name).graph.node
        return {
            tuple(a.ints)
            for n in nodes
            if n.op_type == "Conv"
            for a in n.attribute
            if a.name == "pads"
        }

    assert paddings("mobilenet_v2") == {(0, 0, 0, 0), (1, 1, 1, 1)}
    assert paddings("mobilenet_v1") == {(0, 0, 0, 0), (1, 1, 1, 1), (0, 0, 1, 1)}
    assert (1, 1, 2, 2) in paddings("efficientnet_lite0")


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize(
    ("argument", "value", "error", "wanted"),
    [
        ("resolution", 31, ValueError, "from 32"),
        ("resolution", 224.0, TypeError, "an int from 32"),
        ("classes", 0, ValueError, "from 1"),
        ("classes", True, TypeError, "an int from 1"),
        ("seed", -1, ValueError, "from 0"),
        ("seed", None, TypeError, "an int from 0"),
    ],
)
def test_wrong_arguments_are_refused(onnx, name, argument, value, error, wanted):
    with pytest.raises(error, match=f"{argument}: need .*{wanted}.*got {value}"):
        build(name, **{argument: value})


@pytest.mark.parametrize("name", WITH_ALPHA)
@pytest.mark.parametrize(
    ("alpha", "error"),
    [
        (0.0, ValueError),
        (-1, ValueError),
        (float("nan"), ValueError),
        (float("inf"), ValueError),
        (1e300, ValueError),
        ("1", TypeError),
        (True, TypeError),
    ],
)
def test_wrong_widths_are_refused(onnx, name, alpha, error):
    with pytest.raises(error, match=f"alpha: need .*got {alpha!r}".replace("+", "[+]")):
        build(name, alpha=alpha)


def test_shufflenet_has_the_widths_of_the_paper(onnx):
    with pytest.raises(ValueError, match=r"alpha: need one of \[0.5, 1.0, 1.5, 2.0\], got 0.75"):
        dwsep.models.shufflenet_v2(alpha=0.75)


def test_more_than_a_file_holds_is_refused(onnx):
    with pytest.raises(ValueError, match="alpha, classes: need a network of at most"):
        dwsep.models.mobilenet_v3_small(classes=2**31 - 1)


def test_missing_onnx_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'dwsep\[onnx\]'"):
        dwsep.models.mobilenet_v2()


def test_import_is_lazy():
    script = """
import sys, dwsep
assert "dwsep.models" not in sys.modules and "onnx" not in sys.modules
dwsep.models.mobilenet_v2
assert "dwsep.models" in sys.modules and "onnx" not in sys.modules
try:
    dwsep.no_such_name
except AttributeError as error:
    assert "no_such_name" in str(error)
else:
    raise SystemExit("no AttributeError")
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
