"""Whole networks of int8, as onnxruntime and TensorFlow quantize them, and who runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from .bench_networks import image
from .peer_runners import TFLITE_NAMES, litert, openvino

__all__ = ["INT8_NETWORKS", "Contest", "contests"]

Runner = Callable[[], Any]
# Xception at 299 takes a minute to quantize.
INT8_NETWORKS = ("mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0", "mnasnet")


class Contest(NamedTuple):
    """One file and those that run it; of each peer what makes its runner."""

    name: str
    flops: float
    mine: Runner
    own_float32: Runner
    peers: dict[str, Callable[[], Runner]]


def quantized_by_onnxruntime(graph: Any, x: np.ndarray) -> bytes:
    """Quantize a network: QDQ, uint8, weights of int8 with a scale for each channel."""
    import onnx
    from onnxruntime import quantization
    from onnxruntime.quantization import shape_inference

    class Images(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self.images = iter([{graph.graph.input[0].name: x}])

        def get_next(self) -> Any:
            return next(self.images, None)

    with TemporaryDirectory() as folder:
        plain, prepared, made = (str(Path(folder, f"{n}.onnx")) for n in ("plain", "fused", "int8"))
        onnx.save(graph, plain)
        shape_inference.quant_pre_process(plain, prepared, skip_symbolic_shape=True)
        quantization.quantize_static(
            *(prepared, made, Images()),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )
        return Path(made).read_bytes()


def _onnxruntime(model: bytes, x: np.ndarray, threads: int, exact: bool) -> Runner:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.x64quantprecision", str(int(exact)))
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda: session.run(None, {name: x})[0]


def contests(name: str, threads: int, folder: Path | None) -> Iterator[Contest]:
    """Yield a network as onnxruntime quantizes it, and TensorFlow's own where there is a file."""
    import dwsep

    graph, x = getattr(dwsep.models, name)(), image(name)
    model = quantized_by_onnxruntime(graph, x)
    real, own = dwsep.load(graph), dwsep.load(model)
    flops = sum(row.step.flops for row in real.profile(x, rounds=1).rows)
    yield Contest(
        name,
        flops,
        lambda: own(x, num_threads=threads),
        lambda: real(x, num_threads=threads),
        {
            "onnxruntime": lambda: _onnxruntime(model, x, threads, True),
            "onnxruntime-fast": lambda: _onnxruntime(model, x, threads, False),
            "openvino": lambda: openvino(model, x, threads, None),
        },
    )
    if folder is None or name not in TFLITE_NAMES:
        return
    path = folder / "models" / f"{TFLITE_NAMES[name]}_int8.tflite"
    if not path.is_file():
        return
    keras = dwsep.load(path)
    shape = [size or 1 for size in keras.inputs[0].shape]
    bytes_ = np.random.default_rng(0).integers(-128, 128, shape).astype(np.int8)
    yield Contest(
        f"{name}, Keras's",
        flops,
        lambda: keras(bytes_, num_threads=threads),
        lambda: real(x, num_threads=threads),
        {"litert": lambda: litert(path, threads, bytes_)},
    )
