"""Runners of other libraries for layers in int8, on the same weights, scales and zero points.

x is uint8 to onnxruntime and OpenVINO, as they like it best: the same values, 128 higher. Where
they add pairs of products in int16 that saturate, their results differ, and the report marks them.
onnxruntime's exact switch makes weights uint8 too, which it adds in int32, but only those of ONNX's
own QLinearConv, not of the NHWC one: here they are written so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import dwsep

from .cases import Case
from .common import STAGES, case_arguments
from .peer_runners import Convolution, litert, openvino
from .tflite_layers import operator, writer

__all__ = ["EXACT", "INT8_PEERS", "Int8Chain", "inexact"]

Runner = Callable[[], Any]
# Those whose results have to be the same, every bit.
EXACT = frozenset({"onnxruntime", "litert"})


def inexact() -> list[str]:
    """Return who adds pairs of products in int16, which saturate, on this processor.

    That outputs agree says nothing: not all values saturate. Depthwise convolutions are exact.
    """
    exact = {"vnni", "avxvnni"} & set(dwsep.cpu_info()["features"]["detected"])
    return [] if exact else ["onnxruntime-fast", "openvino"]


class Scaled(NamedTuple):
    """A convolution of integers; scales and zero points are int8's."""

    convolution: Convolution  # weights OIHW int8, bias int32
    x: Any  # quantizations
    w: Any
    y: Any


class Int8Chain(NamedTuple):
    """A layer as its convolutions."""

    x: np.ndarray  # NHWC
    stages: list[Scaled]

    @classmethod
    def of_case(cls, case: Case) -> Int8Chain:
        """Take a case in int8."""
        a = case_arguments(case)
        stages, q = [], a["x_quantization"]
        for prefix in STAGES.get(case.kind, ("",)):
            w, qw = a[f"{prefix}weight"], a[f"{prefix}weight_quantization"]
            depthwise = prefix == "depthwise_" or case.kind == "depthwise"
            windows = depthwise or case.kind == "standard"
            channels, times = w.shape[-2:]
            if depthwise:
                w = w.reshape(*w.shape[:2], 1, channels * times)
            oihw = np.ascontiguousarray(
                w.reshape((1, 1) * (w.ndim == 2) + w.shape).transpose(3, 2, 0, 1)
            )
            y = a[f"{prefix}quantization"]
            one = Convolution(
                *(oihw, a[f"{prefix}bias"], case.strides if windows else (1, 1)),
                *(channels if depthwise else case.groups, None),
                case.dilations if windows else (1, 1),
            )
            stages.append(Scaled(one, q, qw, y))
            q = y
        return cls(a["x"], stages)


def _unsigned(q: Any) -> tuple[np.float32, np.uint8]:
    return np.float32(q.scale), np.uint8(q.zero_point + 128)


