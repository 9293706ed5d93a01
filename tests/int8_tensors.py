"""Random tensors of bytes, and networks of one step that take them."""

from __future__ import annotations

import numpy as np

from dwsep import _core


class Draw:
    """Random tensors, of extreme zero points and scales now and then."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def one_of(self, values):
        return values[self.rng.integers(len(values))]

    def sizes(self, least, most, count):
        """Return sizes; one time in ten up to 50, which is worth several threads."""
        most = 50 if self.rng.random() < 0.1 else most
        return [int(n) for n in self.rng.integers(least, most + 1, count)]

    def quantization(self, dtype):
        low = np.iinfo(dtype).min
        zero = self.one_of([low, low + 255, low + 128, int(self.rng.integers(low, low + 256))])
        scale = self.one_of([0.01, 0.01, 1e-4, 1e4]) * self.rng.uniform(0.3, 3)
        return (float(np.float32(scale)), zero)

    def tensor(self, shape):
        """Return values, their quantization, and what the builder takes of both."""
        dtype = self.one_of(["int8", "int8", "uint8"])
        low = np.iinfo(dtype).min
        kind = self.rng.integers(4)
        x = self.rng.integers(low, low + 256, shape)
        x = np.where(x < low + 128, low, low + 255) if kind == 0 else x
        return x.astype(dtype), self.quantization(dtype)

    def output(self, real=True):
        if real and self.rng.integers(4) == 0:
            return None
        dtype = self.one_of(["int8", "int8", "uint8"])
        return (*self.quantization(dtype), dtype)


def output_attributes(out):
    return {} if out is None else {"to": out[2], "scale": [out[0]], "zero_point": [out[1]]}


def build(kind, tensors, attributes, batch=-1):
    """Return a network of one step; a tensor without a quantization is of real numbers."""
    builder = _core.NetworkBuilder()
    numbers = [
        builder.input(str(i), (batch, *x.shape[1:]), x.dtype.name, q and ([q[0]], [q[1]], -1))
        for i, (x, q) in enumerate(tensors)
    ]
    builder.output("y", builder.step(kind, "it", numbers, attributes, {}))
    return _core.Network.from_bytes(builder.finish().to_bytes())


def run(kind, tensors, attributes, batch=-1):
    """Return what a step makes of tensors, the same by one, two and three threads."""
    network, arrays = build(kind, tensors, attributes, batch), [x for x, _ in tensors]
    one, two, three = (network.run(arrays, threads)[0] for threads in (1, 2, 3))
    assert one.tobytes() == two.tobytes() == three.tobytes()
    return one
