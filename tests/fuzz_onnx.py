"""Random ONNX models: refused with a clear error, or right.

A model is one operator's, or several joined; fields of it are changed, or bytes. What dwsep loads
is run where that is cheap: on one thread and on several, after it was saved and loaded, and by
onnxruntime, whose results count where it takes the model as well.
"""

from __future__ import annotations

import importlib.util
import random

import numpy as np
import onnx
from fuzz_networks import loaded, ran, same_bits, unlike
from fuzzing import ORACLE, mark
from onnx_mutations import damaged, rewritten, seeds

import dwsep

HAS_ORACLE = importlib.util.find_spec("onnxruntime") is not None
SEEDS = seeds()


def renamed(model, end):
    """Return a copy whose values all have another name."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for value in (*copy.graph.input, *copy.graph.output, *copy.graph.initializer):
        value.name += end
    for node in copy.graph.node:
        node.name += end
        for names in (node.input, node.output):
            for number, name in enumerate(names):
                names[number] = name + end if name else ""
    return copy


def joined(rng: random.Random, count: int):
    """Return a model of several operators, most inputs of which read what others compute."""
    whole = onnx.load_from_string(rng.choice(SEEDS))
    for number in range(1, count):
        part = renamed(onnx.load_from_string(rng.choice(SEEDS)), f"_{number}")
        if part.opset_import[0].version != whole.opset_import[0].version:
            continue
        made = [o for node in whole.graph.node for o in node.output]
        for value in part.graph.input:
            if rng.random() < 0.15:
                whole.graph.input.append(value)
                continue
            source = rng.choice(made[-3:])
            for node in part.graph.node:
                for at, name in enumerate(node.input):
                    node.input[at] = source if name == value.name else name
        whole.graph.initializer.extend(part.graph.initializer)
        whole.graph.node.extend(part.graph.node)
        if rng.random() < 0.8:
            del whole.graph.output[:]
        whole.graph.output.extend(part.graph.output)
    return whole


def opened(rng: random.Random, model) -> None:
    """Leave sizes of inputs open, some by one name."""
    for value in model.graph.input:
        for axis, size in enumerate(value.type.tensor_type.shape.dim):
            if axis != 1 and rng.random() < 0.7:
                size.dim_param = rng.choice(["h", "w", f"{value.name}_{axis}"])


def drawn(rng: random.Random) -> bytes:
    model = joined(rng, rng.choice([1, 1, 2, 2, 3, 5]))
    if rng.random() < 0.3:
        opened(rng, model)
    data = model.SerializeToString()
    for _ in range(rng.choice([0, 1, 1, 1, 2])):
        try:
            data = (damaged if rng.random() < 0.15 else rewritten)(data, rng)
        except Exception:
            break  # a mutation of what another mutation left, or no longer protobuf
    return data


def oracle(data: bytes, feeds):
    """Return what onnxruntime makes of the model, None where it takes offence."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    mark(ORACLE)
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        return session.run(None, feeds)
    except Exception:  # its errors have no class in common
        return None
    finally:
        mark("ours")


def case(rng: random.Random) -> str:
    data = drawn(rng)
    model = loaded(data)
    if isinstance(model, str):
        return model
    fate = ran(rng, model)
    if isinstance(fate, str):
        return fate
    arrays, results = fate
    if disagreed(onnx.load_from_string(data), arrays):
        return "run, another meaning"
    if any(None in info.shape[1:] for info in model.inputs):
        shapes = {
            info.name: (*info.shape[:1], *a.shape[1:])  # a batch that is open stays so
            for info, a in zip(model.inputs, arrays, strict=True)
        }
        try:
            fixed = dwsep.load(data, input_shapes=shapes)
        except ValueError:  # constants of one batch, which an open size may be held to
            shapes = {i.name: a.shape for i, a in zip(model.inputs, arrays, strict=True)}
            fixed = dwsep.load(data, input_shapes=shapes)
        others = fixed.run(None, dict(zip(shapes, arrays, strict=True)), num_threads=1)
        assert same_bits(results, others), "other bits with open sizes"
    if not HAS_ORACLE:
        return "run"
    names = [info.name for info in model.inputs]
    wanted = oracle(data, dict(zip(names, arrays, strict=True)))
    if wanted is None:
        return "run, not by the oracle"
    for info, got, want in zip(model.outputs, results, wanted, strict=True):
        problem = unlike(got, np.asarray(want))
        if problem and not problem.startswith("shape") and is_delicate(data):
            return "run, delicate"
        assert not problem, f"output {info.name!r}: {problem}"
    return "compared"


def values_of(tensor):
    """Return a tensor's elements, none of one that onnx cannot read."""
    try:
        return onnx.numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError):
        return np.empty(0)


def disagreed(model, arrays) -> bool:
    """Return whether the model asks for what the oracle sees otherwise, for a reason.

    The size of the batch never takes away an axis here, unless a height has the same name. Celu is
    x for small x / alpha, where the oracle has 0 in the end. A power that no integer reaches is the
    nearest one, of 0 too. Padding for a wanted size is never
    negative, as in TensorFlow, where the oracle would leave out pixels at the edges. The oracle's
    softmax of bytes rounds the reciprocal of its scale down.
    """
    for node in model.graph.node:
        names = {a.name: a for a in node.attribute}
        if node.op_type == "Squeeze" and len(node.input) < 2 and "axes" not in names:
            return any(a.shape[:1] == (1,) for a in arrays)
        if node.op_type == "ConvTranspose" and {"auto_pad", "output_shape"} & set(names):
            return True
        if node.op_type == "Pow" and any(
            t.name in node.input[1:]
            and np.any((abs(v := values_of(t)) > np.float64(1e9)) | (v < 0) & (v.dtype.kind == "i"))
            for t in model.graph.initializer
        ):
            return True
        if node.op_type == "QLinearSoftmax" and any(
            t.name in node.input[3:4] and np.any((1 / values_of(t)) % 1)
            for t in model.graph.initializer
        ):
            return True
        if getattr(names.get("opset"), "i", 0) > 2**31:  # which the oracle cuts to 32 bits
            return True
        if node.op_type == "Celu" and abs(getattr(names.get("alpha"), "f", 1.0)) > 100:
            return True
        if "auto_pad" in names and max(getattr(names.get("strides"), "ints", []), default=1) > 2:
            return True
    return False


# Steps, poles, places of extremes and NaN that comes and goes: rounding before them may change all
# that follows.
DELICATE = {
    *("Sign", "Floor", "Ceil", "Round", "Cast", "Div", "Reciprocal", "Log", "Pow", "Sqrt", "Mod"),
    *("LayerNormalization", "InstanceNormalization", "GroupNormalization", "BatchNormalization"),
    *("ReduceL2", "LogSoftmax", "Sin", "Cos", "Exp", "ReduceProd", "Tan"),
    *("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "ArgMax", "ArgMin", "TopK"),
}


def is_delicate(data: bytes) -> bool:
    """Return whether small errors of one operator may become large ones of another.

    Or whether weights are not finite, so that zeros that are added or left out make a difference,
    or scales so small that the oracle's conversions to integers overflow, where here they end at
    the nearest byte.
    """
    graph = onnx.load_from_string(data).graph
    for tensor in graph.initializer:
        array = values_of(tensor)
        with np.errstate(all="ignore"):
            if array.dtype.kind == "f" and not np.all(np.abs(array) < 1e15):
                return True
            if "scale" in tensor.name and np.any(np.abs(array) < 1e-6):
                return True
    return len(graph.node) > 1 and any(node.op_type in DELICATE for node in graph.node)
