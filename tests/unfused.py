"""The blocks as chains of single operators."""

import numpy as np
from calls import Call

import dwsep


def mean_of_pixels(x: np.ndarray) -> np.ndarray:
    """Sum rows left to right, then top to bottom: the order that the library documents."""
    pixels = x if x.ndim == 4 else x[None]
    rows = np.zeros_like(pixels[:, :, 0])
    for column in range(pixels.shape[2]):
        rows = rows + pixels[:, :, column]
    total = rows[:, 0]
    for row in range(1, pixels.shape[1]):
        total = total + rows[:, row]
    mean = total / np.float32(pixels.shape[1] * pixels.shape[2])
    return mean[:, None, None] if x.ndim == 4 else mean[0][None, None]


def factors(x: np.ndarray, call: Call) -> np.ndarray:
    """Compute what squeeze-excite multiplies the channels of `x` by."""
    y = mean_of_pixels(x)
    for stage in ("reduce", "excite"):
        weight, bias = call.arrays[f"{stage}_weight"], call.arrays.get(f"{stage}_bias")
        activation = call.options.get(f"{stage}_activation")
        y = dwsep.pointwise_conv2d(y, weight, bias, activation=activation)
    return y


def unfused(call: Call) -> np.ndarray:
    """Compute a block operator by operator; its bits are those of the block."""
    a, o = call.arrays, call.options
    x = a["x"]
    if "expand_weight" in a:
        x = dwsep.pointwise_conv2d(
            x, a["expand_weight"], a.get("expand_bias"), activation=o.get("expand_activation")
        )
    x = dwsep.depthwise_conv2d(
        x,
        a["depthwise_weight"],
        a.get("depthwise_bias"),
        activation=o.get("depthwise_activation"),
        **{name: o[name] for name in ("stride", "padding", "dilation") if name in o},
    )
    if "reduce_weight" in a:
        x = x * factors(x, call)
    last = {"activation": o.get("activation"), "residual": a.get("residual")}
    return dwsep.pointwise_conv2d(x, a["weight"], a.get("bias"), **last)
