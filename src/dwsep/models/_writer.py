"""Writes the nodes and weights of an ONNX graph."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .._version import __version__

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray

OPSET = 17
IR_VERSION = 8
LARGEST_BYTES = 2**31 - 2**20  # protobuf refuses messages of 2 GB; 1 MB is for all but the weights


class Writer:
    """An ONNX graph under construction, with random weights."""

    def __init__(self, seed: int) -> None:
        self._onnx = import_onnx()
        self._rng = np.random.default_rng(seed)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._bytes = 0

    def node(self, op: str, *inputs: str, outputs: int = 1, **attributes: Any) -> list[str]:
        """Append a node and return the names of its outputs; the first is the node's own name."""
        name = f"{op}_{len(self._nodes)}"
        names = [name, *(f"{name}.{i}" for i in range(1, outputs))]
        self._nodes.append(
            self._onnx.helper.make_node(op, list(inputs), names, name=name, **attributes)
        )
        return names

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """Store an array under a name that says which node is next, and return that name."""
        return self._store(f"layer_{len(self._nodes)}.{name}", values)

    def scalar(self, value: float) -> str:
        """Store a number, once for the whole network."""
        return self._store(f"scalar.{value}", np.array(value, np.float32))

    def weight(self, name: str, shape: tuple[int, ...], scale: float, mean: float = 0) -> str:
        """Store normal numbers with standard deviation `scale`."""
        self._bytes += 4 * math.prod(shape)
        if self._bytes > LARGEST_BYTES:
            raise ValueError(
                f"alpha, classes: need a network of at most {LARGEST_BYTES} bytes, "
                f"which is what an ONNX file holds, got one of more than {self._bytes}"
            )
        values = self._rng.standard_normal(shape, dtype=np.float32)
        values *= np.float32(scale)
        values += np.float32(mean)
        return self.constant(name, values)

    def uniform(self, name: str, channels: int, low: float, high: float) -> str:
        """Store one number between `low` and `high` for each channel."""
        return self.constant(name, self._rng.uniform(low, high, channels).astype(np.float32))

    def finish(self, name: str, resolution: int, classes: int) -> onnx.ModelProto:
        """Return the network, the last node's output being its own."""
        helper, float32 = self._onnx.helper, self._onnx.TensorProto.FLOAT
        self._nodes[-1].output[0] = "logits"
        image = ["N", 3, resolution, resolution]
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info("input", float32, image)],
            [helper.make_tensor_value_info("logits", float32, ["N", classes])],
            [*self._constants.values()],
        )
        model: onnx.ModelProto = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="dwsep",
            producer_version=__version__,
        )
        return model

    def _store(self, name: str, values: NDArray[Any]) -> str:
        if name not in self._constants:
            self._constants[name] = self._onnx.numpy_helper.from_array(values, name)
        return name


def import_onnx() -> Any:
    """Return the package onnx, or say how to get it."""
    try:
        import onnx
        import onnx.helper
        import onnx.numpy_helper
        import onnx.shape_inference
    except ImportError as error:
        raise ImportError(
            "dwsep.models needs the package onnx: pip install 'dwsep[onnx]'", name="onnx"
        ) from error
    return onnx
