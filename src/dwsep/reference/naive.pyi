from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

_Pair: TypeAlias = tuple[int, int]

def standard_conv2d(
    x: NDArray[np.float32],
    weight: NDArray[np.float32],
    bias: NDArray[np.float32] | None = None,
    *,
    stride: _Pair = (1, 1),
    padding: tuple[_Pair, _Pair] = ((0, 0), (0, 0)),
    dilation: _Pair = (1, 1),
    accumulate: Literal["float32", "float64"] = "float32",
) -> NDArray[np.float32]: ...
def depthwise_conv2d(
    x: NDArray[np.float32],
    weight: NDArray[np.float32],
    bias: NDArray[np.float32] | None = None,
    *,
    stride: _Pair = (1, 1),
    padding: tuple[_Pair, _Pair] = ((0, 0), (0, 0)),
    dilation: _Pair = (1, 1),
    accumulate: Literal["float32", "float64"] = "float32",
) -> NDArray[np.float32]: ...
