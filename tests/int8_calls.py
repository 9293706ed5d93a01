"""Random calls of every operator in int8, for the loops of `dwsep.reference.int8` to judge."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

import dwsep
from dwsep.reference import int8 as plain

LAYERS = {
    "depthwise_conv2d": dwsep.DepthwiseConv2D,
    "pointwise_conv2d": dwsep.PointwiseConv2D,
    "separable_conv2d": dwsep.SeparableConv2D,
    "inverted_residual": dwsep.InvertedResidual,
    "conv2d": dwsep.Conv2D,
}
PER_CALL = ("x", "residual")
CLIPS = (None, "relu", "relu6", ("clip", -1.5, 2.25), ("clip", 0.5, float("inf")))
CHANNELS = (1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 40, 48, 63, 64, 65, 72, 96, 129)


@dataclass
class Int8Call:
    function: str
    arguments: dict[str, object]

    def run(self, **extra):
        return getattr(dwsep, self.function)(**self.arguments, **extra)

    def layer(self):
        own = {name: v for name, v in self.arguments.items() if name not in PER_CALL}
        return LAYERS[self.function](**own)

    def run_layer(self, layer=None, **extra):
        given = {name: v for name, v in self.arguments.items() if name in PER_CALL}
        return (layer or self.layer())(**given, **extra)

    def plain(self):
        return getattr(plain, self.function)(**self.arguments)

    def __repr__(self):
        shown = [
            f"{name}: {v.dtype}{v.shape}" if isinstance(v, np.ndarray) else f"{name}={v!r}"
            for name, v in self.arguments.items()
        ]
        return f"{self.function}({', '.join(shown)})"


class Maker:
    """Draws calls. `extreme`: values at the ends of their types, zero points too."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.numpy = np.random.default_rng(seed)
        self.extreme = self.rng.random() < 0.25

    def stored(self, shape, dtype):
        info = np.iinfo(dtype)
        if self.extreme and self.rng.random() < 0.5:
            return self.numpy.choice(np.array([info.min, info.max], dtype), shape)
        return self.numpy.integers(info.min, info.max + 1, shape, dtype)

    def dtype(self):
        return self.rng.choice(["int8", "int8", "uint8"])

    def zero(self, dtype, shape=()):
        info = np.iinfo(dtype)
        if self.extreme:
            return self.numpy.choice(np.array([info.min, info.max]), shape)
        return self.numpy.integers(info.min, info.max + 1, shape)

    def tensor(self, channels=0, dtype=None):
        """Return the quantization of an activation; with channels, one for each."""
        dtype = dtype or self.dtype()
        shape = (channels,) if channels else ()
        scale = np.float32(2.0) ** self.numpy.uniform(-8, 1, shape).astype(np.float32)
        return dwsep.Quantization(scale, self.zero(dtype, shape), dtype)

    def weight(self, shape, channels):
        """Return weights and their quantization."""
        asymmetric = self.rng.random() < 0.2
        dtype = self.rng.choice(["int8", "uint8"]) if asymmetric else "int8"
        each = (channels,) if self.rng.random() < 0.7 else ()
        scale = np.float32(2.0) ** self.numpy.uniform(-9, -3, each).astype(np.float32)
        zero = self.zero(dtype, each if self.rng.random() < 0.5 else ()) if asymmetric else 0
        if np.ndim(zero) == 0:
            zero = int(zero)
        return self.stored(shape, dtype), dwsep.Quantization(scale, zero, dtype)

    def bias(self, channels):
        kind = self.rng.randrange(3)
        if kind == 0:
            return None
        if kind == 1:
            return self.numpy.integers(-20000, 20000, channels).astype(np.int32)
        return self.numpy.normal(0, 3, channels).astype(np.float32)

    def channels(self, most=150):
        return self.rng.choice([c for c in CHANNELS if c <= most] + [self.rng.randint(1, most)])

    def output(self, channels, residual=False):
        """Return the quantization of a last stage, or None for float32."""
        kind = self.rng.random()
        if kind < 0.2:
            return None
        return self.tensor(channels if kind > 0.85 and not residual else 0)

    def window(self, options, kernel):
        options["stride"] = self.rng.choice([(1, 1), (2, 2), (1, 2), (3, 1)])
        options["dilation"] = dilation = self.rng.choice([(1, 1), (1, 1), (2, 2), (1, 3)])
        sides = tuple((self.rng.randint(0, 3), self.rng.randint(0, 3)) for _ in range(2))
        size = options["x"].shape[-3:-1]
        axes = zip(size, sides, kernel, dilation, strict=True)
        fits = all(n + sum(side) > (k - 1) * d for n, side, k, d in axes)
        options["padding"] = self.rng.choice(["same", "same_lower", sides if fits else "same"])

    def kernel(self):
        return self.rng.choice([(3, 3), (3, 3), (5, 5), (1, 1), (7, 7), (2, 4), (3, 1), (1, 6)])

    def image(self, channels, q):
        batch = self.rng.choice([(), (1,), (1,), (2,), (3,)])
        size = self.rng.choice([(1, 1), (7, 7), (self.rng.randint(1, 12), self.rng.randint(1, 14))])
        if self.rng.random() < 0.1 and channels < 100:  # worth several threads
            size = (self.rng.randint(14, 40), self.rng.randint(14, 40))
        return self.stored((*batch, *size, channels), q.dtype)

    def clip(self):
        return self.rng.choice(CLIPS)

    def finish(self, function, a, channels):
        """Add what all last stages have, and a residual to some."""
        residual = function != "depthwise_conv2d" and self.rng.random() < 0.4
        a["activation"] = self.clip()
        a["quantization"] = self.output(channels, residual)
        if residual:
            q = a["residual_quantization"] = self.tensor()
            call = Int8Call(function, {k: v for k, v in a.items() if k != "residual_quantization"})
            shape = call.plain().shape
            a["residual"] = self.stored(shape, q.dtype)
        return Int8Call(function, a)

    def depthwise_conv2d(self):
        c, m, k = self.channels(), self.rng.choice([1, 1, 1, 2, 3]), self.kernel()
        a = {"x_quantization": self.tensor(c if self.rng.random() < 0.3 else 0)}
        a["x"] = self.image(c, a["x_quantization"])
        a["weight"], a["weight_quantization"] = self.weight((*k, c, m), c * m)
        a["bias"] = self.bias(c * m)
        self.window(a, k)
        return self.finish("depthwise_conv2d", a, c * m)

    def pointwise_conv2d(self):
        c, n = self.channels(), self.channels()
        if self.rng.random() < 0.1:  # many panels: rows are copied before tiles read them
            c, n = self.rng.randint(1, 500), self.rng.randint(350, 700)
        a = {"x_quantization": self.tensor()}
        a["x"] = self.image(c, a["x_quantization"])
        a["weight"], a["weight_quantization"] = self.weight((c, n), n)
        a["bias"] = self.bias(n)
        return self.finish("pointwise_conv2d", a, n)

    def conv2d(self):
        groups = self.rng.choice([1, 1, 2, 3, 5])
        c, n = groups * self.channels(24), groups * self.channels(40)
        if self.rng.random() < 0.2:  # of few channels, which are computed together
            groups = self.rng.choice([4, 6, 15, 32])
            c, n = groups * self.rng.randint(1, 4), groups * self.rng.randint(1, 8)
        a = {"x_quantization": self.tensor(), "groups": groups}
        if self.rng.random() < 0.1:
            c = a["groups"] = n  # depthwise
        a["x"] = self.image(c, a["x_quantization"])
        kernel = self.kernel()
        shape = (*kernel, c // a["groups"], n)
        a["weight"], a["weight_quantization"] = self.weight(shape, n)
        a["bias"] = self.bias(n)
        self.window(a, kernel)
        return self.finish("conv2d", a, n)

    def separable_conv2d(self):
        c, m, n, k = self.channels(), self.rng.choice([1, 1, 2]), self.channels(), self.kernel()
        a = {"x_quantization": self.tensor(c if self.rng.random() < 0.2 else 0)}
        a["x"] = self.image(c, a["x_quantization"])
        self.two_stages(a, c, m, n, k)
        return self.finish("separable_conv2d", a, n)

    def two_stages(self, a, c, m, n, k):
        w, q = self.weight((*k, c, m), c * m)
        a["depthwise_weight"], a["depthwise_weight_quantization"] = w, q
        a["depthwise_bias"], a["depthwise_activation"] = self.bias(c * m), self.clip()
        a["depthwise_quantization"] = self.tensor()
        a["weight"], a["weight_quantization"] = self.weight((c * m, n), n)
        a["bias"] = self.bias(n)
        self.window(a, k)

    def inverted_residual(self):
        c, e, m, n = self.channels(40), self.channels(), self.rng.choice([1, 1, 2]), self.channels()
        a = {"x_quantization": self.tensor()}
        a["x"] = self.image(c, a["x_quantization"])
        a["expand_weight"], a["expand_weight_quantization"] = self.weight((c, e), e)
        a["expand_bias"], a["expand_activation"] = self.bias(e), self.clip()
        a["expand_quantization"] = self.tensor(e if self.rng.random() < 0.3 else 0)
        self.two_stages(a, e, m, n, self.kernel())
        return self.finish("inverted_residual", a, n)


def random_call(function: str, seed: int) -> Int8Call:
    return getattr(Maker(seed), function)()
