# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
"""Runs layers of dwsep in Cython loops without the GIL; `setup.py` in this folder builds it."""

import numpy as np

from cython.parallel cimport prange
from dwsep.cython_api cimport (
    DWSEP_C_ABI,
    DWSEP_FLOAT32,
    DWSEP_OK,
    check,
    dwsep_api,
    dwsep_const_tensor,
    dwsep_depthwise_filter,
    dwsep_layer,
    dwsep_shape,
    dwsep_status,
    dwsep_tensor,
    get_api,
    handle,
)

cdef const dwsep_api* api = get_api(DWSEP_C_ABI, sizeof(dwsep_api))


cdef dwsep_status run_one(
    const dwsep_layer* layer, const float* x, float* y, dwsep_shape shape, dwsep_shape out
) noexcept nogil:
    """Run a layer on one dense image, on the calling thread."""
    cdef dwsep_const_tensor source
    cdef dwsep_tensor target
    source.data, source.shape = x, shape
    source.stride_w = shape.c
    source.stride_h = shape.w * shape.c
    source.stride_n = shape.h * shape.w * shape.c
    source.dtype, source.quantization = DWSEP_FLOAT32, NULL
    target.data, target.shape = y, out
    target.stride_w = out.c
    target.stride_h = out.w * out.c
    target.stride_n = out.h * out.w * out.c
    target.dtype, target.quantization = DWSEP_FLOAT32, NULL
    return api.run(layer, &source, &target, NULL, 1, NULL, 0)


cdef class Blur:
    """A box filter of `taps` x `taps` over each of `channels` channels, made without Python."""

    cdef dwsep_layer* layer

    def __cinit__(self, int taps, int channels):
        cdef char[256] message
        cdef dwsep_depthwise_filter filter
        cdef float[:, :, ::1] box = np.full((taps, taps, channels), 1 / taps**2, np.float32)
        filter.weight = &box[0, 0, 0]
        filter.kh = filter.kw = taps
        filter.channels = channels
        filter.multiplier = 1
        filter.bias = NULL
        filter.dtype, filter.bias_dtype = DWSEP_FLOAT32, DWSEP_FLOAT32
        filter.quantization = NULL
        check(api.new_depthwise(&filter, NULL, NULL, &self.layer, message, sizeof(message)), message)

    def __dealloc__(self):
        api.delete_layer(self.layer)

    def __call__(self, const float[:, :, :, ::1] images):
        """Blur images of shape (N, H, W, C), each on a thread of OpenMP's."""
        return run_all(self.layer, images)


def each_image(layer, const float[:, :, :, ::1] images):
    """Call a layer that Python made, such as a dwsep.SeparableConv2D, on images in parallel."""
    return run_all(handle(layer), images)


cdef run_all(const dwsep_layer* layer, const float[:, :, :, ::1] images):
    cdef char[256] message
    cdef dwsep_shape shape, out
    cdef Py_ssize_t i, count = images.shape[0], failed = 0
    shape.n = 1
    shape.h, shape.w, shape.c = images.shape[1], images.shape[2], images.shape[3]
    check(api.output_shape(layer, &shape, &out, message, sizeof(message)), message)
    cdef float[:, :, :, ::1] result = np.empty((count, out.h, out.w, out.c), np.float32)
    if result.size == 0:
        return np.asarray(result)
    for i in prange(count, nogil=True, schedule="dynamic"):
        if run_one(layer, &images[i, 0, 0, 0], &result[i, 0, 0, 0], shape, out) != DWSEP_OK:
            failed += 1
    if failed:
        raise RuntimeError(f"{failed} of {count} images failed")
    return np.asarray(result)
