"""What `benchmarks.peers` writes of its report: tables, plots, and both in a document."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from statistics import geometric_mean
from typing import Any

from benchmarks.contents import depth, with_contents

__all__ = ["best_peer", "draw", "markers", "text", "together", "write_docs"]


def markers(section: str = "peers") -> tuple[str, str]:
    """Return the lines of a document between which a section's figures stand."""
    return f"<!-- {section}:begin -->", f"<!-- {section}:end -->"


def _table(report: dict[str, Any], threads: int, kinds: set[str]) -> str:
    from dwsep.cli._terminal import plain_table

    rows = []
    peers = list(report["peers"])
    entries = [e for e in report["entries"] if e["threads"] == threads and e["kind"] in kinds]
    for entry in entries:
        times = [entry["seconds"].get(name) for name in ("dwsep", *peers)]
        best = best_peer(entry)
        cells = [
            "-" if t is None else f"{t * 1e6:,.1f}{'*' * (name in entry.get('differ', ()))}"
            for name, t in zip(("dwsep", *peers), times, strict=True)
        ]
        rows.append([entry["name"], *cells, f"{best:.2f}", *_int8_cells(report, entry)])
    headers = ["", "dwsep us", *(f"{name} us" for name in peers), "best peer / dwsep"]
    if any("own_float32" in entry for entry in entries):
        headers += ["of int8 peak", "own float32 / dwsep"]
    return plain_table(headers, rows) if rows else ""


def best_peer(entry: dict[str, Any]) -> float:
    """Return the time of the fastest library whose result is exact, divided by dwsep's."""
    inexact = entry.get("inexact", entry.get("differ", ()))
    exact = (ratio for name, ratio in entry["times_as_fast"].items() if name not in inexact)
    return min(exact, default=float("nan"))


def _int8_cells(report: dict[str, Any], entry: dict[str, Any]) -> list[str]:
    if "own_float32" not in entry:
        return []
    reached = entry["flops"] / entry["seconds"]["dwsep"] / 1e9
    return [f"{reached / _int8_peak(report, entry):.0%}", f"{entry['own_float32']:.2f}"]


def _int8_peak(report: dict[str, Any], entry: dict[str, Any]) -> float:
    family = "depthwise" if entry["kind"] == "int8 depthwise" else "pointwise"
    return report["int8_peaks"][family] * min(entry["threads"], report["cpu"]["cpus"])


def _means(report: dict[str, Any], threads: int) -> str:
    """Tabulate geometric means over the layers or networks that each peer ran."""
    from dwsep.cli._terminal import plain_table

    rows = []
    for kind in dict.fromkeys(e["kind"] for e in report["entries"]):
        of_kind = [e for e in report["entries"] if (e["threads"], e["kind"]) == (threads, kind)]
        if not of_kind:
            continue
        cells = []
        for peer in report["peers"]:
            ratios = [e["times_as_fast"][peer] for e in of_kind if peer in e["times_as_fast"]]
            cells.append(f"{geometric_mean(ratios):.2f} ({len(ratios)})" if ratios else "-")
        best = [b for b in map(best_peer, of_kind) if not isnan(b)]
        last = [f"{geometric_mean(best):.2f}", f"{min(best):.2f}"] if best else ["-", "-"]
        if own := [e["own_float32"] for e in of_kind if "own_float32" in e]:
            last += [f"{geometric_mean(own):.2f}", f"{min(own):.2f}"]
        rows.append([kind, *cells, *last])
    headers = ["", *(f"{name} / dwsep" for name in report["peers"]), "best peer / dwsep", "worst"]
    if any("own_float32" in e for e in report["entries"]):
        headers += ["own float32 / dwsep", "worst"]
    return plain_table(headers, rows)


def _headline(report: dict[str, Any]) -> tuple[str, str, str]:
    """Return what ran, on which processor, and on which system."""
    peers = ", ".join(f"{name} {version}" for name, version in report["peers"].items())
    cpu = report["cpu"]
    return (
        f"dwsep {report['dwsep']} and {peers or 'no peers'}",
        f"{cpu['name']}, {cpu['isa']}, {cpu['cpus']} CPUs",
        f"Python {report['python']}, {report['system']}",
    )


