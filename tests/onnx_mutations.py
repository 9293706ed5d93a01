"""Damages ONNX models: bytes anywhere, or fields that protobuf still accepts.

As a program it tries many more models than the tests do:
`python tests/onnx_mutations.py --count 20000 --seed 1`.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import time
from collections import Counter

import numpy as np
import onnx
from onnx_case import model_of
from onnx_cases import CASES
from onnx_quantized_cases import CASES as QUANTIZED

from dwsep.errors import InvalidModelError, UnsupportedOperatorError
from dwsep.graph.ir import TensorType
from dwsep.graph.onnx import import_onnx
from dwsep.graph.onnx.folding import FOLDED
from dwsep.graph.onnx.registry import IMPORTERS
from dwsep.graph.ops import infer

OPERATORS = sorted({*IMPORTERS, *FOLDED})
INTEGERS = [0, 1, -1, 2, 3, -2, 1000, 2**16, 2**31 - 1, 2**31, 2**40, 2**62, 2**63 - 1, -(2**63)]
FLOATS = [0.0, -1.0, 0.5, 1e-40, 1e30, float("inf"), float("-inf"), float("nan")]
STRINGS = [b"", b"SAME_UPPER", b"\xff", b"linear", b"cubic", b"align_corners", b"reflect"]


def seeds():
    """Return a model of every case at the newest opset that the installed onnx knows."""
    newest = onnx.defs.onnx_opset_version()
    known = [(c, [o for o in c.opsets if o <= newest]) for c in CASES]
    models = [model_of(c, o[-1], "N" if c.open_batch else None) for c, o in known if o]
    models += QUANTIZED.values()
    models += [_branches(opset) for opset in (6, min(newest, 21))]
    return [model.SerializeToString() for model in models]


def _branches(opset):
    """Return a model with an If, one branch of which holds another."""
    tensor, node = onnx.numpy_helper.from_array, onnx.helper.make_node

    def graph(nodes, inputs=(), constants=()):
        y = onnx.helper.make_empty_tensor_value_info(nodes[-1].output[0])
        return onnx.helper.make_graph(nodes, "g", inputs, [y], constants)

    inner = graph([node("Add", ["x", "c"], ["a"])], (), [tensor(np.ones((3, 2), np.float32), "c")])
    other = graph([node("Neg", ["x"], ["n"]), node("Mul", ["n", "n"], ["a"])])
    chosen = node("If", ["no"], ["b"], then_branch=other, else_branch=inner)
    outer = graph([chosen, node("Relu", ["b"], ["o"])])
    x = onnx.helper.make_tensor_value_info("x", 1, (3, 2))
    truths = [tensor(np.array(value), name) for name, value in (("yes", True), ("no", False))]
    whole = graph([node("If", ["yes"], ["y"], then_branch=outer, else_branch=other)], [x], truths)
    imports = [onnx.helper.make_opsetid("", opset)]
    return onnx.helper.make_model(whole, opset_imports=imports, ir_version=8)


def damaged(data, generator):
    """Return bytes with some changed, removed or doubled."""
    data = bytearray(data)
    for _ in range(generator.choice([1, 1, 1, 2, 8])):
        at, n = generator.randrange(len(data)), generator.randrange(1, 9)
        kind = generator.randrange(4)
        if kind == 0:
            data[at] = generator.randrange(256)
        elif kind == 1:
            data[at] ^= 1 << generator.randrange(8)
        elif kind == 2:
            data[at:at] = data[at : at + n]
        elif len(data) > n:
            del data[at : at + n]
    return bytes(data)


def rewritten(data, generator):
    """Return a model with some fields replaced by what nobody writes."""
    model = onnx.ModelProto()
    model.ParseFromString(data)
    for _ in range(generator.choice([1, 1, 2, 3])):
        generator.choice(REWRITES)(model, generator)
    return model.SerializeToString()


def _attribute(model, generator):
    attributes = generator.choice(model.graph.node).attribute
    if not attributes:
        return
    attribute = generator.choice(attributes)
    if attribute.ints:
        attribute.ints[generator.randrange(len(attribute.ints))] = generator.choice(INTEGERS)
    elif attribute.type == onnx.AttributeProto.INT:
        attribute.i = generator.choice(INTEGERS)
    elif attribute.type == onnx.AttributeProto.FLOAT:
        attribute.f = generator.choice(FLOATS)
    elif attribute.type == onnx.AttributeProto.STRING:
        attribute.s = generator.choice(STRINGS)


def _attribute_type(model, generator):
    for attribute in generator.choice(model.graph.node).attribute:
        attribute.type = generator.randrange(15)


def _extra_attribute(model, generator):
    names = ["axis", "axes", "pads", "group", "strides", "value", "perm", "to", "mode", "keepdims"]
    values = [3, -1, [1, 2], 0.5, "x", [1.0]]
    made = onnx.helper.make_attribute(generator.choice(names), generator.choice(values))
    generator.choice(model.graph.node).attribute.append(made)


def _operator(model, generator):
    generator.choice(model.graph.node).op_type = generator.choice(OPERATORS)


def _inputs(model, generator):
    node = generator.choice(model.graph.node)
    names = [*node.input, *node.output, ""]
    kind = generator.randrange(3)
    if kind == 0 or not node.input:
        node.input.append(generator.choice(names))
    elif kind == 1:
        node.input[generator.randrange(len(node.input))] = generator.choice(names)
    else:
        del node.input[generator.randrange(len(node.input))]


def _outputs(model, generator):
    generator.choice(model.graph.node).output.append(generator.choice(["", "q", "y0"]))


def _input_shape(model, generator):
    if model.graph.input:
        dims = generator.choice(model.graph.input).type.tensor_type.shape.dim
        if dims:
            generator.choice(dims).dim_value = generator.choice(INTEGERS)


def _constant(model, generator):
    if not model.graph.initializer:
        return
    tensor = generator.choice(model.graph.initializer)
    kind = generator.randrange(3)
    if kind == 0 and tensor.dims:
        tensor.dims[generator.randrange(len(tensor.dims))] = generator.choice(INTEGERS)
    elif kind == 1:
        tensor.data_type = generator.choice([1, 2, 3, 6, 7, 8, 9, 10, 11, 16, 99])
    elif tensor.raw_data and tensor.data_type in (1, 7):
        dtype, values = ("<f4", FLOATS) if tensor.data_type == 1 else ("<i8", INTEGERS)
        if len(tensor.raw_data) % np.dtype(dtype).itemsize == 0:
            array = np.frombuffer(tensor.raw_data, dtype).copy()
            array[generator.randrange(array.size)] = generator.choice(values)
            tensor.raw_data = array.tobytes()


def _near(number, generator):
    return number + generator.choice([-1, 1, 1, 2, -2 * number])


def _near_attribute(model, generator):
    """Change a number a little, so that the model may well stay sound."""
    attributes = generator.choice(model.graph.node).attribute
    if not attributes:
        return
    attribute = generator.choice(attributes)
    if attribute.ints:
        at = generator.randrange(len(attribute.ints))
        attribute.ints[at] = max(-(2**63), min(2**63 - 1, _near(attribute.ints[at], generator)))
    elif attribute.type == onnx.AttributeProto.INT:
        attribute.i = max(-(2**63), min(2**63 - 1, _near(attribute.i, generator)))
    elif attribute.type == onnx.AttributeProto.FLOAT:
        attribute.f += generator.choice([-0.5, 0.25, 1.0])


def _small_shape(model, generator):
    dims = [d for i in model.graph.input for d in i.type.tensor_type.shape.dim]
    if dims:
        generator.choice(dims).dim_value = generator.randrange(1, 13)


def _wiring(model, generator):
    """Let a node read another value, or an output be one."""
    nodes = model.graph.node
    known = [*(i.name for i in model.graph.input), *(o for n in nodes for o in n.output)]
    node = generator.choice(nodes)
    if node.input and generator.randrange(4):
        node.input[generator.randrange(len(node.input))] = generator.choice(known)
    elif model.graph.output:
        generator.choice(model.graph.output).name = generator.choice(known)


def _names(model, generator):
    """Give a value another name, everywhere."""
    graph = model.graph
    values = [v for v in (*graph.input, *graph.initializer, *graph.output) if v.name]
    if not values:
        return
    old = generator.choice(values).name
    new = generator.choice(["", "x0", "y0", "\u00fc\u7f51", "a/b:0", "a\0b", " ", "\U0010ffff"])
    for value in (*graph.input, *graph.initializer, *graph.output):
        value.name = new if value.name == old else value.name
    for node in graph.node:
        for names in (node.input, node.output):
            for number, name in enumerate(names):
                names[number] = new if name == old else name


def _converted(model, generator):
    """Store a constant with another type, or as a list of numbers instead of bytes."""
    if not model.graph.initializer:
        return
    tensor = generator.choice(model.graph.initializer)
    with contextlib.suppress(Exception), np.errstate(all="ignore"):
        array = onnx.numpy_helper.to_array(tensor)
        if generator.randrange(2):
            array = array.astype(generator.choice(["f2", "f8", "i4", "i8", "?", "u1", "f4"]))
        if generator.randrange(2):
            kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
            made = onnx.helper.make_tensor(tensor.name, kind, array.shape, array.ravel())
        else:
            made = onnx.numpy_helper.from_array(array, tensor.name)
        tensor.CopyFrom(made)


def _opset(model, generator):
    model.opset_import[0].version = generator.choice([0, *range(7, 29), 99])


REWRITES = [
    _attribute,
    _attribute_type,
    _extra_attribute,
    _operator,
    _inputs,
    _outputs,
    _input_shape,
    _constant,
    _opset,
    _near_attribute,
    _near_attribute,
    _small_shape,
    _wiring,
    _names,
    _converted,
]


def outcome(data):
    """Import a model and return what came of it; a graph must be sound, an error one of ours."""
    try:
        graph = import_onnx(data)
    except (InvalidModelError, UnsupportedOperatorError) as error:
        return type(error).__name__
    known = {*graph.inputs, *graph.constants}
    for node in graph.nodes:
        assert known.issuperset(node.inputs)
        assert node.output not in known
        known.add(node.output)
        types = [graph.types[name] for name in node.inputs]
        assert infer(node, types) == graph.types[node.output]
        for name, weights in node.weights.items():
            wanted = np.int32 if name.endswith("zero_point") else np.float32
            assert weights.dtype == wanted
            assert weights.flags.c_contiguous
    assert known.issuperset(graph.outputs)
    assert all(TensorType.of(c) == graph.types[k] for k, c in graph.constants.items())
    return "graph"


def trials(count, seed):
    """Yield damaged models, half of them by each way."""
    generator = random.Random(seed)
    models = seeds()
    for number in range(count):
        yield (damaged, rewritten)[number % 2](generator.choice(models), generator)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    for data in trials(arguments.count, arguments.seed):
        began = time.perf_counter()
        outcomes[outcome(data)] += 1
        slowest = max(slowest, time.perf_counter() - began)
    print(dict(outcomes), f"slowest {slowest:.3f} s")


if __name__ == "__main__":
    main()