def _onnx(chain: Int8Chain, fused: bool, unsigned: bool = False) -> bytes:
    """Write a model: QLinearConv on NHWC, or convolutions between dequantize and quantize steps.

    With `unsigned` weights are uint8, 128 higher, but those of one output a group.
    """
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []
    constants: dict[str, np.ndarray] = {}

    def scaled(name: str, q: Any) -> list[str]:
        constants[f"{name}s"], constants[f"{name}z"] = map(np.asarray, _unsigned(q))
        return [f"{name}s", f"{name}z"]

    value, shape = "x", chain.x.shape[1:3]
    last = scaled("x", chain.stages[0].x)
    for i, (c, qx, qw, qy) in enumerate(chain.stages):
        options, shape = c.onnx_attributes(shape), c.output(shape)
        constants |= {f"w{i}": c.w, f"b{i}": c.bias, f"ws{i}": np.float32(qw.scale)}
        constants[f"wz{i}"] = np.zeros(len(qw.scale), np.int8)
        for name in (f"w{i}", f"wz{i}") if unsigned and len(c.w) > c.groups else ():
            constants[name] = constants[name].view(np.uint8) ^ np.uint8(0x80)
        weights = [f"w{i}", f"ws{i}", f"wz{i}"]
        ends, result = scaled(f"y{i}", qy), f"y{i}"
        if fused:
            inputs = [value, *last, *weights, *ends, f"b{i}"]
            more = {"channels_last": 1, "domain": "com.microsoft"}
            nodes.append(helper.make_node("QLinearConv", inputs, [result], **options, **more))
        else:
            constants[f"bs{i}"] = np.float32(qx.scale) * constants[f"ws{i}"]
            real = [(value, last, f"rx{i}", 1), (f"w{i}", weights[1:], f"rw{i}", 0)]
            real.append((f"b{i}", [f"bs{i}"], f"rb{i}", 0))
            for name, by, to, axis in real:
                node = helper.make_node("DequantizeLinear", [name, *by], [to], axis=axis)
                nodes.append(node)
            inputs = [to for _, _, to, _ in real]
            nodes.append(helper.make_node("Conv", inputs, [f"r{i}"], **options))
            nodes.append(helper.make_node("QuantizeLinear", [f"r{i}", *ends], [result]))
        value, last = result, ends
    sizes = chain.x.shape if fused else tuple(chain.x.shape[i] for i in (0, 3, 1, 2))
    graph = helper.make_graph(
        nodes,
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, sizes)],
        [helper.make_tensor_value_info(value, TensorProto.UINT8, None)],
        [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()],
    )
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("com.microsoft", 1)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())


def _signed(y: np.ndarray) -> np.ndarray:
    return (y ^ np.uint8(0x80)).view(np.int8)


def _onnxruntime(chain: Int8Chain, threads: int, exact: bool) -> tuple[Runner, Runner]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        _onnx(chain, True, exact and bool(inexact())), options, providers=["CPUExecutionProvider"]
    )
    x = {"x": chain.x.view(np.uint8) ^ np.uint8(0x80)}

    def run() -> Any:
        return session.run(None, x)[0]

    return run, lambda: _signed(run())


def _openvino(chain: Int8Chain, threads: int) -> tuple[Runner, Runner]:
    nchw = np.ascontiguousarray((chain.x.view(np.uint8) ^ np.uint8(0x80)).transpose(0, 3, 1, 2))
    run = openvino(_onnx(chain, False), nchw, threads)
    return run, lambda: _signed(run().transpose(0, 2, 3, 1))


def _tflite(chain: Int8Chain) -> bytes:
    w = writer()
    value, shape = "x", chain.x.shape
    first = chain.stages[0].x
    tensors = [w.tensor("x", shape, "int8", quantization=(first.scale, first.zero_point, 0))]
    operators = []
    for i, (c, qx, qw, qy) in enumerate(chain.stages):
        kind, weights, options = operator(c, shape[3])
        axis = 0 if kind == "CONV_2D" else 3
        zeros = np.zeros(len(qw.scale))
        steps = np.float32(qx.scale) * qw.scale
        tensors += [
            w.constant(f"w{i}", weights, quantization=(qw.scale, zeros, axis)),
            w.constant(f"b{i}", c.bias, quantization=(steps, zeros, 0)),
        ]
        shape = (shape[0], *c.output(shape[1:3]), len(c.w))
        tensors.append(w.tensor(f"y{i}", shape, "int8", quantization=(qy.scale, qy.zero_point, 0)))
        operators.append((kind, [value, f"w{i}", f"b{i}"], [f"y{i}"], options))
        value = f"y{i}"
    return bytes(w.model(tensors, operators, ["x"], [value]))


def _litert(chain: Int8Chain, threads: int) -> tuple[Runner, Runner]:
    run = litert(_tflite(chain), threads, chain.x)
    return run, run


# What is timed, and what gives the result as int8 NHWC.
INT8_PEERS: dict[str, Callable[[Int8Chain, int], tuple[Runner, Runner]]] = {
    "onnxruntime": lambda chain, threads: _onnxruntime(chain, threads, True),
    "onnxruntime-fast": lambda chain, threads: _onnxruntime(chain, threads, False),
    "openvino": _openvino,
    "litert": _litert,
}
