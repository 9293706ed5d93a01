"""Whole networks, with random weights: time and memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import attribute, skip_unless_cpus

# Name of the builder in dwsep.models, and the side of its images.
NETWORKS = {
    "mobilenet_v1": 224,
    "mobilenet_v2": 224,
    "mobilenet_v3_large": 224,
    "efficientnet_b0": 224,
    "mnasnet": 224,
    "xception": 299,
}


def load(name: str) -> Any:
    """Build the network and load it; skip the benchmark on a commit that cannot."""
    loader = attribute("dwsep", "load")
    return loader(attribute("dwsep.models", name)())


def image(name: str) -> np.ndarray:
    """Return a random image, NCHW."""
    side = NETWORKS[name]
    return np.random.default_rng(0).random((1, 3, side, side), dtype=np.float32)


class Networks:
    """One image through a network that is loaded already."""

    param_names = ("network", "threads")
    params = (list(NETWORKS), [1, 2])
    timeout = 300

    def setup(self, name: str, threads: int) -> None:
        skip_unless_cpus(threads)
        model, x = load(name), image(name)
        attribute("dwsep", "set_num_threads")(threads)
        model(x)
        self.call = lambda: model(x)

    def time_run(self, name: str, threads: int) -> None:
        self.call()


def load_quantized(name: str) -> Any:
    """Build the network, quantize it, and give what a file of it holds."""
    quantize = attribute("dwsep", "quantize")
    graph = attribute("dwsep.models", name)()
    return quantize(graph, [image(name)], method="minmax")


class QuantizedNetworks:
    """The same in int8."""

    param_names = ("network", "threads")
    params = ([name for name in NETWORKS if name != "xception"], [1, 2])
    timeout = 300

    def setup(self, name: str, threads: int) -> None:
        skip_unless_cpus(threads)
        model, x = load_quantized(name), image(name)
        attribute("dwsep", "set_num_threads")(threads)
        model(x)
        self.call = lambda: model(x)

    def time_run(self, name: str, threads: int) -> None:
        self.call()


class NetworkMemory:
    """Peak memory of a process that builds a network, loads it and runs it once."""

    param_names = ("network",)
    params = (["mobilenet_v2", "efficientnet_b0"],)
    timeout = 300

    def setup(self, name: str) -> None:
        attribute("dwsep", "load")
        attribute("dwsep.models", name)

    def peakmem_run(self, name: str) -> None:
        load(name)(image(name))


class Loading:
    """From the ONNX graph to a model that is ready to run."""

    param_names = ("network",)
    params = (["mobilenet_v2"],)
    timeout = 300

    def setup(self, name: str) -> None:
        loader, graph = attribute("dwsep", "load"), attribute("dwsep.models", name)()
        self.call = lambda: loader(graph)

    def time_load(self, name: str) -> None:
        self.call()
