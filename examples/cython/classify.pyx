# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
"""Runs a network of dwsep on many images in a Cython loop without the GIL; built by `setup.py`."""

import os

import numpy as np

from cython.parallel cimport prange
from libc.stdint cimport int8_t, uint8_t
from dwsep.cython_api cimport (
    DWSEP_C_ABI,
    DWSEP_FLOAT32,
    DWSEP_INT8,
    DWSEP_OK,
    DWSEP_UINT8,
    check,
    dwsep_api,
    dwsep_array,
    dwsep_const_array,
    dwsep_network,
    dwsep_sizes,
    dwsep_status,
    dwsep_value,
    get_api,
    network_handle,
)

cdef const dwsep_api* api = get_api(DWSEP_C_ABI, sizeof(dwsep_api))


ctypedef fused element:
    float
    int8_t
    uint8_t


cdef dwsep_status run_one(
    const dwsep_network* network, const void* x, void* y, dwsep_sizes shape, const dwsep_value* out, int dtype
) noexcept nogil:
    """Run a network on one image, on the calling thread."""
    cdef dwsep_const_array source
    cdef dwsep_array target
    source.data, source.shape = x, shape
    source.dtype, source.quantization = dtype, NULL
    target.data, target.shape = y, out.shape
    target.dtype, target.quantization = out.dtype, NULL
    return api.run_network(network, &source, 1, &target, 1, 1, NULL, 0)


cdef class Classifier:
    """A network of one input and one output, from a .dwsep file, loaded without Python."""

    cdef dwsep_network* network

    def __cinit__(self, path):
        cdef char[256] message
        name = os.fsencode(path)
        check(api.load_network(name, &self.network, message, sizeof(message)), message)

    def __dealloc__(self):
        api.delete_network(self.network)

    @property
    def input_name(self):
        cdef char[256] message
        cdef dwsep_value value
        check(api.describe_input(self.network, 0, &value, message, sizeof(message)), message)
        return value.name.decode()

    def __call__(self, images):
        """Return the output for each of the images, (N, ...), each computed by a thread of OpenMP's."""
        return run_any(self.network, images)


def each_image(model, images):
    """Call a dwsep.Model on images in parallel."""
    return run_any(network_handle(model), images)


cdef run_any(const dwsep_network* network, images):
    """Run a network on images of any type that networks for pictures have."""
    if images.dtype == np.int8:
        return run_all[int8_t](network, images)
    if images.dtype == np.uint8:
        return run_all[uint8_t](network, images)
    return run_all[float](network, images)


cdef run_all(const dwsep_network* network, const element[:, :, :, ::1] images):
    cdef char[256] message
    cdef dwsep_sizes shape
    cdef dwsep_value out
    cdef int dtype = DWSEP_FLOAT32 if element is float else DWSEP_INT8 if element is int8_t else DWSEP_UINT8
    cdef Py_ssize_t i, count = images.shape[0], failed = 0
    shape.axes = 4
    shape.sizes = [1, images.shape[1], images.shape[2], images.shape[3], 0, 0, 0, 0]
    check(api.describe_output(network, 0, &out, message, sizeof(message)), message)
    check(api.output_sizes(network, &shape, 1, &out.shape, 1, message, sizeof(message)), message)
    types = {DWSEP_FLOAT32: np.float32, DWSEP_INT8: np.int8, DWSEP_UINT8: np.uint8}
    rest = [out.shape.sizes[axis] for axis in range(1, out.shape.axes)]
    result = np.empty((count, *rest), types[out.dtype])
    if result.size == 0:
        return result
    cdef char[:, ::1] rows = result.reshape(count, -1).view(np.int8)
    for i in prange(count, nogil=True, schedule="dynamic"):
        if run_one(network, &images[i, 0, 0, 0], &rows[i, 0], shape, &out, dtype) != DWSEP_OK:
            failed += 1
    if failed:
        raise RuntimeError(f"{failed} of {count} images failed")
    return result
