"""Arrays of other libraries, read where they lie.

Two protocols hand memory over without a copy: DLPack, which PyTorch, JAX, TensorFlow and CuPy
speak, and `__array_interface__`. Nothing is converted here: what lies on another device or needs a
copy is refused by name, and another type is refused by who takes the array.
"""

from __future__ import annotations

import numpy as np

_CPU = 1  # of DLPack's kinds of device
_FAILURES = (AttributeError, BufferError, RuntimeError, TypeError, ValueError)


def as_array(value: object, name: str) -> object:
    """Return a view of another library's array, and anything else as it is."""
    kind = type(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return value
    if hasattr(kind, "__dlpack__") and hasattr(kind, "__dlpack_device__"):
        try:
            device = tuple(value.__dlpack_device__())  # type: ignore[attr-defined]
        except _FAILURES as error:
            raise _refusal(value, name, f": {error}") from error
        if device[:1] != (_CPU,):
            raise _refusal(value, name, f" on DLPack's device {device}, not the CPU")
        read = np.from_dlpack
    elif hasattr(value, "__array_interface__"):
        read = np.asarray
    else:
        return value
    try:
        return read(value)  # type: ignore[arg-type]
    except _FAILURES as error:
        raise _refusal(value, name, f": {error}") from error


def _refusal(value: object, name: str, what: str) -> TypeError:
    kind = type(value)
    return TypeError(
        f"{name}: need a numpy.ndarray of native float32, "
        f"got {kind.__module__}.{kind.__qualname__}{what}"
    )
