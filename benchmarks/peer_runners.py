"""One runner for each library: a callable that runs a layer or a network and returns NHWC arrays.

A layer is a chain of convolutions with the weights of the dwsep layer that it is compared with; a
library that is not installed raises ImportError, one that cannot do it NotImplementedError.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .cases import Case
from .common import case_arrays
from .tflite_layers import tflite_of

__all__ = ["LAYER_PEERS", "NETWORK_PEERS", "TFLITE_NAMES", "Chain", "Convolution", "versions"]

Runner = Callable[[], Any]
PACKAGES = {
    "torch": "torch",
    "onnxruntime": "onnxruntime",
    "openvino": "openvino",
    "litert": "ai-edge-litert",
}


class Convolution(NamedTuple):
    """A convolution with weights OIHW and padding "same", TensorFlow's."""

    w: np.ndarray
    bias: np.ndarray
    stride: tuple[int, int]
    groups: int
    activation: str | None
    dilation: tuple[int, int] = (1, 1)

    def pads(self, shape: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the padding before and after rows and columns of an image."""
        sides = []
        for size, step, taps, gap in zip(
            shape, self.stride, self.w.shape[2:], self.dilation, strict=True
        ):
            total = max((-(-size // step) - 1) * step + (taps - 1) * gap + 1 - size, 0)
            sides.append((total // 2, total - total // 2))
        return sides[0], sides[1]

    def output(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the rows and columns of the output for an image."""
        return tuple(-(-n // s) for n, s in zip(shape, self.stride, strict=True))

    def onnx_attributes(self, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return the attributes of ONNX's Conv for an image."""
        (top, bottom), (left, right) = self.pads(shape)
        return {
            "kernel_shape": self.w.shape[2:],
            "strides": self.stride,
            "dilations": self.dilation,
            "pads": [top, left, bottom, right],
            "group": self.groups,
        }


class Chain(NamedTuple):
    """A layer as its convolutions; `residual`: the input is added at the end."""

    x: np.ndarray  # NHWC
    convolutions: list[Convolution]
    residual: bool

    @classmethod
    def of(cls, case: Any, layer: Any, call: dict[str, Any]) -> Chain:
        """Take a case of dwsep.cli and what dwsep.cli made of it."""
        a = layer.arguments
        act = None if case.activation == "none" else case.activation
        convolutions = []

        def pointwise(w: str, bias: str, activation: str | None) -> None:
            matrix = np.ascontiguousarray(a[w].reshape(a[w].shape[-2:]).T)[:, :, None, None]
            convolutions.append(Convolution(matrix, a[bias], (1, 1), 1, activation))

        def depthwise(w: str, bias: str) -> None:
            taps = np.ascontiguousarray(a[w].transpose(2, 3, 0, 1))
            stride = (case.stride, case.stride)
            convolutions.append(Convolution(taps, a[bias], stride, len(taps), act))

        if case.kind == "inverted residual":
            pointwise("expand_weight", "expand_bias", act)
            depthwise("depthwise_weight", "depthwise_bias")
            pointwise("weight", "bias", None)
        elif case.kind == "separable":
            depthwise("depthwise_weight", "depthwise_bias")
            pointwise("weight", "bias", act)
        elif case.kind == "depthwise":
            depthwise("weight", "bias")
        else:
            pointwise("weight", "bias", act)
        return cls(call["x"], convolutions, "residual" in call)

    @classmethod
    def of_case(cls, case: Case) -> Chain:
        """Take a case of one convolution, with the arrays that the benchmarks give it."""
        arrays = case_arrays(case)
        w = arrays["weight"]
        if case.kind == "depthwise":
            kh, kw, c, times = w.shape
            groups, oihw = c, w.reshape(kh, kw, 1, c * times)
        else:
            groups, oihw = case.groups, w
        act = None if case.activation == "none" else case.activation
        one = Convolution(
            *(np.ascontiguousarray(oihw.transpose(3, 2, 0, 1)), arrays["bias"], case.strides),
            *(groups, act, case.dilations),
        )
        return cls(arrays["x"], [one], False)

    @property
    def nchw(self) -> np.ndarray:
        """The input as the peers want it."""
        return np.ascontiguousarray(self.x.transpose(0, 3, 1, 2))


def versions() -> dict[str, str]:
    """Return the versions of the peers that are installed."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name, package in PACKAGES.items():
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _torch_layer(chain: Chain, threads: int, folder: Path | None) -> Runner:
    import torch
    import torch.nn.functional as f

    torch.set_num_threads(threads)
    functions = {None: lambda y: y, "relu": f.relu, "relu6": f.relu6, "silu": f.silu}
    x = torch.from_numpy(chain.x).permute(0, 3, 1, 2)
    layers = []
    for c in chain.convolutions:
        w = torch.from_numpy(c.w.copy()).contiguous(memory_format=torch.channels_last)
        layers.append((c, w, torch.from_numpy(c.bias.copy())))

    @torch.inference_mode()
    def run() -> np.ndarray:
        y = x
        for c, w, bias in layers:
            (top, bottom), (left, right) = c.pads(y.shape[2:])
            pad = (top, left)
            if (top, left) != (bottom, right):
                y, pad = f.pad(y, (left, right, top, bottom)), (0, 0)
            y = f.conv2d(y, w, bias, c.stride, pad, c.dilation, c.groups)
            y = functions[c.activation](y)
        return (y + x if chain.residual else y).permute(0, 2, 3, 1).numpy()

    return run


def _onnx(chain: Chain) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    nodes, value, shape = [], "x", chain.x.shape[1:3]
    weights = [
        numpy_helper.from_array(np.float32(0), "lo"),
        numpy_helper.from_array(np.float32(6), "hi"),
    ]
    for i, c in enumerate(chain.convolutions):
        weights += [
            numpy_helper.from_array(np.ascontiguousarray(c.w), f"w{i}"),
            numpy_helper.from_array(np.ascontiguousarray(c.bias), f"b{i}"),
        ]
        options, shape = c.onnx_attributes(shape), c.output(shape)
        inputs = [value, f"w{i}", f"b{i}"]
        nodes.append(helper.make_node("Conv", inputs, [f"y{i}"], **options))
        value = f"y{i}"
        if c.activation == "silu":
            nodes.append(helper.make_node("Sigmoid", [value], [f"s{i}"]))
            nodes.append(helper.make_node("Mul", [value, f"s{i}"], [f"a{i}"]))
        elif c.activation is not None:
            bounds = ["lo", "hi"] if c.activation == "relu6" else ["lo"]
            nodes.append(helper.make_node("Clip", [value, *bounds], [f"a{i}"]))
        value = value if c.activation is None else f"a{i}"
    if chain.residual:
        nodes.append(helper.make_node("Add", [value, "x"], ["sum"]))
        value = "sum"
    n, h, w, c_in = chain.x.shape
    ends = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [n, c_in, h, w]),
        helper.make_tensor_value_info(value, TensorProto.FLOAT, None),
    ]
    graph = helper.make_graph(nodes, "layer", ends[:1], ends[1:], weights)
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()


def _onnxruntime(model: bytes, x: np.ndarray, threads: int) -> Runner:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda: session.run(None, {name: x})[0]


def openvino(model: bytes, x: np.ndarray, threads: int, precision: str | None = "f32") -> Runner:
    import openvino

    config = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    config |= {} if precision is None else {"INFERENCE_PRECISION_HINT": precision}
    core = openvino.Core()
    request = core.compile_model(core.read_model(model, b""), "CPU", config).create_infer_request()
    request.set_input_tensor(openvino.Tensor(x))

    def run() -> np.ndarray:
        request.infer()
        return request.get_output_tensor().data

    return run


def litert(model: Path | bytes, threads: int, x: np.ndarray | None) -> Runner:
    from ai_edge_litert.interpreter import Interpreter

    if isinstance(model, bytes):
        interpreter = Interpreter(model_content=model, num_threads=threads)
    elif not model.is_file():
        raise NotImplementedError(f"no {model.name}")
    else:
        interpreter = Interpreter(str(model), num_threads=threads)
    interpreter.allocate_tensors()
    first = interpreter.get_input_details()[0]
    last = interpreter.get_output_details()[0]["index"]
    interpreter.set_tensor(first["index"], np.ones(first["shape"], np.float32) if x is None else x)

    def run() -> object:
        interpreter.invoke()
        return interpreter.tensor(last)()

    return run


def _nhwc(run: Runner) -> Runner:
    return lambda: run().transpose(0, 2, 3, 1)


def _litert_layer(chain: Chain, threads: int, folder: Path | None) -> Runner:
    return litert(tflite_of(chain), threads, chain.x)


# The weights of its networks are its own, so these results are not compared.
OWN_WEIGHTS = frozenset({"litert"})

LAYER_PEERS: dict[str, Callable[[Chain, int, Path | None], Runner]] = {
    "torch": _torch_layer,
    "onnxruntime": lambda c, threads, _: _nhwc(_onnxruntime(_onnx(c), c.nchw, threads)),
    "openvino": lambda c, threads, _: _nhwc(openvino(_onnx(c), c.nchw, threads)),
    "litert": _litert_layer,
}

# Names that the writer of the .tflite files gives to the networks of dwsep.models.
TFLITE_NAMES = {
    "mobilenet_v1": "mobilenetv1",
    "mobilenet_v2": "mobilenetv2",
    "mobilenet_v3_large": "mobilenetv3l",
    "efficientnet_b0": "efficientnetb0",
    "xception": "xception",
}


def _litert_network(name: str, threads: int, folder: Path | None) -> Runner:
    if folder is None or name not in TFLITE_NAMES:
        raise NotImplementedError("needs --tflite and a file of this network")
    return litert(folder / "models" / f"{TFLITE_NAMES[name]}.tflite", threads, None)


NETWORK_PEERS: dict[str, Callable[[str, bytes, np.ndarray, int, Path | None], Runner]] = {
    "onnxruntime": lambda _, model, x, threads, __: _onnxruntime(model, x, threads),
    "openvino": lambda _, model, x, threads, __: openvino(model, x, threads),
    "litert": lambda name, _, __, threads, folder: _litert_network(name, threads, folder),
}
