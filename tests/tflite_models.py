"""A convolution as a TFLite file, and what it computes."""

from __future__ import annotations

import numpy as np
from tflite_writer import constant, model, tensor

import dwsep


def f(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


WEIGHT, BIAS = f(8, 3, 3, 4), f(8)
CONV = ("CONV_2D", ["x", "w", "b"], ["y"], {"stride_w": 2, "stride_h": 2, "activation": 3})


def conv(x_shape=(-1, 9, 9, 4), weight=None, operators=(CONV,), more=(), **options):
    weight = constant("w", WEIGHT) if weight is None else weight
    tensors = [tensor("x", x_shape), weight, constant("b", BIAS), tensor("y", (-1, 5, 5, 8)), *more]
    return model(tensors, operators, options.pop("inputs", ["x"]), ["y"], **options)


def wanted(x, weight=WEIGHT):
    filters = np.ascontiguousarray(weight.transpose(1, 2, 3, 0))
    return dwsep.conv2d(x, filters, BIAS, stride=2, activation="relu6")
