"""Tables and progress bars: rich's on a terminal that has it, plain Markdown elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Progress", "plain_table", "print_table", "steps"]

T = TypeVar("T")
Row = Sequence[str]
_SILENCE_SECONDS = 2.0


def _console(stream: TextIO | None) -> Console | None:
    """Rich's console on `stream`; None when it is no terminal or rich is not installed."""
    if stream is None or not stream.isatty():  # None where the process has no such stream
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(file=stream)


def plain_table(headers: Row, rows: Sequence[Row]) -> str:
    """Text of a table in Markdown: first column to the left, numbers to the right.

    Examples
    --------
    >>> print(plain_table(["layer", "us"], [["1", "20"], ["geomean", "3"]]))
    | layer   | us |
    |:--------|---:|
    | 1       | 20 |
    | geomean |  3 |
    """
    widths = [max(len(cell) for cell in column) for column in zip(headers, *rows, strict=True)]

    def line(cells: Row) -> str:
        first = cells[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "| " + " | ".join([first, *rest]) + " |"

    rule = "|:" + "-" * (widths[0] + 1) + "|" + "".join("-" * (w + 1) + ":|" for w in widths[1:])
    return "\n".join([line(headers), rule, *map(line, rows)])


def print_table(title: str, headers: Row, rows: Sequence[Row], notes: Sequence[str] = ()) -> None:
    """Print a titled table to standard output, its last row set off from the others."""
    plain = plain_table(headers, rows)
    console = _console(sys.stdout)
    # A table that rich would have to squeeze reads worse than one that the terminal wraps.
    if console is None or console.width < len(plain.partition("\n")[0]):
        print(f"{title}\n\n{plain}\n")
        print(*notes, sep="\n", end="\n" if notes else "")
        return
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold")
    for index, header in enumerate(headers):
        table.add_column(header, justify="right" if index else "left", no_wrap=True)
    for index, row in enumerate(rows):
        table.add_row(*row, end_section=index == len(rows) - 2)
    console.print(table)
    for note in notes:
        console.print(note, highlight=False)


def steps(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Pass `items` through; progress on standard error: a bar of rich's, else a line now and then.

    A line comes only when two seconds have passed since the last, so short work says nothing.
    """
    console = _console(sys.stderr)
    if console is None:
        last = time.monotonic()
        for done, item in enumerate(items):
            if time.monotonic() - last >= _SILENCE_SECONDS:
                print(f"{what}: {done} of {total} done", file=sys.stderr, flush=True)
                last = time.monotonic()
            yield item
        return
    from rich.progress import Progress

    # Drawn between the steps only: a thread that redraws would disturb what they measure.
    with Progress(console=console, auto_refresh=False, transient=True) as progress:
        task = progress.add_task(what, total=total)
        progress.refresh()
        for item in items:
            yield item
            progress.update(task, advance=1, refresh=True)


class Progress:
    """Shows how far work in stages is, where it is called; on standard error, as `steps` does."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Progress:
        console = _console(sys.stderr)
        if console is not None:
            from rich import progress

            self._bar = progress.Progress(console=console, auto_refresh=False, transient=True)
            self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """Tell how much of a stage is done."""
        if self._bar is not None:
            if what not in self._tasks:
                self._tasks[what] = self._bar.add_task(what)
            self._bar.update(self._tasks[what], completed=done, total=total, refresh=True)
        elif time.monotonic() - self._last >= _SILENCE_SECONDS:
            of = "" if total is None else f" of {total}"
            print(f"{what}: {done}{of} done", file=sys.stderr, flush=True)
            self._last = time.monotonic()
