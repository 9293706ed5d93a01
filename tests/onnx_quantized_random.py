"""Random models of one quantized operator: types, zero points, scales, shapes that broadcast."""

from __future__ import annotations

import math

import numpy as np
from onnx import TensorProto, numpy_helper
from onnx_quantized_cases import TYPES, model_of

WIDTHS = (1, 2, 3, 5, 8, 15, 16, 17, 32, 33, 40)


def with_constants(model, **values):
    """Replace constants of a model."""
    for constant in model.graph.initializer:
        if constant.name in values:
            constant.CopyFrom(numpy_helper.from_array(values[constant.name], constant.name))
    return model


class Maker:
    """Draws models of one node; `feeds` are the values of their inputs."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.dtype = self.one_of(["uint8", "int8"])
        self.inputs: dict[str, tuple[tuple[int, ...], str]] = {}
        self.feeds: dict[str, np.ndarray] = {}
        self.constants: dict[str, np.ndarray] = {}

    def one_of(self, values):
        return values[self.rng.integers(len(values))]

    def whole(self, least, most):
        return int(self.rng.integers(least, most + 1))

    def chance(self, share):
        return self.rng.random() < share

    def integers(self, shape, dtype):
        info = np.iinfo(dtype)
        if self.chance(0.15):
            return self.rng.choice(np.array([info.min, info.max], dtype), shape)
        return self.rng.integers(info.min, info.max + 1, shape).astype(dtype)

    def zero(self, dtype, shape=()):
        info = np.iinfo(dtype)
        ends = self.one_of([info.min, info.max, 0, None, None, None])
        if ends is not None:
            return np.full(shape, ends, dtype)
        return self.rng.integers(info.min, info.max + 1, shape).astype(dtype)

    def scale(self, shape=()):
        return np.float32(2.0 ** self.rng.uniform(-9, -3, shape))

    def tensor(self, name, shape, dtype=None, known=False):
        """Add an input or a constant with its scale and zero point; return the three names."""
        dtype = dtype or self.dtype
        self.value(name, shape, dtype, known)
        self.constants |= {f"{name}_scale": self.scale(), f"{name}_zero": self.zero(dtype)}
        return f"{name},{name}_scale,{name}_zero"

    def value(self, name, shape, dtype, known=False):
        array = self.integers(shape, dtype)
        if known:
            self.constants[name] = array
        else:
            self.inputs[name], self.feeds[name] = (shape, dtype), array

    def output(self, step, may_lack_zero=True):
        """Add the scale of results as large as 120 times `step`; return the two names."""
        self.constants["y_scale"] = np.float32(step * 2 ** self.rng.uniform(-1.5, 1.5))
        if may_lack_zero and self.chance(0.2):
            return "y_scale"
        self.constants["y_zero"] = self.zero(self.dtype)
        return "y_scale,y_zero"

    def step(self, name):
        return float(np.mean(self.constants[f"{name}_scale"]))

    def finish(self, op, read, type_=None, **attributes):
        outputs = {"y": type_ or TYPES[self.dtype]}
        nodes = [(op, read, ",".join(outputs), attributes)]
        return model_of(nodes, self.inputs, self.constants, outputs), self.feeds

    def image(self, least=1):
        sides = (self.whole(least, 11), self.whole(least, 11))
        return (self.whole(1, 2), self.one_of(WIDTHS), *sides)

    def shape(self):
        return *self.sizes(7), self.one_of(WIDTHS)

    def sizes(self, most):
        return tuple(self.whole(1, most) for _ in range(self.whole(0, 3)))

    def broadcast(self):
        """Return two shapes that give one."""
        whole = (*self.sizes(9), self.one_of(WIDTHS))
        kind = self.whole(0, 4)
        part = {
            0: whole,
            1: whole[self.whole(0, len(whole) - 1) :],
            2: (),
            3: (1,) * self.whole(1, len(whole)),
            4: tuple(n if self.chance(0.5) else 1 for n in whole),
        }[kind]
        if kind == 4 and self.chance(0.5):
            whole = tuple(
                1 if p > 1 and self.chance(0.5) else n for n, p in zip(whole, part, strict=True)
            )
        return (whole, part) if self.chance(0.5) else (part, whole)

    def arithmetic(self, op):
        a, b = self.broadcast()
        known = self.one_of([None, None, "a", "b"])
        read = (
            f"{self.tensor('a', a, known=known == 'a')},{self.tensor('b', b, known=known == 'b')}"
        )
        steps = self.step("a"), self.step("b")
        step = max(steps) if op == "QLinearAdd" else 90 * math.prod(steps)
        return self.finish(f"com.microsoft.{op}", f"{read},{self.output(step)}")

    def QLinearAdd(self):
        return self.arithmetic("QLinearAdd")

    def QLinearMul(self):
        return self.arithmetic("QLinearMul")

    def QLinearConcat(self):
        shape, axis = self.shape(), self.whole(0, 3)
        axis %= len(shape)
        read = []
        for i in range(self.whole(1, 4)):
            part = (*shape[:axis], self.one_of(WIDTHS), *shape[axis + 1 :])
            read.append(self.tensor(f"x{i}", part, known=i > 0 and self.chance(0.2)))
        output = self.output(max(self.step(f"x{i}") for i in range(len(read))), False)
        axis -= len(shape) * self.whole(0, 1)
        return self.finish("com.microsoft.QLinearConcat", ",".join([output, *read]), axis=axis)

    def function(self, op, step, shape=None, **attributes):
        read = self.tensor("a", shape or self.shape())
        step = step or self.step("a")
        output = self.output(step, False)
        return self.finish(f"com.microsoft.{op}", f"{read},{output}", **attributes)

    def QLinearSigmoid(self):
        return self.function("QLinearSigmoid", 1 / 200)

    def QLinearLeakyRelu(self):
        return self.function("QLinearLeakyRelu", None, alpha=float(self.rng.uniform(-0.5, 2)))

    def QLinearSoftmax(self):
        shape, opset = self.shape(), self.one_of([11, 12, 13, 17])
        axis = self.whole(-len(shape), len(shape) - 1)
        model, feeds = self.function("QLinearSoftmax", 1, shape, axis=axis, opset=opset)
        # The oracle rounds 1 / scale down, and wraps what other zero points have it clip.
        scale = np.float32(1 / self.one_of([64, 128]))
        zero = np.array(np.iinfo(self.dtype).min)
        return with_constants(model, y_scale=scale, y_zero=zero.astype(self.dtype)), feeds

    def QLinearGlobalAveragePool(self):
        return self.function("QLinearGlobalAveragePool", None, self.image(), channels_last=0)

    def window(self, kernel):
        pads = [self.whole(0, k - 1) for k in kernel * 2]
        attributes = {"strides": [self.whole(1, min(k, 3)) for k in kernel], "pads": pads}
        if self.chance(0.3):
            attributes |= {"auto_pad": self.one_of(["SAME_UPPER", "SAME_LOWER", "VALID"])}
            del attributes["pads"]
        return attributes

    def QLinearAveragePool(self):
        kernel = [self.whole(1, 4), self.whole(1, 4)]
        attributes = self.window(kernel) | {"kernel_shape": kernel, "channels_last": 0}
        # Both at once: the oracle counts what lies behind the padding (see the test of that).
        attributes["count_include_pad"] = count = self.whole(0, 1)
        if "auto_pad" not in attributes:
            attributes["ceil_mode"] = self.whole(0, 1 - count)
        return self.function("QLinearAveragePool", None, self.image(4), **attributes)

    def weight_type(self):
        return self.one_of(["int8", "uint8"]) if self.dtype == "uint8" else "int8"

    def weights(self, shape, channels, dtype, each=0.5):
        """Add weights `w`, of one scale or one for each output channel."""
        self.value("w", shape, dtype, known=True)
        rows = (channels,) if self.chance(each) else ()
        zero = np.zeros(rows, dtype) if self.chance(0.6) else self.zero(dtype, rows)
        self.constants |= {"w_scale": self.scale(rows), "w_zero": zero}
        return "w,w_scale,w_zero"

    def products(self, count):
        return 60 * self.step("a") * self.step("w") * math.sqrt(count)

    def bias(self, channels):
        self.constants["bias"] = self.rng.integers(-9999, 9999, channels).astype(np.int32)
        return "bias"

    def convolution(self):
        """Return the shape of the input and of the weights, and attributes."""
        kernel = [self.whole(1, 4), self.whole(1, 4)]
        groups = self.one_of([1, 1, 2, 3])
        inner, outer = self.one_of([1, 2, 5, 16]), self.one_of([1, 2, 9, 16])
        image = self.image(4)
        if self.chance(0.3):
            groups, inner, outer = image[1], 1, self.one_of([1, 1, 2])  # depthwise
        attributes = self.window(kernel) | {"group": groups}
        if "auto_pad" not in attributes and self.chance(0.3):
            attributes |= {"dilations": [2, 1], "pads": [3, *attributes["pads"][1:3], 3]}
        x = (image[0], groups * inner, *image[2:])
        return x, (groups * outer, inner, *kernel), attributes

    def QLinearConv(self):
        x, w, attributes = self.convolution()
        read = f"{self.tensor('a', x)},{self.weights(w, w[0], self.weight_type())}"
        read += f",{self.output(self.products(math.prod(w[1:])), False)}"
        if self.chance(0.6):
            read += f",{self.bias(w[0])}"
        return self.finish("QLinearConv", read, **attributes)

    def ConvInteger(self):
        self.dtype = "uint8"  # the oracle has no other
        x, w, attributes = self.convolution()
        self.value("a", x, "uint8")
        self.value("w", w, "uint8", known=True)
        read = "a,w"
        if self.chance(0.7):
            self.constants["a_zero"] = self.zero("uint8")
            read += ",a_zero"
            if self.chance(0.6):
                self.constants["w_zero"] = self.zero("uint8")
                read += ",w_zero"
        return self.finish("ConvInteger", read, TensorProto.INT32, **attributes)

    def matrices(self):
        rows, inner, columns = self.whole(1, 9), self.one_of(WIDTHS), self.one_of(WIDTHS)
        stack = tuple(self.whole(1, 3) for _ in range(self.whole(0, 2)))
        a, b = (*stack, rows, inner), (inner, columns)
        return (a, (*stack, inner, columns)) if self.chance(0.3) else (a, b)

    def QLinearMatMul(self):
        a, b = self.matrices()
        read = self.tensor("a", a)
        if self.chance(0.5):
            read += f",{self.tensor('w', b, self.weight_type())}"
        else:
            read += f",{self.weights(b, b[-1], self.weight_type(), 0.5 * (len(b) == 2))}"
        read += f",{self.output(self.products(b[-2]), False)}"
        return self.finish("QLinearMatMul", read)

    def MatMulInteger(self):
        a, b = self.matrices()
        self.value("a", a, self.dtype)
        weight = self.weight_type()
        self.value("w", b, weight, self.chance(0.5))
        read = "a,w"
        if self.chance(0.7):
            self.constants["a_zero"] = self.zero(self.dtype)
            read += ",a_zero"
            if self.chance(0.6):
                rows = (b[-1],) if self.chance(0.5) and len(b) == 2 else ()
                self.constants["w_zero"] = self.zero(weight, rows)
                read += ",w_zero"
        return self.finish("MatMulInteger", read, TensorProto.INT32)

    def QGemm(self):
        rows, inner, columns = self.whole(1, 9), self.one_of(WIDTHS), self.one_of(WIDTHS)
        attributes = {"transA": self.whole(0, 1), "transB": self.whole(0, 1)}
        attributes["alpha"] = self.one_of([1.0, 1.0, 0.5, 1.7])
        a = (inner, rows) if attributes["transA"] else (rows, inner)
        b = (columns, inner) if attributes["transB"] else (inner, columns)
        read = f"{self.tensor('a', a)},{self.weights(b, columns, self.weight_type())}"
        read += f",{self.bias(columns) if self.chance(0.6) else ''}"
        if self.chance(0.2):
            return self.finish("com.microsoft.QGemm", read, TensorProto.FLOAT, **attributes)
        output = self.output(attributes["alpha"] * self.products(inner), False)
        return self.finish("com.microsoft.QGemm", f"{read},{output}", **attributes)

    def DynamicQuantizeLinear(self):
        shape = self.shape()
        x = self.rng.standard_normal(shape, np.float32) * self.one_of([1e-3, 1, 300])
        x += np.float32(self.one_of([0, 0, 1e-3, -5, 700]))
        x *= self.one_of([1, 1, 1, 0])
        self.inputs["x"], self.feeds["x"] = (shape, "float32"), np.asarray(x, np.float32)
        outputs = {"y": TensorProto.UINT8, "s": TensorProto.FLOAT, "z": TensorProto.UINT8}
        nodes = [("DynamicQuantizeLinear", "x", "y,s,z", {})]
        return model_of(nodes, self.inputs, {}, outputs), self.feeds


OPERATORS = [name for name in vars(Maker) if name[0].isupper()]
