"""Random networks with conversions around their operators; the oracle is onnxruntime.

It computes with floats between `DequantizeLinear` and `QuantizeLinear`, dwsep with integers where
there is a form that does. Next to a tie one number may be another, and all that is made of it;
there are many ties where one scale is twice another.
"""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="imports ONNX models")
onnxruntime = pytest.importorskip("onnxruntime", reason="the oracle")

from onnx import TensorProto
from onnx_quantized_cases import model_of
from test_onnx_quantized import oracle

import dwsep

FUNCTIONS = ("Relu", "Sigmoid", "HardSwish", "LeakyRelu", "HardSigmoid", "Tanh", "Elu", "Neg")
WIDTHS = (3, 4, 8, 16, 17, 24)


class Network:
    """Random operators on images, and the numbers that they make."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.constants, self.shapes, self.kept = [], {}, {}, set()
        self.x = self.rng.standard_normal((2, self.one_of(WIDTHS), 9, 8), np.float32)
        self.shapes["x"] = self.x.shape
        for _ in range(self.rng.integers(4, 12)):
            self.step()

    def one_of(self, values):
        return values[self.rng.integers(len(values))]

    def constant(self, array):
        name = f"k{len(self.constants)}"
        self.constants[name] = np.asarray(array)
        return name

    def add(self, op, inputs, shape, **attributes):
        y = f"v{len(self.nodes)}"
        self.nodes.append([op, ",".join(inputs), y, attributes])
        self.shapes[y] = tuple(shape)
        return y

    def step(self):
        """Add an operator, mostly on one of the last images."""
        images = [name for name, shape in self.shapes.items() if len(shape) == 4 and shape[2] > 1]
        x = images[max(0, len(images) - 1 - int(self.rng.integers(3)))]
        shape = self.shapes[x]
        same = [name for name in images if self.shapes[name] == shape]
        kinds = ["conv", "conv", "depthwise", "depthwise", "function", "binary", "binary"]
        kinds += ["number", "concat", "pool", "gate", "pad", "slice", "resize", "transposed"]
        getattr(self, self.one_of(kinds))(x, shape, self.one_of(same))

    def weights(self, *shape):
        """Return weights behind a conversion, with a scale for each row or one."""
        each = self.rng.random() < 0.6
        w = self.rng.integers(-127, 128, shape).astype(np.int8)
        size = (shape[0],) if each else ()
        scale = np.float32(self.rng.uniform(0.5, 1, size) / 127 / np.sqrt(np.prod(shape[1:])))
        zero = np.zeros(size, np.int8)
        names = [self.constant(a) for a in (w, scale, zero)]
        y = f"w{len(self.nodes)}"
        axis = {"axis": 0} if each else {}
        self.nodes.append(["DequantizeLinear", ",".join(names), y, axis])
        return y

    def conv(self, x, shape, _, groups=1):
        kernel, stride = self.one_of([1, 3, 3, 5]), self.one_of([1, 1, 2])
        made = shape[1] if groups > 1 else self.one_of(WIDTHS)
        inputs = [x, self.weights(made, shape[1] // groups, kernel, kernel)]
        if self.rng.random() < 0.7:
            inputs.append(self.constant(np.float32(0.3 * self.rng.standard_normal(made))))
        sizes = [(n - 1) // stride + 1 for n in shape[2:]]
        a = {"pads": [kernel // 2] * 4, "strides": [stride] * 2, "group": groups}
        y = self.add("Conv", inputs, (shape[0], made, *sizes), **a)
        if self.rng.random() < 0.6:
            self.kept.add(y)  # what follows is fused, and alone has its result rounded
            self.function(y, self.shapes[y], y)

    def depthwise(self, x, shape, other):
        self.conv(x, shape, other, groups=shape[1])

    def function(self, x, shape, _):
        if self.rng.random() < 0.3:
            bounds = [self.constant(np.float32(v)) for v in (-0.4, 1.1)]
            self.add("Clip", [x, *bounds], shape)
        else:
            self.add(self.one_of(FUNCTIONS), [x], shape)

    def binary(self, x, shape, other):
        y = self.add(self.one_of(["Add", "Add", "Mul", "Sub"]), [x, other], shape)
        if self.rng.random() < 0.3:
            self.kept.add(y)
            self.add("Relu", [y], shape)

    def number(self, x, shape, _):
        size = self.one_of([(), (1, shape[1], 1, 1), (shape[1], 1, 1)])
        number = self.constant(np.float32(self.rng.uniform(-2, 2, size)))
        self.add(self.one_of(["Add", "Mul", "Sub"]), [x, number], shape)

    def concat(self, x, shape, other):
        self.add("Concat", [x, other], (shape[0], 2 * shape[1], *shape[2:]), axis=1)

    def pool(self, x, shape, _):
        op = self.one_of(["MaxPool", "AveragePool"])
        sizes = [(n - 1) // 2 + 1 for n in shape[2:]]
        a = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
        self.add(op, [x], (*shape[:2], *sizes), **a)

    def gate(self, x, shape, _):
        y = self.add("GlobalAveragePool", [x], (*shape[:2], 1, 1))
        y = self.add("Conv", [y, self.weights(shape[1], shape[1], 1, 1)], self.shapes[y])
        y = self.add(self.one_of(["Sigmoid", "HardSigmoid"]), [y], self.shapes[y])
        self.add("Mul", [x, y] if self.rng.random() < 0.5 else [y, x], shape)

    def pad(self, x, shape, _):
        pads = self.constant(np.int64([0, 0, 1, 0, 0, 0, 2, 1]))
        self.add("Pad", [x, pads], (*shape[:2], shape[2] + 3, shape[3] + 1))

    def slice(self, x, shape, _):
        if shape[2] < 3:
            return
        rows = [self.constant(np.int64([n])) for n in (1, shape[2], 2)]
        self.add("Slice", [x, *rows], (*shape[:2], shape[2] - 1, *shape[3:]))

    def resize(self, x, shape, _):
        sizes = (*shape[:2], shape[2] * 2, shape[3] * 2)
        if np.prod(sizes) > 2e4:
            return
        inputs = [x, "", self.constant(np.float32([1, 1, 2, 2]))]
        a = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric"}
        self.add("Resize", inputs, sizes, **a, nearest_mode="floor")

    def transposed(self, x, shape, _):
        """Move the channels to the back, take a function of them, and move them back again."""
        y = self.add("Transpose", [x], [shape[i] for i in (0, 2, 3, 1)], perm=[0, 2, 3, 1])
        y = self.add("Relu", [y], self.shapes[y])
        self.add("Transpose", [y], shape, perm=[0, 3, 1, 2])

    def model(self, values):
        """Return the network with conversions where nothing is fused; `values` are its numbers."""
        dtype = self.one_of(["int8", "uint8"])
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        nodes, constants, renamed, stored = [], dict(self.constants), {}, {}

        def convert(name):
            if self.rng.random() < 0.1 and name != "x":
                return
            least, most = (float(f(values[name])) for f in (np.min, np.max))
            least, most = min(least, 0.0), max(most, 1e-3)
            scale = np.float32((most - least) / 255)
            constants[f"{name}_s"] = scale
            constants[f"{name}_z"] = np.array(
                np.clip(np.rint(low - least / scale), low, high), dtype
            )
            scales = f"{name}_s,{name}_z"
            nodes.append(("QuantizeLinear", f"{name},{scales}", f"{name}_q", {}))
            nodes.append(("DequantizeLinear", f"{name}_q,{scales}", f"{name}_r", {}))
            renamed[name], stored[name] = f"{name}_r", f"{name}_q"

        def bias(x, w, b):
            """Put a conversion of int32 behind a bias, as quantizers do."""
            maker = next(node for node in nodes if node[2] == w)
            scale = constants[f"{x}_s"] * constants[maker[1].split(",")[1]]
            stored = np.rint(constants[b] / scale).astype(np.int32)
            names = [f"{b}_q", f"{b}_s"]
            constants.update(zip(names, (stored, np.float32(scale)), strict=True))
            nodes.append(("DequantizeLinear", ",".join(names), f"{b}_r", {"axis": 0}))
            return f"{b}_r"

        convert("x")
        for op, inputs, y, attributes in self.nodes:
            names = inputs.split(",")
            if op == "Conv" and len(names) == 3 and names[0] in renamed:
                names[2] = bias(*names)
            read = ",".join(renamed.get(name, name) for name in names)
            nodes.append((op, read, y, attributes))
            if y in self.shapes and y not in self.kept:
                convert(y)
        read = {name for _, inputs, _, _ in self.nodes for name in inputs.split(",")}
        last = [name for name in self.shapes if name not in read]
        kind = TensorProto.INT8 if dtype == "int8" else TensorProto.UINT8
        outputs = {stored.get(n, n): kind if n in stored else TensorProto.FLOAT for n in last}
        used = {name for _, inputs, _, _ in nodes for name in inputs.split(",")}
        known = {name: array for name, array in constants.items() if name in used}
        return model_of(nodes, {"x": (self.x.shape, "float32")}, known, outputs, 19)


def real_values(network):
    outputs = {y: TensorProto.FLOAT for y in network.shapes if y != "x"}
    nodes = [tuple(node) for node in network.nodes]
    shape = {"x": (network.x.shape, "float32")}
    model = model_of(nodes, shape, network.constants, outputs, 19)
    return dict(zip(outputs, oracle(model, {"x": network.x}), strict=True)) | {"x": network.x}


def differing(seed):
    """Return the share of a network's results that differ from the oracle's."""
    network = Network(seed)
    model = network.model(real_values(network))
    got = dwsep.load(model).run(None, {"x": network.x})
    shares = []
    for y, wanted in zip(got, oracle(model, {"x": network.x}, optimized=True), strict=True):
        assert (y.dtype, y.shape) == (wanted.dtype, wanted.shape)
        scale = 1 if y.dtype != np.float32 else max(np.abs(wanted).max(), 1e-6) / 255
        steps = np.abs(y.astype(np.float64) - wanted) / scale
        shares.append(np.mean(steps > 0.05))
    return max(shares)


@pytest.mark.parametrize(
    "seeds",
    [range(40), pytest.param(range(1000, 3000), marks=pytest.mark.slow)],
    ids=["few", "many"],
)
def test_random_networks(seeds):
    shares = {seed: differing(seed) for seed in seeds}
    # A bias that no conversion rounds is int32 here: 28 values next to ties reach a fifth of one.
    wrong = {seed: share for seed, share in shares.items() if share > 0.25}
    assert not wrong
    assert np.mean([share > 0.02 for share in shares.values()]) < 0.01
    assert np.mean([share == 0 for share in shares.values()]) > 0.9
