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

cdef struct Window:
    Py_ssize_t stride_h
    Py_ssize_t stride_w
    Py_ssize_t pad_top
    Py_ssize_t pad_left
    Py_ssize_t dilation_h
    Py_ssize_t dilation_w


cdef void _standard(const float[:, :, :, ::1] x, const float[:, :, :, ::1] weight,
                    const accumulator[::1] bias, float[:, :, :, ::1] y, Window win) noexcept nogil:
    cdef Py_ssize_t n, oh, ow, co, kh, kw, ci, ih, iw
    cdef accumulator total
    for n in range(y.shape[0]):
        for oh in range(y.shape[1]):
            for ow in range(y.shape[2]):
                for co in range(y.shape[3]):
                    total = bias[co]
                    for kh in range(weight.shape[0]):
                        ih = oh * win.stride_h - win.pad_top + kh * win.dilation_h
                        if ih < 0 or ih >= x.shape[1]:
                            continue
                        for kw in range(weight.shape[1]):
                            iw = ow * win.stride_w - win.pad_left + kw * win.dilation_w
                            if iw < 0 or iw >= x.shape[2]:
                                continue
                            for ci in range(weight.shape[2]):
                                total += (<accumulator> x[n, ih, iw, ci]
                                          * <accumulator> weight[kh, kw, ci, co])
                    y[n, oh, ow, co] = <float> total


cdef void _depthwise(const float[:, :, :, ::1] x, const float[:, :, :, ::1] weight,
                     const accumulator[::1] bias, float[:, :, :, ::1] y, Window win) noexcept nogil:
    cdef Py_ssize_t n, oh, ow, c, m, kh, kw, ih, iw
    cdef Py_ssize_t multiplier = weight.shape[3]
    cdef accumulator total
    for n in range(y.shape[0]):
        for oh in range(y.shape[1]):
            for ow in range(y.shape[2]):
                for c in range(weight.shape[2]):
                    for m in range(multiplier):
                        total = bias[c * multiplier + m]
                        for kh in range(weight.shape[0]):
                            ih = oh * win.stride_h - win.pad_top + kh * win.dilation_h
                            if ih < 0 or ih >= x.shape[1]:
                                continue
                            for kw in range(weight.shape[1]):
                                iw = ow * win.stride_w - win.pad_left + kw * win.dilation_w
                                if iw < 0 or iw >= x.shape[2]:
                                    continue
                                total += (<accumulator> x[n, ih, iw, c]
                                          * <accumulator> weight[kh, kw, c, m])
                        y[n, oh, ow, c * multiplier + m] = <float> total


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


def _prepare(x, weight, stride, padding, dilation):
    x = _as_float32("x", x, 4)
    weight = _as_float32("weight", weight, 4)
    if weight.shape[2] != x.shape[3]:
        raise ValueError(f"weight: need shape (KH, KW, {x.shape[3]}, ...), got {weight.shape}")
    cdef Window win
    win.stride_h, win.stride_w = stride
    win.dilation_h, win.dilation_w = dilation
    win.pad_top, win.pad_left = padding[0][0], padding[1][0]
    height, width = (_output_size(x.shape[axis + 1], weight.shape[axis], stride[axis],
                                  padding[axis], dilation[axis]) for axis in range(2))
    return x, weight, (x.shape[0], height, width), win


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
    cdef Window win
    x, weight, outer, win = _prepare(x, weight, stride, padding, dilation)
    bias = _as_bias(bias, weight.shape[3], accumulate)
    y = np.empty((*outer, weight.shape[3]), np.float32)
    cdef const float[:, :, :, ::1] x_view = x, w_view = weight
    cdef float[:, :, :, ::1] y_view = y
    cdef const float[::1] bias32
    cdef const double[::1] bias64
    if accumulate == "float32":
        bias32 = bias
        with nogil:
            _standard(x_view, w_view, bias32, y_view, win)
    else:
        bias64 = bias
        with nogil:
            _standard(x_view, w_view, bias64, y_view, win)
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
    cdef Window win
    x, weight, outer, win = _prepare(x, weight, stride, padding, dilation)
    channels = weight.shape[2] * weight.shape[3]
    bias = _as_bias(bias, channels, accumulate)
    y = np.empty((*outer, channels), np.float32)
    cdef const float[:, :, :, ::1] x_view = x, w_view = weight
    cdef float[:, :, :, ::1] y_view = y
    cdef const float[::1] bias32
    cdef const double[::1] bias64
    if accumulate == "float32":
        bias32 = bias
        with nogil:
            _depthwise(x_view, w_view, bias32, y_view, win)
    else:
        bias64 = bias
        with nogil:
            _depthwise(x_view, w_view, bias64, y_view, win)
    return y
