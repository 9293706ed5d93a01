"""Makes weights of quantized ONNX operators unsigned, so that onnxruntime is exact on every CPU.

Without VNNI it adds pairs of products of uint8 and int8 in int16, which saturates, but those of
uint8 and uint8 in int32. Its own switch for this is an optimization, which oracles do without.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import dwsep

# Of each operator, which inputs are the zero point of x, the weights and their zero point.
PLACES = {name: (2, 3, 5) for name in ("QLinearConv", "QLinearMatMul", "QGemm")}
PLACES |= {name: (2, 1, 3) for name in ("MatMulInteger", "ConvInteger")}
SATURATES = not {"vnni", "avxvnni"} & set(dwsep.cpu_info()["features"]["detected"])


def with_unsigned_weights(model):
    """Return the model with int8 weights 128 higher, as uint8, where x is uint8."""
    made = type(model)()
    made.CopyFrom(model)
    graph = made.graph
    constants = {c.name: numpy_helper.to_array(c) for c in graph.initializer}
    types = {i.name: i.type.tensor_type.elem_type for i in graph.input}
    types |= {name: helper.np_dtype_to_tensor_dtype(c.dtype) for name, c in constants.items()}

    def constant(name, value):
        graph.initializer.append(numpy_helper.from_array(value, name))
        return name

    nodes = []
    for i, node in enumerate(graph.node):
        if node.op_type in PLACES:
            x_zero, weights, zero = PLACES[node.op_type]
            read = [*node.input, *[""] * (zero + 1 - len(node.input))]
            of_x = types.get(read[x_zero] or read[0], TensorProto.UINT8)
            if types.get(read[weights]) == TensorProto.INT8 and of_x == TensorProto.UINT8:
                old = constants[read[zero]] if read[zero] else np.int8(0)
                wide = [f"{i} as int32", f"{i} higher", f"{i} unsigned"]
                by = constant(f"{i} 128", np.int32(128))
                nodes += [
                    helper.make_node("Cast", [read[weights]], wide[:1], to=TensorProto.INT32),
                    helper.make_node("Add", [wide[0], by], wide[1:2]),
                    helper.make_node("Cast", [wide[1]], wide[2:], to=TensorProto.UINT8),
                ]
                read[weights] = wide[2]
                read[zero] = constant(f"{i} zero", np.asarray(old).view(np.uint8) ^ np.uint8(128))
                del node.input[:]
                node.input.extend(read)
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    return made
