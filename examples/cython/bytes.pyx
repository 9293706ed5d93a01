# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
"""Makes and runs a layer of int8 in Cython, without the GIL; `setup.py` in this folder builds it."""

import numpy as np

from libc.stdint cimport int8_t, int32_t
from dwsep.cython_api cimport (
    DWSEP_C_ABI,
    DWSEP_FLOAT32,
    DWSEP_INT8,
    DWSEP_INT32,
    check,
    dwsep_api,
    dwsep_const_tensor,
    dwsep_layer,
    dwsep_pointwise_filter,
    dwsep_quantization,
    dwsep_status,
    dwsep_tensor,
    dwsep_tensor_type,
    dwsep_tensor_types,
    get_api,
)

cdef const dwsep_api* api = get_api(DWSEP_C_ABI, sizeof(dwsep_api))


cdef class Mixer:
    """A matrix of int8 for the channels of int8 images: scales of x, of each column, of the result."""

    cdef dwsep_layer* layer
    cdef Py_ssize_t outputs

    def __cinit__(
        self, const int8_t[:, ::1] matrix, const int32_t[::1] bias,
        float x_scale, int32_t x_zero, const float[::1] scales, float y_scale, int32_t y_zero,
    ):
        cdef char[256] message
        cdef dwsep_pointwise_filter filter
        cdef dwsep_tensor_types types
        cdef dwsep_quantization x, y, w
        cdef int32_t[::1] zeros = np.zeros(scales.shape[0], np.int32)
        cdef dwsep_tensor_type none
        if not scales.shape[0] == bias.shape[0] == matrix.shape[1]:
            raise ValueError(f"scales, bias: need {matrix.shape[1]} each, as many as columns")
        none.dtype, none.quantization = DWSEP_FLOAT32, NULL
        x.scales, x.zero_points, x.count, x.axis = &x_scale, &x_zero, 1, -1
        y.scales, y.zero_points, y.count, y.axis = &y_scale, &y_zero, 1, -1
        w.scales, w.zero_points, w.count, w.axis = &scales[0], &zeros[0], scales.shape[0], 1
        types.x.dtype, types.x.quantization = DWSEP_INT8, &x
        types.y.dtype, types.y.quantization = DWSEP_INT8, &y
        types.residual = types.expanded = types.depthwise = none
        filter.weight, filter.in_, filter.out = &matrix[0, 0], matrix.shape[0], matrix.shape[1]
        filter.bias, filter.bias_dtype = &bias[0], DWSEP_INT32
        filter.dtype, filter.quantization = DWSEP_INT8, &w
        check(
            api.new_int8_pointwise(&filter, NULL, &types, &self.layer, message, sizeof(message)),
            message,
        )
        self.outputs = matrix.shape[1]

    def __dealloc__(self):
        api.delete_layer(self.layer)

    def __call__(self, const int8_t[:, :, :, ::1] images):
        """Mix the channels of images of shape (N, H, W, C)."""
        cdef char[256] message
        cdef dwsep_const_tensor x
        cdef dwsep_tensor y
        cdef dwsep_status status
        cdef int8_t[:, :, :, ::1] result = np.empty((*np.shape(images)[:3], self.outputs), np.int8)
        if result.size == 0:
            return np.asarray(result)
        x.data, x.dtype, x.quantization = &images[0, 0, 0, 0], DWSEP_INT8, NULL
        x.shape.n, x.shape.h = images.shape[0], images.shape[1]
        x.shape.w, x.shape.c = images.shape[2], images.shape[3]
        x.stride_w, x.stride_h = x.shape.c, x.shape.w * x.shape.c
        x.stride_n = x.shape.h * x.stride_h
        y.data, y.dtype, y.quantization = &result[0, 0, 0, 0], DWSEP_INT8, NULL
        y.shape = x.shape
        y.shape.c = self.outputs
        y.stride_w, y.stride_h = y.shape.c, y.shape.w * y.shape.c
        y.stride_n = y.shape.h * y.stride_h
        with nogil:
            status = api.run(self.layer, &x, &y, NULL, 0, message, sizeof(message))
        check(status, message)
        return np.asarray(result)
