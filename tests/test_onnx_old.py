"""Models of opsets before 7: those that the onnx package holds, and operators that changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="imports ONNX models")

from onnx_models import f, ints, model

import dwsep
from dwsep.errors import InvalidModelError, UnsupportedOperatorError

DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"
FILES = sorted(DATA.glob("pytorch-*/*/model.onnx"))
THREE_AXES = ("3d_", "Conv3d", "MaxPool3d", "AvgPool3d")  # spatial ones, which dwsep does not have


def arrays(folder, kind):
    files = sorted(folder.glob(f"test_data_set_0/{kind}_*.pb"))
    return [onnx.numpy_helper.to_array(onnx.load_tensor(str(file))) for file in files]


def test_files_of_the_onnx_package():
    refused = []
    for file in FILES:
        try:
            network = dwsep.load(file)
        except UnsupportedOperatorError as error:
            refused.append((file.parent.name, str(error)))
            continue
        wanted = arrays(file.parent, "output")
        given = zip(network.inputs, arrays(file.parent, "input"), strict=True)
        with np.errstate(over="ignore"):  # some are float64 beyond float32
            got = network.run(None, {i.name: x.astype(i.dtype) for i, x in given})
            wanted = [w.astype(g.dtype) for g, w in zip(got, wanted, strict=True)]
        for g, w in zip(got, wanted, strict=True):
            assert g.shape == w.shape, file
            np.testing.assert_allclose(g, w, rtol=1e-4, atol=1e-5, err_msg=str(file))
    unexpected = [r for r in refused if not any(n in r[0] for n in THREE_AXES)]
    assert not unexpected, unexpected
    assert len(FILES) - len(refused) > 90 or not FILES


X = f(2, 4, 6, 6)
CASES = [
    (6, ("Add", "x,c", "y", {"broadcast": 1, "axis": 1}), lambda x, c: x + c[:, None, None]),
    (6, ("Mul", "x,d", "y", {"broadcast": 1}), lambda x, d: x * d),
    (6, ("Sub", "x,e", "y", {"broadcast": 1, "axis": 0}), lambda x, e: x - e[:, :, None, None]),
    (6, ("PRelu", "x,c", "y", {}), lambda x, c: np.where(x < 0, x * c[:, None, None], x)),
    (5, ("Abs", "x", "y", {"consumed_inputs": [0]}), np.abs),
    (4, ("Reshape", "x", "y", {"shape": [0, -1]}), lambda x: x.reshape(2, -1)),
    (5, ("Cast", "x", "y", {"to": "INT32"}), lambda x: x.astype(np.int32)),
    (3, ("Concat", "x,x", "y", {}), lambda x, _: np.concatenate([x, x], 1)),
    (
        1,
        ("Pad", "x", "y", {"paddings": [0, 0, 1, 2, 0, 0, 3, 0]}),
        lambda x: np.pad(x, ((0, 0), (0, 0), (1, 3), (2, 0))),
    ),
    (5, ("Tile", "x,three,one", "y", {}), lambda x, *_: np.tile(x, (1, 3, 1, 1))),
    (6, ("Dropout", "x", "y", {"is_test": 1}), lambda x: x),
    (
        1,
        ("Upsample", "x", "y", {"height_scale": 2.0, "width_scale": 3.0}),
        lambda x: x.repeat(2, 2).repeat(3, 3),
    ),
]
CONSTANTS = {"c": f(4), "d": f(6), "e": f(2, 4), "three": ints(3), "one": ints(1), "four": ints(4)}


@pytest.mark.parametrize(("opset", "node", "wanted"), CASES, ids=[node[0] for _, node, _ in CASES])
def test_old_meanings(opset, node, wanted):
    names = node[1].split(",")
    used = {name: CONSTANTS[name] for name in names if name != "x"}
    network = dwsep.load(model([node], used, opset=opset, inputs={"x": X.shape}))
    y = wanted(*[X if name == "x" else CONSTANTS[name] for name in names])
    np.testing.assert_allclose(network(X), y, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("opset", "node", "message"),
    [
        (6, ("Add", "x,c", "y", {}), "differ, without broadcast"),
        (6, ("Add", "x,c", "y", {"broadcast": 1, "axis": 4}), "axis: 4 does not fit"),
        (6, ("Add", "x,c", "y", {"broadcast": 1, "axis": -1}), "axis: -1 does not fit"),
        (5, ("Cast", "x", "y", {"to": 1}), "need the name of a type, got 1"),
        (4, ("Reshape", "x", "y", {}), "need integers, got None"),
        (5, ("Tile", "x,three,four", "y", {}), "axis: need from 0 to 3, got 4"),
        (5, ("Tile", "x,x,one", "y", {}), "need numbers that are known"),
        (1, ("Upsample", "x", "y", {"height_scale": 2.0}), "need height_scale and width_scale"),
        (1, ("LayerNormalization", "x", "y", {}), "no such operator"),
    ],
)
def test_contradictions(opset, node, message):
    used = {name: CONSTANTS[name] for name in node[1].split(",") if name != "x"}
    with pytest.raises(InvalidModelError, match=message):
        dwsep.load(model([node], used, opset=opset, inputs={"x": X.shape}))
