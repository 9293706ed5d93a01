"""Every operator by itself, in float64 and on the core; the oracle is onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest
from graph_runner import run
from onnx_case import dtype_of, model_of
from onnx_cases import CASES

onnx = pytest.importorskip("onnx", reason="imports ONNX models")
onnxruntime = pytest.importorskip("onnxruntime", reason="the oracle")

from onnx.reference import ReferenceEvaluator
from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

from dwsep.graph.lowering import lower
from dwsep.graph.onnx import import_onnx
from dwsep.graph.onnx.registry import IMPORTERS
from dwsep.graph.passes import optimize

# imported by composition of parts that have cases, but newer than the oracle or never alone
ELSEWHERE = {"Swish", "CastLike", "NonMaxSuppression", "GatherND"}
# cases of test_onnx_quantized
QUANTIZED = {op for op in IMPORTERS if "Q" in op or "quant" in op or "Integer" in op}


def oracle(model, feeds):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    try:
        return session.run(None, feeds)
    except RuntimeException:  # 1.23 fails at a reduction of no axes
        return ReferenceEvaluator(model).run(None, feeds)


def opsets_of(case):
    """Return the case's opsets that the installed onnx knows."""
    newest = onnx.defs.onnx_opset_version()
    known = [opset for opset in case.opsets if opset <= newest]
    return known or pytest.skip(f"the installed onnx knows no opset beyond {newest}")


def feeds_of(case):
    rng = np.random.default_rng(3)
    feeds = {}
    for number, given in enumerate(case.inputs):
        if isinstance(given, tuple):
            x = rng.uniform(0.5, 1.5, given) if case.positive else 2 * rng.standard_normal(given)
            if dtype_of(given) == "uint8":
                x = np.abs(x)
            if dtype_of(given) == "bool":
                x = x > 0
            feeds[f"x{number}"] = x.astype(dtype_of(given))
    return feeds


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_operator(case):
    feeds = feeds_of(case)
    for opset in opsets_of(case):
        wanted = oracle(model_of(case, opset), feeds)
        for batch in (None, "N") if case.open_batch else (None,):
            graph = import_onnx(model_of(case, opset, batch))
            if batch:
                assert graph.shape(next(iter(feeds)))[0] is None
            got = run(graph, feeds)
            assert len(got) == len(wanted)
            for g, w in zip(got, wanted, strict=True):
                assert g.shape == w.shape
                w = w.astype(np.float64)
                np.testing.assert_allclose(g, w, rtol=2e-5, atol=2e-5, err_msg=f"opset {opset}")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_operator_on_the_core(case):
    feeds, opset = feeds_of(case), opsets_of(case)[-1]
    wanted = oracle(model_of(case, opset), feeds)
    graph = import_onnx(model_of(case, opset, "N" if case.open_batch else None))
    network = lower(optimize(graph), {})
    got = network.run([feeds[name] for name, *_ in network.inputs])
    for g, w in zip(got, wanted, strict=True):
        assert (g.shape, g.dtype) == (w.shape, np.float32 if w.dtype == np.float64 else w.dtype)
        g, w = g.astype(np.float64), w.astype(np.float64)
        np.testing.assert_allclose(g, w, rtol=3e-5, atol=3e-5)


def test_every_importer_has_a_case():
    assert set(IMPORTERS) - {case.op for case in CASES} == ELSEWHERE | QUANTIZED
