"""The first table of a document of figures: what each section has, where, when, and its means."""

from __future__ import annotations

import re

__all__ = ["depth", "with_contents"]

BEGIN, END = "<!-- contents:begin -->", "<!-- contents:end -->"
_HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)
_THREADS = re.compile(r"^#+ (\d+ threads?)$", re.MULTILINE)
_SECTION = re.compile(
    r"<!-- ([\w-]+):begin -->\n\ndwsep \S+ and (.*?) Made by\n(.*?)<!-- \1:end -->", re.S
)


def depth(before: str) -> int:
    """Return the level of the last heading, below which figures have theirs."""
    return max((len(m[1]) for m in list(_HEADING.finditer(before))[-1:]), default=1)


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _means(figures: str) -> str:
    """Return the threads of the first table, each kind's geometric mean, and its worst row."""
    threads = _THREADS.search(figures, 0, figures.index("\n|"))
    table = figures[figures.index("\n|") + 1 :].partition("\n\n")[0].splitlines()
    names, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table]
    best = names.index("best peer / dwsep")
    means = ", ".join(f"{row[0]} {row[best]} ({row[best + 1]})" for row in rows)
    return f"{threads[1]}: {means}" if threads else means


def with_contents(document: str) -> str:
    """Return a document whose table of sections says what they say; others as they are."""
    if BEGIN not in document:
        return document
    lines = [
        "| section | processor | date | fastest peer / dwsep (worst row) |",
        "|:--|:--|:--|:--|",
    ]
    for section in _SECTION.finditer(document):
        above = list(_HEADING.finditer(document, 0, section.start()))
        heading = above[-1][2]
        name = heading
        if len(above[-1][1]) > 2:  # by its chapter too
            name = f"{next(m[2] for m in reversed(above) if len(m[1]) == 2)}: {heading}"
        _, cpu, _, date = section[2].rsplit("; ", 3)
        cells = [f"[{name}](#{_anchor(heading)})", ", ".join(cpu.split(", ")[:2])]
        cells += [date.rstrip("."), _means(section[3])]
        lines.append(f"| {' | '.join(cells)} |")
    before, _, rest = document.partition(BEGIN)
    table = "\n".join(lines)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{rest.partition(END)[2]}"
