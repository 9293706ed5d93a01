# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: freethreading_compatible=True, binding=False
"""The loops of :mod:`dwsep.reference.naive`, which checks what they are given."""

# The type that the products are summed in; the bias array carries it into the kernels.
ctypedef fused accumulator:
    float
    double

# As naive.py lists them.
cdef struct Problem:
    Py_ssize_t batch, height, width, channels
    Py_ssize_t out_height, out_width, out_channels
    Py_ssize_t kernel_h, kernel_w
    Py_ssize_t stride_h, stride_w
    Py_ssize_t pad_top, pad_left
    Py_ssize_t dilation_h, dilation_w


# Addresses rather than typed memoryviews, and checks in Python: of a package of 2 MB, what
# Cython makes of those takes 100 KB and 37 KB.
cdef void _standard(const float* x, const float* weight, const accumulator* bias, float* y,
                    Problem p) noexcept nogil:
    cdef Py_ssize_t n, oh, ow, co, kh, kw, ci, ih, iw
    cdef accumulator total
    for n in range(p.batch):
        for oh in range(p.out_height):
            for ow in range(p.out_width):
                for co in range(p.out_channels):
                    total = bias[co]
                    for kh in range(p.kernel_h):
                        ih = oh * p.stride_h - p.pad_top + kh * p.dilation_h
                        if ih < 0 or ih >= p.height:
                            continue
                        for kw in range(p.kernel_w):
                            iw = ow * p.stride_w - p.pad_left + kw * p.dilation_w
                            if iw < 0 or iw >= p.width:
                                continue
                            for ci in range(p.channels):
                                total += (
                                    <accumulator> x[((n * p.height + ih) * p.width + iw)
                                                    * p.channels + ci]
                                    * <accumulator> weight[((kh * p.kernel_w + kw)
                                                            * p.channels + ci)
                                                           * p.out_channels + co])
                    y[((n * p.out_height + oh) * p.out_width + ow) * p.out_channels + co] = (
                        <float> total)


cdef void _depthwise(const float* x, const float* weight, const accumulator* bias, float* y,
                     Problem p) noexcept nogil:
    cdef Py_ssize_t n, oh, ow, c, m, kh, kw, ih, iw
    cdef Py_ssize_t multiplier = p.out_channels // p.channels
    cdef accumulator total
    for n in range(p.batch):
        for oh in range(p.out_height):
            for ow in range(p.out_width):
                for c in range(p.channels):
                    for m in range(multiplier):
                        total = bias[c * multiplier + m]
                        for kh in range(p.kernel_h):
                            ih = oh * p.stride_h - p.pad_top + kh * p.dilation_h
                            if ih < 0 or ih >= p.height:
                                continue
                            for kw in range(p.kernel_w):
                                iw = ow * p.stride_w - p.pad_left + kw * p.dilation_w
                                if iw < 0 or iw >= p.width:
                                    continue
                                total += (
                                    <accumulator> x[((n * p.height + ih) * p.width + iw)
                                                    * p.channels + c]
                                    * <accumulator> weight[((kh * p.kernel_w + kw)
                                                            * p.channels + c)
                                                           * multiplier + m])
                        y[((n * p.out_height + oh) * p.out_width + ow) * p.out_channels
                          + c * multiplier + m] = <float> total


def standard(size_t x, size_t weight, size_t bias, size_t y, size_t problem, bint in_double,
             /):
    cdef Problem p = (<const Problem*> problem)[0]
    with nogil:
        if in_double:
            _standard(<const float*> x, <const float*> weight, <const double*> bias, <float*> y, p)
        else:
            _standard(<const float*> x, <const float*> weight, <const float*> bias, <float*> y, p)


def depthwise(size_t x, size_t weight, size_t bias, size_t y, size_t problem, bint in_double,
              /):
    cdef Problem p = (<const Problem*> problem)[0]
    with nogil:
        if in_double:
            _depthwise(<const float*> x, <const float*> weight, <const double*> bias, <float*> y, p)
        else:
            _depthwise(<const float*> x, <const float*> weight, <const float*> bias, <float*> y, p)
