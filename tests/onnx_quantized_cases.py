"""Models of quantized operators, a few nodes each."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(9)


def model_of(nodes, inputs, constants, outputs, opset=17):
    """Return a model; a node is (operator, inputs, outputs, attributes), an input (shape, type)."""
    made = []
    for number, (op, read, written, attributes) in enumerate(nodes):
        domain, _, name = op.rpartition(".")
        made.append(
            helper.make_node(
                name, read.split(","), written.split(","), f"{name}_{number}", domain=domain,
                **attributes,
            )
        )  # fmt: skip
    infos = [
        helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(np.dtype(t)), shape)
        for k, (shape, t) in inputs.items()
    ]
    graph = helper.make_graph(
        made,
        "quantized",
        infos,
        [helper.make_tensor_value_info(k, t, None) for k, t in outputs.items()],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()],
    )
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=10)


def scales(*names, dtype="uint8"):
    """Return constants `<name>_scale` and `<name>_zero`, 128 less where signed."""
    result = {}
    for i, name in enumerate(names):
        result[f"{name}_scale"] = np.float32(0.0213 + 0.00517 * i)  # few ties
        result[f"{name}_zero"] = np.array((-8 if dtype[0] == "i" else 120) + i, dtype)
    return result


def integers(dtype, *shape):
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max + 1, shape).astype(dtype)


IMAGE = (2, 4, 9, 8)
TYPES = {"uint8": TensorProto.UINT8, "int8": TensorProto.INT8}


def one(op, read, shapes, constants, dtype="uint8", **attributes):
    """Return a model of one node whose computed inputs are of a type."""
    domain = "com.microsoft." if op.startswith("QLinear") or op == "QGemm" else ""
    domain = "" if op in ("QLinearConv", "QLinearMatMul") else domain
    inputs = {name: (shape, dtype) for name, shape in shapes.items()}
    nodes = [(domain + op, read, "y", attributes)]
    return model_of(nodes, inputs, constants, {"y": TYPES[dtype]})


def cases():
    """Yield (name, model)."""
    for dtype in ("uint8", "int8"):
        s = scales("a", "b", "y", dtype=dtype)
        a, b, y = (f"{n},{n}_scale,{n}_zero" for n in "aby")
        y = "y_scale,y_zero"
        two = {"a": IMAGE, "b": IMAGE}
        for op in ("QLinearAdd", "QLinearMul"):
            yield f"{op}-{dtype}", one(op, f"{a},{b},{y}", two, s, dtype)
            known = s | {"b": integers(dtype, 4, 1, 1)}
            yield f"{op}-{dtype}-known", one(op, f"{a},{b},{y}", {"a": IMAGE}, known, dtype)
        concat = one("QLinearConcat", f"{y},{a},{b}", two, s, dtype, axis=1)
        yield f"QLinearConcat-{dtype}", concat
        single = {"a": IMAGE}
        yield f"QLinearSigmoid-{dtype}", one("QLinearSigmoid", f"{a},{y}", single, s, dtype)
        leaky = one("QLinearLeakyRelu", f"{a},{y}", single, s, dtype, alpha=0.1)
        yield f"QLinearLeakyRelu-{dtype}", leaky
        global_ = one("QLinearGlobalAveragePool", f"{a},{y}", single, s, dtype, channels_last=0)
        yield f"QLinearGlobalAveragePool-{dtype}", global_
        average = one(
            "QLinearAveragePool", f"{a},{y}", single, s, dtype, kernel_shape=[3, 3], strides=[2, 2]
        )
        yield f"QLinearAveragePool-{dtype}", average
        fine = s | {"y_scale": np.float32(1 / 256), "y_zero": np.array(np.iinfo(dtype).min, dtype)}
        yield (
            f"QLinearSoftmax-{dtype}",
            one("QLinearSoftmax", f"{a},{y}", {"a": (3, 10)}, fine, dtype, axis=-1, opset=13),
        )
        yield from products(dtype, s)


def products(dtype, s):
    a, w, y = "a,a_scale,a_zero", "w,w_scale,w_zero", "y_scale,y_zero"
    s = s | {"y_scale": np.float32(0.5)}
    for rows in (1, 6):  # scales
        weight = {
            "w": integers("int8", 6, 4, 3, 3),
            "w_scale": np.float32(rng.uniform(0.005, 0.01, rows)) if rows > 1 else np.float32(0.01),
            "w_zero": np.zeros(rows, np.int8) if rows > 1 else np.int8(0),
            "bias": rng.integers(-9999, 9999, 6).astype(np.int32),
        }
        yield (
            f"QLinearConv-{dtype}-{rows}",
            one("QLinearConv", f"{a},{w},{y},bias", {"a": IMAGE}, s | weight, dtype, pads=[1] * 4),
        )
    matrix = {"w": integers(dtype, 5, 7), "w_scale": np.float32(0.01), "w_zero": s["a_zero"]}
    yield (
        f"QLinearMatMul-{dtype}",
        one("QLinearMatMul", f"{a},{w},{y}", {"a": (3, 5)}, s | matrix, dtype),
    )
    for transposed in (0, 1):
        matrix["w"] = integers(dtype, 7, 5) if transposed else integers(dtype, 5, 7)
        matrix["bias"] = rng.integers(-999, 999, 7).astype(np.int32)
        yield (
            f"QGemm-{dtype}-{transposed}",
            one(
                "QGemm", f"{a},{w},bias,{y}", {"a": (3, 5)}, s | matrix, dtype, transB=transposed,
                alpha=1.0,
            ),
        )  # fmt: skip


CASES = dict(cases())
