"""One-node models of convolutions, transposed ones included."""

from onnx_case import IMAGE, Case, f

CONVOLUTION_CASES = [
    Case("Conv", [IMAGE, f(6, 4, 3, 3), f(6)], {"pads": [1, 0, 2, 1]}),
    Case("Conv", [IMAGE, f(6, 4, 1, 1)]),
    Case("Conv", [IMAGE, f(8, 1, 3, 3)], {"group": 4, "strides": [2, 1], "dilations": [1, 2]}),
    Case("Conv", [IMAGE, f(6, 2, 2, 5)], {"group": 2, "auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    Case("Conv", [IMAGE, f(4, 4, 4, 4)], {"auto_pad": "SAME_LOWER", "strides": [3, 2]}),
    Case("Conv", [IMAGE, f(4, 4, 3, 3)], {"auto_pad": "VALID", "kernel_shape": [3, 3]}),
    Case("Conv", [IMAGE, (6, 4, 1, 1)], {"strides": [2, 1]}, open_batch=False),
    Case("Conv", [IMAGE, (6, 4, 3, 2), (6,)], {"pads": [1, 0, 2, 1]}, open_batch=False),
    Case(
        "Conv",
        [IMAGE, (6, 2, 3, 3), f(6)],
        {"group": 2, "strides": [1, 3], "dilations": [2, 1]},
        open_batch=False,
    ),
    Case(
        "Conv",
        [IMAGE, (4, 1, 3, 5)],
        {"group": 4, "auto_pad": "SAME_UPPER", "strides": [2, 1]},
        open_batch=False,
    ),
    Case("Conv", [(2, 4, 9), (8, 1, 3)], {"group": 4, "pads": [2, 0]}, open_batch=False),
    Case("ConvTranspose", [IMAGE, f(4, 3, 3, 2), f(3)], {"strides": [2, 3]}),
    Case(
        "ConvTranspose",
        [IMAGE, f(4, 2, 3, 3)],
        {"group": 2, "strides": [2, 2], "pads": [1, 0, 1, 1], "output_padding": [1, 1]},
    ),
    Case("ConvTranspose", [IMAGE, f(4, 2, 2, 3)], {"dilations": [2, 2], "pads": [1, 1, 0, 0]}),
    Case(
        "ConvTranspose",
        [IMAGE, f(4, 2, 3, 3)],
        {"strides": [2, 2], "output_shape": [18, 15], "auto_pad": "SAME_UPPER"},
    ),
    Case("ConvTranspose", [IMAGE, f(4, 2, 3, 3)], {"strides": [2, 2], "output_shape": [17, 16]}),
    Case("ConvTranspose", [IMAGE, f(4, 2, 3, 3)], {"strides": [2, 2], "auto_pad": "SAME_LOWER"}),
]
