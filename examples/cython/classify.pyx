# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
"""Runs a network of dwsep on many images in a Cython loop without the GIL; built by `setup.py`."""

import os

import numpy as np

from cython.parallel cimport prange
from dwsep.cython_api cimport (
    DWSEP_C_ABI,
    DWSEP_FLOAT32,
    DWSEP_OK,
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


cdef dwsep_status run_one(
    const dwsep_network* network, const float* x, float* y, dwsep_sizes shape, dwsep_sizes out
) noexcept nogil:
    """Run a network on one image, on the calling thread."""
    cdef dwsep_const_array source
    cdef dwsep_array target
    source.data, source.shape = x, shape
    source.dtype, source.quantization = DWSEP_FLOAT32, NULL
    target.data, target.shape = y, out
    target.dtype, target.quantization = DWSEP_FLOAT32, NULL
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

    def __call__(self, const float[:, :, :, ::1] images):
        """Return the output for each of the images, (N, ...), each computed by a thread of OpenMP's."""
        return run_all(self.network, images)


def each_image(model, const float[:, :, :, ::1] images):
    """Call a dwsep.Model on images in parallel."""
    return run_all(network_handle(model), images)


cdef run_all(const dwsep_network* network, const float[:, :, :, ::1] images):
    cdef char[256] message
    cdef dwsep_sizes shape, out
    cdef Py_ssize_t i, count = images.shape[0], failed = 0
    shape.axes = 4
    shape.sizes = [1, images.shape[1], images.shape[2], images.shape[3], 0, 0, 0, 0]
    check(api.output_sizes(network, &shape, 1, &out, 1, message, sizeof(message)), message)
    rest = [out.sizes[axis] for axis in range(1, out.axes)]
    result = np.empty((count, *rest), np.float32)
    cdef float[:, ::1] rows = result.reshape(count, int(np.prod(rest)))
    if result.size == 0:
        return result
    for i in prange(count, nogil=True, schedule="dynamic"):
        if run_one(network, &images[i, 0, 0, 0], &rows[i, 0], shape, out) != DWSEP_OK:
            failed += 1
    if failed:
        raise RuntimeError(f"{failed} of {count} images failed")
    return result
