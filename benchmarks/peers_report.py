"""What `benchmarks.peers` writes of its report: tables, plots, and both in a document."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from statistics import geometric_mean
from typing import Any

__all__ = ["draw", "markers", "text", "write_docs"]


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
        best = min(entry["times_as_fast"].values(), default=float("nan"))
        cells = ["-" if t is None else f"{t * 1e6:,.1f}" for t in times]
        rows.append([entry["name"], *cells, f"{best:.2f}"])
    headers = ["", "dwsep us", *(f"{name} us" for name in peers), "best peer / dwsep"]
    return plain_table(headers, rows) if rows else ""


def _means(report: dict[str, Any], threads: int) -> str:
    """Tabulate geometric means over the layers or networks that each peer ran."""
    from dwsep.cli._terminal import plain_table

    rows = []
    for kind in dict.fromkeys(e["kind"] for e in report["entries"]):
        of_kind = [e for e in report["entries"] if (e["threads"], e["kind"]) == (threads, kind)]
        cells = []
        for peer in report["peers"]:
            ratios = [e["times_as_fast"][peer] for e in of_kind if peer in e["times_as_fast"]]
            cells.append(f"{geometric_mean(ratios):.2f} ({len(ratios)})" if ratios else "-")
        best = [min(e["times_as_fast"].values()) for e in of_kind if e["times_as_fast"]]
        last = [f"{geometric_mean(best):.2f}", f"{min(best):.2f}"] if best else ["-", "-"]
        rows.append([kind, *cells, *last])
    headers = ["", *(f"{name} / dwsep" for name in report["peers"]), "best peer / dwsep", "worst"]
    return plain_table(headers, rows)


def text(report: dict[str, Any], images: list[str]) -> str:
    """Return the figures in Markdown."""
    peers = ", ".join(f"{name} {version}" for name, version in report["peers"].items())
    cpu = report["cpu"]
    parts = [
        f"dwsep {report['dwsep']} and {peers or 'no peers'}; {cpu['name']}, {cpu['isa']},"
        f" {cpu['cpus']} CPUs, {report['peak_gflops']:.0f} GFLOP/s a core; Python"
        f" {report['python']}, {report['system']}; {report['date'][:10]}. Made by\n\n"
        f"```sh\n{report['command']}\n```",
        *images,
    ]
    for threads in dict.fromkeys(e["threads"] for e in report["entries"]):
        many = f"{threads} thread{'s' * (threads != 1)}"
        parts += [
            f"### {many.capitalize()}",
            "Times as fast as each peer, geometric means (over so many); the worst of all against"
            " the best peer of each.",
            _means(report, threads),
        ]
        kinds = dict.fromkeys(e["kind"] for e in report["entries"])
        for kind in kinds:
            parts += [f"#### {kind.capitalize()}, {many}", _table(report, threads, {kind})]
    return "\n\n".join(part for part in parts if part)


def draw(report: dict[str, Any], folder: Path, section: str = "peers") -> list[Path]:
    """Draw the speed-ups and the roofline of one thread."""
    from dwsep.cli import _plots

    _plots.require()
    threads = report["entries"][0]["threads"]
    entries = [e for e in report["entries"] if e["threads"] == threads]
    made = []
    groups: dict[str, list[float]] = {peer: [] for peer in report["peers"]}
    rows = [e for e in entries if e["kind"] == "network"] or entries
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
        if "flops" in e
    ]
    if points and threads == 1:
        made.append(folder / f"{section}_roofline.png")
        slopes = _plots.bandwidth_slopes(report["bandwidths"])
        _plots.roofline(str(made[-1]), title, points, report["peak_gflops"], slopes)
    return made


def write_docs(path: Path, report: dict[str, Any], section: str = "peers") -> None:
    """Put figures and plots between the markers of a document."""
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
    figures = text(report, images)
    path.write_text(f"{before}{begin}\n\n{figures}\n\n{end}{after}", "utf-8")
