# cython: language_level=3, freethreading_compatible=True
"""Layers and networks for Cython: see cython_api.pxd, docs/embedding.md and examples/cython."""

from cpython.pycapsule cimport PyCapsule_GetPointer

from . import _core

cdef const dwsep_api* _api = <const dwsep_api*>PyCapsule_GetPointer(
    _core._C_API, "dwsep._core._C_API"
)


cdef const dwsep_api* get_api(uint32_t abi, size_t size) except NULL:
    if abi != _api.abi or size > _api.size:
        raise ImportError(
            f"dwsep: need version {abi} of the C interface, {size} bytes, "
            f"got version {_api.abi}, {_api.size} bytes"
        )
    return _api


cdef const dwsep_layer* handle(object layer) except NULL:
    return <const dwsep_layer*>PyCapsule_GetPointer(_core.layer_handle(layer), "dwsep_layer")


cdef const dwsep_network* network_handle(object model) except NULL:
    from .model import Model

    if not isinstance(model, Model):
        raise TypeError(f"model: need a dwsep.Model, got {type(model).__name__}")
    capsule = _core.network_handle(model._network)
    return <const dwsep_network*>PyCapsule_GetPointer(capsule, "dwsep_network")


cdef int check(dwsep_status status, const char* message) except -1:
    if status == DWSEP_OK:
        return 0
    text = message.decode("utf-8", "replace")
    if status == DWSEP_INVALID_ARGUMENT:
        raise ValueError(text)
    if status == DWSEP_OUT_OF_MEMORY:
        raise MemoryError(text)
    raise RuntimeError(text)
