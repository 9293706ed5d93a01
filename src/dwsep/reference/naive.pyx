# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: freethreading_compatible=True
"""Naive NHWC convolutions: the loops one writes first, one output at a time.

They are the oracle of the exact tests and the baseline of every speed-up that dwsep prints.
Nothing here is tuned and nothing is held back: contiguous memory, typed loops, no Python object
inside, the compiler's ordinary optimisation without ``-ffast-math``.
"""

import numpy as np

# The type that the products are summed in; the bias array carries it into the kernels.
ctypedef fused accumulator:
    float
    double

cdef struct Problem:
    Py_ssize_t batch, height, width, channels
    Py_ssize_t out_height, out_width, out_channels
    Py_ssize_t kernel_h, kernel_w
    Py_ssize_t stride_h, stride_w
    Py_ssize_t pad_top, pad_left
    Py_ssize_t dilation_h, dilation_w


# Pointers rather than typed memoryviews, which bring 100 KB of code to a package of 2 MB.
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


cdef void* _data(array) except? NULL:
    return <void*> <size_t> array.ctypes.data


def _as_float32(name, array, ndim):
    array = np.asarray(array)
    if array.dtype != np.float32:
        raise TypeError(f"{name}: need dtype float32, got {array.dtype}")
    if array.ndim != ndim:
        raise ValueError(f"{name}: need {ndim} axes, got shape {array.shape}")
    return np.ascontiguousarray(array)


def _as_bias(bias, channels, accumulate):
    if accumulate not in ("float32", "float64"):
        raise ValueError(f"accumulate: need 'float32' or 'float64', got {accumulate!r}")
    if bias is None:
        return np.zeros(channels, accumulate)
    bias = _as_float32("bias", bias, 1)
    if bias.shape[0] != channels:
        raise ValueError(f"bias: need shape ({channels},), got {bias.shape}")
    return bias.astype(accumulate)


def _output_size(size, kernel, stride, pads, dilation):
    if stride < 1 or dilation < 1 or min(pads) < 0:
        raise ValueError("stride, dilation, padding: need at least 1, 1 and 0, "
                         f"got {stride}, {dilation} and {tuple(pads)}")
    free = size + sum(pads) - (kernel - 1) * dilation - 1
    return max(0, free // stride + 1)


cdef Problem _problem(x, weight, Py_ssize_t out_channels, stride, padding, dilation) except *:
    cdef Problem p
    p.batch, p.height, p.width, p.channels = x.shape
    p.kernel_h, p.kernel_w = weight.shape[:2]
    p.stride_h, p.stride_w = stride
    p.dilation_h, p.dilation_w = dilation
    p.pad_top, p.pad_left = padding[0][0], padding[1][0]
    p.out_height = _output_size(p.height, p.kernel_h, stride[0], padding[0], dilation[0])
    p.out_width = _output_size(p.width, p.kernel_w, stride[1], padding[1], dilation[1])
    p.out_channels = out_channels
    return p


def _operands(x, weight):
    x = _as_float32("x", x, 4)
    weight = _as_float32("weight", weight, 4)
    if weight.shape[2] != x.shape[3]:
        raise ValueError(f"weight: need shape (KH, KW, {x.shape[3]}, ...), got {weight.shape}")
    return x, weight


def standard_conv2d(x, weight, bias=None, *, stride=(1, 1), padding=((0, 0), (0, 0)),
                    dilation=(1, 1), accumulate="float32"):
    """Convolve `x` with `weight`, summing over the taps and all input channels.

    Parameters
    ----------
    x : ndarray of float32, shape (N, H, W, Cin)
    weight : ndarray of float32, shape (KH, KW, Cin, Cout)
    bias : ndarray of float32, shape (Cout,), optional
    stride, dilation : (int, int)
    padding : ((int, int), (int, int))
        Rows above and below, columns left and right. A tap there contributes nothing.
    accumulate : {"float32", "float64"}
        "float64" sums in double precision and rounds once, at the end.

    Returns
    -------
    ndarray of float32, shape (N, OH, OW, Cout)

    Examples
    --------
    >>> import numpy as np
    >>> from dwsep.reference import standard_conv2d
    >>> x = np.ones((1, 3, 3, 2), np.float32)
    >>> weight = np.ones((3, 3, 2, 1), np.float32)
    >>> float(standard_conv2d(x, weight)[0, 0, 0, 0])
    18.0
    """
    x, weight = _operands(x, weight)
    cdef Problem p = _problem(x, weight, weight.shape[3], stride, padding, dilation)
    bias = _as_bias(bias, p.out_channels, accumulate)
    y = np.empty((p.batch, p.out_height, p.out_width, p.out_channels), np.float32)
    cdef void* x_data = _data(x)
    cdef void* weight_data = _data(weight)
    cdef void* bias_data = _data(bias)
    cdef void* y_data = _data(y)
    cdef bint in_double = accumulate == "float64"
    with nogil:
        if in_double:
            _standard(<float*> x_data, <float*> weight_data, <const double*> bias_data,
                      <float*> y_data, p)
        else:
            _standard(<float*> x_data, <float*> weight_data, <const float*> bias_data,
                      <float*> y_data, p)
    return y


def depthwise_conv2d(x, weight, bias=None, *, stride=(1, 1), padding=((0, 0), (0, 0)),
                     dilation=(1, 1), accumulate="float32"):
    """Convolve every channel of `x` with its own M filters.

    Parameters
    ----------
    x : ndarray of float32, shape (N, H, W, C)
    weight : ndarray of float32, shape (KH, KW, C, M)
        Filter m of channel c makes output channel c * M + m.
    bias : ndarray of float32, shape (C * M,), optional
    stride, padding, dilation, accumulate
        As for :func:`standard_conv2d`.

    Returns
    -------
    ndarray of float32, shape (N, OH, OW, C * M)

    Examples
    --------
    >>> import numpy as np
    >>> from dwsep.reference import depthwise_conv2d
    >>> x = np.ones((1, 3, 3, 2), np.float32)
    >>> weight = np.ones((3, 3, 2, 1), np.float32)
    >>> depthwise_conv2d(x, weight).ravel().tolist()
    [9.0, 9.0]
    """
    x, weight = _operands(x, weight)
    cdef Problem p = _problem(x, weight, weight.shape[2] * weight.shape[3], stride, padding,
                              dilation)
    bias = _as_bias(bias, p.out_channels, accumulate)
    y = np.empty((p.batch, p.out_height, p.out_width, p.out_channels), np.float32)
    if p.channels == 0:
        return y
    cdef void* x_data = _data(x)
    cdef void* weight_data = _data(weight)
    cdef void* bias_data = _data(bias)
    cdef void* y_data = _data(y)
    cdef bint in_double = accumulate == "float64"
    with nogil:
        if in_double:
            _depthwise(<float*> x_data, <float*> weight_data, <const double*> bias_data,
                       <float*> y_data, p)
        else:
            _depthwise(<float*> x_data, <float*> weight_data, <const float*> bias_data,
                       <float*> y_data, p)
    return y
