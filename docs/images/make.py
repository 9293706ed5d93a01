"""Makes the figures of the documents anew: ``python docs/images/make.py``.

Needs ``dwsep[cli,plot]`` and a quiet machine, and takes less than two minutes there. One thread is
timed, by its CPU time. ``--pairs`` and ``--layers`` take reports that there are already.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import data_flow
import matplotlib

from dwsep import _roofline
from dwsep.cli import _plots, layers, pairs

HERE = Path(__file__).resolve().parent
NETWORK = "mobilenet_v2"


def report(saved, options):
    """Return what `dwsep bench` writes, or wrote."""
    if saved:
        return json.loads(saved.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.json")
        command = [sys.executable, "-m", "dwsep.cli", "bench", *options, "--json", str(path)]
        subprocess.run(command, check=True)
        return json.loads(path.read_text(encoding="utf-8"))


def machine(of):
    """Return the line below a title: where and when."""
    return f"{of['cpu']['name']}, {of['cpu']['isa']}, {of['date'][:10]}"


def draw_roofline(of, path):
    """Draw every layer of a network, and its blocks as they are fused, under the roofs."""
    points = [
        _roofline.Point(x["kind"], x["flops"] / x["bytes"], x["gflops"], 40) for x in of["layers"]
    ]
    slopes = _plots.bandwidth_slopes(of["bandwidths"])
    title = f"{layers.title(of)}\n{machine(of)}"
    _roofline.roofline(path, title, points, of["peak_gflops"], slopes)


def draw_speedup(of, path):
    """Draw how many times as fast as the plain and the fast standard convolution."""
    rows = [f"{x['number']}  {x['layer']}" for x in of["layers"]]
    groups = {
        "than plain loops": [x["speedup_naive"] for x in of["layers"]],
        "than dwsep.Conv2D": [x["speedup_conv2d"] for x in of["layers"]],
    }
    title = f"{pairs.title(of)}\n{machine(of)}"
    _plots.bars(str(path), title, rows, groups, "times as fast as the standard convolution")


def main():
    """Measure and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, help="of `dwsep bench --threads 1 --json`")
    parser.add_argument(
        "--layers", type=Path, help=f"of `dwsep bench --threads 1 --layers {NETWORK} --json`"
    )
    args = parser.parse_args()
    # The same reports give the same files, and letters stay letters.
    os.environ["SOURCE_DATE_EPOCH"] = "0"
    matplotlib.rcParams.update({"svg.hashsalt": "dwsep", "svg.fonttype": "none"})
    (HERE / "data_flow.svg").write_text(data_flow.draw(), encoding="utf-8")
    of_layers = report(args.layers, ["--threads", "1", "--layers", NETWORK])
    draw_roofline(of_layers, HERE / "roofline.svg")
    of_pairs = report(args.pairs, ["--threads", "1"])
    draw_speedup(of_pairs, HERE / "speedup.svg")


if __name__ == "__main__":
    main()
