"""Run a large set of images through a network on a Dask cluster: all cores, or many machines.

Run it with ``pip install ".[examples,onnx]"`` and

    python examples/batch_dask.py network.onnx images.npy --out results.npy

where ``images.npy`` is an array of all inputs, one after the other. That starts a process for each
core of this machine; ``--scheduler tcp://host:8786`` uses a cluster that is there already, whose
workers need dwsep and must find ``images.npy`` under the same path. The network travels once to
each worker, ready to run; images are read by the worker that needs them; every process runs one
dwsep thread, as whole images in parallel need no other. Results have the same bits as those of a
single process: neither batches nor threads nor machines change any, as long as all have fused
multiply-adds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from dask.distributed import Client, LocalCluster, WorkerPlugin, as_completed, get_worker
from numpy.typing import NDArray

import dwsep

Array = NDArray[np.float32]


class NetworkOnWorker(WorkerPlugin):
    """Gives every worker the network, also those that join later."""

    name = "dwsep-network"

    def __init__(self, model: dwsep.Model) -> None:
        self.model = model

    def setup(self, worker: Any) -> None:
        """Keep the network where tasks find it."""
        worker.dwsep_model = self.model


def predict(images: str, start: int, stop: int) -> tuple[int, Array]:
    """Run on a worker: the results of some images, and where they belong."""
    chunk = np.load(images, mmap_mode="r")[start:stop]
    results: Array = get_worker().dwsep_model(np.ascontiguousarray(chunk), num_threads=1)
    return start, results


def results(client: Client, images: Path, count: int, chunk: int) -> Iterator[tuple[int, Array]]:
    """Results of all chunks as they become ready, with a progress bar on a terminal."""
    starts = range(0, count, chunk)
    paths, stops = [str(images)] * len(starts), [min(s + chunk, count) for s in starts]
    futures = client.map(predict, paths, starts, stops, pure=False)
    finished = as_completed(futures, with_results=True)
    for done, (future, result) in enumerate(finished, 1):
        yield result
        future.release()  # so that workers keep no results that are here already
        if sys.stderr.isatty():
            bar = "#" * (40 * done // len(futures))
            end = "\n" if done == len(futures) else ""
            print(f"\r[{bar:<40}] {done} of {len(futures)}", end=end, file=sys.stderr, flush=True)


def local_cluster(workers: int) -> LocalCluster:
    """Start processes on this machine, each with one thread."""
    return LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
    )


def main() -> int:
    """Run all images; 0 if that worked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("network", type=Path, help="an .onnx or .dwsep file")
    parser.add_argument("images", type=Path, help="a .npy file of float32, one image after another")
    parser.add_argument("--out", type=Path, required=True, help="the .npy file for the results")
    parser.add_argument("--scheduler", help="address of a cluster; default: this machine")
    parser.add_argument("--workers", type=int, default=dwsep.get_num_threads())
    parser.add_argument("--chunk", type=int, default=64, help="images in a task")
    args = parser.parse_args()

    model = dwsep.load(args.network)
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        parser.error(f"network: need one input and one output, got {model!r}")
    images = args.images.resolve()
    count = len(np.load(images, mmap_mode="r"))
    shape = (count, *model.outputs[0].shape[1:])
    own_cluster = nullcontext(args.scheduler) if args.scheduler else local_cluster(args.workers)
    with own_cluster as cluster, Client(cluster) as client:
        client.register_plugin(NetworkOnWorker(model))
        out = np.lib.format.open_memmap(args.out, "w+", np.float32, shape)
        for start, chunk in results(client, images, count, args.chunk):
            out[start : start + len(chunk)] = chunk
        out.flush()
    print(f"{count} images, results of shape {shape} in {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
