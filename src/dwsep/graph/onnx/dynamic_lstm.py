"""LSTM layers whose weights are integers, as onnxruntime's dynamic quantization writes them."""

from __future__ import annotations

import numpy as np

from ...errors import InvalidModelError
from ..importing.values import Known, Value
from .call import Call
from .recurrent import recurrent
from .registry import FOREIGN, Signature, operator

_TYPE = "com.microsoft.DynamicQuantizeLSTM"
_ATTRIBUTES = {
    **{"direction": str, "hidden_size": int, "input_forget": int, "clip": float},
    **dict.fromkeys(("activations", "activation_alpha", "activation_beta"), object),
}
FOREIGN.enter(_TYPE, Signature(12, 12, _ATTRIBUTES, outputs=3))


@operator(_TYPE)
def dynamic_lstm(call: Call) -> list[Value | None]:
    """Import the layer that computes in float32: its inputs and states are not rounded to bytes."""
    if not all(isinstance(name, str) for name in call.attribute("activations", [])):
        raise InvalidModelError("activations: need names")
    weights = [_transposed(call, 1, 8), _transposed(call, 2, 10)]
    inputs = [call.inputs[0], *weights, *call.inputs[3:8]]
    plain = Call(
        call.builder, call.name, "LSTM", inputs, call.outputs, call.opset, dict(call.attributes)
    )
    results: list[Value | None] = recurrent(plain)
    return results


def _transposed(call: Call, index: int, scale: int) -> Known:
    """Return weights (directions, rows, gates * units), whose scales are those of a direction."""
    array = call.known(index, "weights")
    scales, zeros = (call.known(scale + i, "scale").reshape(-1) for i in range(2))
    if array.dtype.kind not in "iu":
        raise InvalidModelError(f"its weights are {array.dtype}")
    if array.ndim != 3 or scales.size not in (1, array.shape[0], array.shape[0] * array.shape[2]):
        raise InvalidModelError(f"{scales.size} scales do not fit weights {array.shape}")
    if zeros.size not in (1, scales.size):
        raise InvalidModelError(f"{zeros.size} zero points do not fit {scales.size} scales")
    call.builder.charge(array.shape)
    along = (array.shape[0], 1, -1)
    factors, zero = (row.reshape(along if row.size > 1 else (1,)) for row in (scales, zeros))
    values = (array.astype(np.int64) - zero.astype(np.int64)).astype(np.float32)
    return Known(np.ascontiguousarray((values * factors.astype(np.float32)).transpose(0, 2, 1)))