def together(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one report of several that one machine made."""
    first = reports[0]
    for report in reports[1:]:
        got, wanted = _headline(report), _headline(first)
        if got != wanted:
            raise ValueError(f"need reports of one machine: {wanted}, got {got}")
    return {
        **first,
        "peak_gflops": max(report["peak_gflops"] for report in reports),
        "command": "\n".join(dict.fromkeys(report["command"] for report in reports)),
        "entries": [entry for report in reports for entry in report["entries"]],
    }


def text(report: dict[str, Any], images: list[str], level: int = 2) -> str:
    """Return the figures in Markdown, below a heading of some level."""
    libraries, cpu, system = _headline(report)
    parts = [
        f"{libraries}; {cpu}, {report['peak_gflops']:.0f} GFLOP/s a core; {system};"
        f" {report['date'][:10]}. Made by\n\n```sh\n{report['command']}\n```",
        *images,
    ]
    for threads in dict.fromkeys(e["threads"] for e in report["entries"]):
        many = f"{threads} thread{'s' * (threads != 1)}"
        parts += [
            f"{'#' * (level + 1)} {many.capitalize()}",
            "Times as fast as each peer, geometric means (over so many); the worst of all against"
            " the best peer of each.",
            _int8_note(report),
            _means(report, threads),
        ]
        kinds = dict.fromkeys(e["kind"] for e in report["entries"])
        for kind in kinds:
            heading = f"{'#' * (level + 2)} {kind.capitalize()}, {many}"
            parts += [heading, _table(report, threads, {kind})]
    return "\n\n".join(part for part in parts if part)


def _int8_note(report: dict[str, Any]) -> str:
    if not any("own_float32" in entry for entry in report["entries"]):
        return ""
    peaks = ", ".join(f"{peak:,.0f} for {f}" for f, peak in report["int8_peaks"].items())
    return (
        "A time with * is of other numbers: sums that saturate, or another rounding; neither it nor"
        " a library that may saturate on this processor counts as the best peer. onnxruntime is"
        " made exact, by weights of uint8 or session.x64quantprecision, onnxruntime-fast is not."
        f" int8 peaks, GOP/s a core: {peaks} kernels."
    )


def draw(report: dict[str, Any], folder: Path, section: str = "peers") -> list[Path]:
    """Draw the speed-ups and the roofline of one thread."""
    from dwsep.cli import _plots

    _plots.require()
    threads = report["entries"][0]["threads"]
    entries = [e for e in report["entries"] if e["threads"] == threads]
    made = []
    groups: dict[str, list[float]] = {peer: [] for peer in report["peers"]}
    rows = [e for e in entries if e["kind"].endswith("network")] or entries
    for entry in rows:
        for peer, values in groups.items():
            values.append(entry["times_as_fast"].get(peer, float("nan")))
    groups = {peer: values for peer, values in groups.items() if not all(map(isnan, values))}
    title = f"dwsep {report['dwsep']}, {report['cpu']['name']}, threads: {threads}"
    if groups:
        made.append(folder / f"{section}_speedup.png")
        names = [entry["name"] for entry in rows]
        _plots.bars(str(made[-1]), title, names, groups, "times as fast as the peer", linear=True)
    points = [
        _plots.Point(e["kind"], e["flops"] / e["bytes"], e["flops"] / e["seconds"]["dwsep"] / 1e9)
        for e in entries
        if "bytes" in e
    ]
    int8 = any("own_float32" in e for e in entries)
    if points and threads == 1:
        made.append(folder / f"{section}_roofline.png")
        slopes = _plots.bandwidth_slopes(report["bandwidths"])
        peaks = report["int8_peaks"] if int8 else None
        _plots.roofline(str(made[-1]), title, points, report["peak_gflops"], slopes, peaks)
    return made


def write_docs(path: Path, report: dict[str, Any], section: str = "peers") -> None:
    """Put figures and plots between the markers of a document, means into its contents."""
    begin, end = markers(section)
    document = path.read_text(encoding="utf-8")
    if document.count(begin) != 1 or document.count(end) != 1:
        raise SystemExit(f"{path}: need the lines {begin} and {end} once each")
    folder = path.parent / "images"
    folder.mkdir(exist_ok=True)
    drawn = draw(report, folder, section)
    images = [f"![{made.stem.replace('_', ' ')}](images/{made.name})" for made in drawn]
    before, _, rest = document.partition(begin)
    after = rest.partition(end)[2]
    figures = text(report, images, depth(before))
    path.write_text(with_contents(f"{before}{begin}\n\n{figures}\n\n{end}{after}"), "utf-8")
