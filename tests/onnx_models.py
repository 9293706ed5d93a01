"""ONNX models of a few nodes, written in a line each."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="imports ONNX models")

from onnx import helper, numpy_helper

FLOAT, INT64 = 1, 7


def model(nodes, constants=(), *, inputs=None, outputs=("y",), opset=17):
    """Return a model; a node is (operator, inputs, outputs, attributes)."""
    made = [
        helper.make_node(op, i.split(","), o.split(","), name=f"{op}_{number}", **attributes)
        for number, (op, i, o, attributes) in enumerate(nodes)
    ]
    infos = [
        helper.make_tensor_value_info(name, FLOAT, shape)
        for name, shape in (inputs or {"x": ("N", 4, 6, 6)}).items()
    ]
    graph = helper.make_graph(
        made,
        "net",
        infos,
        [helper.make_empty_tensor_value_info(y) for y in outputs],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in dict(constants).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def f(*shape):
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def ints(*numbers):
    return np.array(numbers, np.int64)
