"""A `Case`: one operator with its inputs and attributes, and a model of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

rng = np.random.default_rng(7)


@dataclass
class Case:
    """An operator, shapes of what is computed, arrays of what is known, None for what is absent."""

    op: str
    inputs: list
    attributes: dict = field(default_factory=dict)
    opsets: tuple = (11, 13, 17, 21)
    outputs: int = 1
    positive: bool = False  # inputs from 0.5 to 1.5
    open_batch: bool = True  # also with a batch of unknown size

    @property
    def name(self):
        parts = [self.op, *(f"{k}={v}" for k, v in self.attributes.items())]
        known = [i.tolist() for i in self.inputs if isinstance(i, np.ndarray) and i.size < 9]
        return "-".join(map(str, [*parts, *known])).replace(" ", "")


def f(*shape):
    return rng.standard_normal(shape).astype(np.float32)


class Typed(tuple):
    """A shape of what is computed, of another type than float32."""

    dtype: str


def of(dtype, *shape):
    typed = Typed(shape)
    typed.dtype = dtype
    return typed


def dtype_of(given):
    return getattr(given, "dtype", "float32")


def n(number):
    return np.array(number, np.float32)


def i(*numbers):
    return np.array(numbers, np.int64)


IMAGE = (2, 4, 9, 8)
NEW = (13, 17, 21)


def model_of(case, opset, batch=None):
    """Return a model of the case's node; with `batch` the first axis of its inputs is open."""
    import onnx  # here, so that cases can be collected without it

    inputs, initializers, names = [], [], []
    for number, given in enumerate(case.inputs):
        names.append("" if given is None else f"x{number}")
        if isinstance(given, tuple):
            shape = (batch, *given[1:]) if batch else given
            type_ = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype_of(given)))
            inputs.append(onnx.helper.make_tensor_value_info(f"x{number}", type_, shape))
        elif given is not None:
            initializers.append(onnx.numpy_helper.from_array(given, f"x{number}"))
    outputs = [f"y{k}" for k in range(case.outputs)]
    node = onnx.helper.make_node(case.op, names, outputs, name="it", **case.attributes)
    infos = [onnx.helper.make_empty_tensor_value_info(y) for y in outputs]
    graph = onnx.helper.make_graph([node], "case", inputs, infos, initializers)
    imports = [onnx.helper.make_opsetid("", opset)]
    return onnx.helper.make_model(graph, opset_imports=imports, ir_version=8)
