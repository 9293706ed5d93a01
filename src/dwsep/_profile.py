"""Where the time of a network goes, step by step, against what the machine could reach."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ._json import to_json
from ._roofline import Point, dot_area, roofline
from ._summary import StepRow
from ._table import shape_text, shortened, table

if TYPE_CHECKING:
    import os

__all__ = ["Profile", "StepSpan", "StepTime"]


@dataclass(frozen=True)
class StepTime:
    """A step of a network and its time.

    Attributes
    ----------
    step : StepRow
        What it is and how much it has to do.
    seconds : float
        Median over the rounds; 0 for steps that take no time.
    gflops : float
        Operations a nanosecond, a multiply-add being two.
    limit_seconds : float
        The least time that the machine allows, see :attr:`bound`; 0 for steps that take no time.
    bound : str
        "compute" where the arithmetic sets the limit, "memory" where moving inputs, weights and
        output does.
    level : str
        The level of memory that these fit in together: "L1D", "L2", "L3" or "memory".
    share_of_limit : float
        `limit_seconds / seconds`: 1 at the roofline. More is possible where a step finds in a
        faster level what the one before has left there.
    """

    step: StepRow
    seconds: float
    gflops: float
    limit_seconds: float
    bound: str
    level: str
    share_of_limit: float


class StepSpan(NamedTuple):
    """When a thread worked on some steps, in seconds from the beginning of the call.

    Attributes
    ----------
    step, steps : int
        The number of the first, counted from 0, and how many run as one.
    thread : int
    begin, end : float
    """

    step: int
    steps: int
    thread: int
    begin: float
    end: float


@dataclass(frozen=True)
class Profile:
    """The times of a network's steps; prints as a table.

    Attributes
    ----------
    name : str
        Of the network.
    threads, rounds : int
    rows : list of StepTime
        In the order in which they run.
    seconds : float
        Of a whole call, the median over the rounds. Where other programs want the processor it is
        more than the steps take together, whose medians leave interruptions out.
    gflops : float
        Of a whole call.
    flops : float
        Operations of a call.
    limit_seconds : float
        Sum over the rows.
    peak_gflops : float
        What the threads reach with fused multiply-adds in registers.
    bandwidths : dict of str to float
        GB/s that the threads read from each level of memory.
    spans : list of StepSpan
        When each thread worked on each step, in one call.
    """

    name: str
    threads: int
    rounds: int
    rows: list[StepTime]
    seconds: float
    gflops: float
    flops: float
    limit_seconds: float
    peak_gflops: float
    bandwidths: dict[str, float]
    spans: list[StepSpan]

    def to_json(self) -> str:
        """Return everything as the text of a JSON object."""
        return to_json(asdict(self))

    def save_trace(self, path: str | os.PathLike[str]) -> None:
        """Write one call in Chrome's trace format, which https://ui.perfetto.dev shows.

        There is a row for each thread, and in it a bar for each step that the thread worked on.
        Small steps in a row that run part by part are one bar.

        Parameters
        ----------
        path : path
            Of a JSON file.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        events: list[dict[str, Any]] = [
            {"ph": "M", "name": "thread_name", "pid": 1, "tid": t, "args": {"name": f"thread {t}"}}
            for t in sorted({span.thread for span in self.spans})
        ]
        for span in self.spans:
            rows = [row.step for row in self.rows[span.step : span.step + span.steps]]
            first = rows[0]
            events.append(
                {
                    "ph": "X",
                    "name": " ".join(row.name for row in rows),
                    "cat": first.kind,
                    "pid": 1,
                    "tid": span.thread,
                    "ts": span.begin * 1e6,
                    "dur": (span.end - span.begin) * 1e6,
                    "args": {
                        "kind": " ".join(row.kind for row in rows),
                        "kernel": first.kernel,
                        "output": shape_text(rows[-1].output),
                        "flops": sum(row.flops for row in rows),
                    },
                }
            )
        with open(path, "w", encoding="utf-8") as file:
            file.write(to_json({"displayTimeUnit": "ns", "traceEvents": events}))

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Draw a roofline plot of the steps into a picture file.

        Williams, Waterman, Patterson: "Roofline: An Insightful Visual Performance Model for
        Multicore Architectures", 2009.

        Parameters
        ----------
        path : path
            Its suffix decides the format: ``.png``, ``.svg``, ``.pdf``, ...

        Raises
        ------
        ImportError
            If matplotlib is missing: ``pip install 'dwsep[plot]'``.
        ValueError
            If matplotlib does not know the format.
        OSError
            If the file cannot be written.
        """
        title = (
            f"{self.name}: {self.seconds * 1e3:.3g} ms, {self.gflops:.0f} GFLOP/s, "
            f"{_count(self.threads, 'thread')}"
        )
        roofline(path, title, self._points(), self.peak_gflops, self.bandwidths)

    def _points(self) -> list[Point]:
        """Return a dot for each step, as large as its share of the time."""
        rows = [r for r in self.rows if not r.step.free and r.step.flops > 0 and r.seconds > 0]
        total = sum(row.seconds for row in rows)
        points = []
        for kind in sorted({row.step.kind for row in rows}):
            of_kind = [row for row in rows if row.step.kind == kind]
            group = f"{kind}, {sum(row.seconds for row in of_kind) / total:.0%} of the time"
            for row in of_kind:
                area = dot_area(row.seconds / total)
                points.append(Point(group, row.step.flops / row.step.bytes, row.gflops, area))
        return points

    def __str__(self) -> str:
        headers = ("", "node", "kind", "output", "kernel", "bound by")
        figures = ("us", "of time", "GFLOP/s", "of limit")
        total = sum(row.seconds for row in self.rows) or 1e-9
        rows = [
            (
                str(number),
                shortened(row.step.name),
                row.step.kind,
                shape_text(row.step.output),
                row.step.kernel,
                "compute" if row.bound == "compute" else row.level,
                f"{row.seconds * 1e6:,.1f}",
                f"{row.seconds / total:.1%}",
                f"{row.gflops:.1f}",
                f"{row.share_of_limit:.0%}",
            )
            for number, row in enumerate(self.rows, 1)
            if not row.step.free
        ]
        sums = [
            (
                *("", what, "", "", "", ""),
                f"{seconds * 1e6:,.1f}",
                "",
                f"{self.flops / seconds / 1e9:.1f}",
                f"{self.limit_seconds / seconds:.0%}",
            )
            for what, seconds in (("all steps", total), ("a whole call", self.seconds))
        ]
        speeds = ", ".join(f"{level} {speed:.0f}" for level, speed in self.bandwidths.items())
        return (
            f"{self.name}: {_count(self.threads, 'thread')}, medians of "
            f"{_count(self.rounds, 'round')}\n"
            f"{table(headers + figures, [*rows, *sums], len(headers))}\n"
            f"peak {self.peak_gflops:.0f} GFLOP/s; GB/s read: {speeds}"
        )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
