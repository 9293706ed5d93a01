"""Draws how an inverted residual is fused by rows: what lies where, and how much of it.

The sizes are those of MobileNetV2's block 56x56, 24->144->24, with AVX-512 and 1 MB of level-2
cache, of which a block of depthwise outputs may fill a quarter (cpp/runtime/layers/blocks.cc).
"""

from math import cos, pi, sin
from pathlib import Path

INK, FAINT, EDGE = "#1d2733", "#5b6675", "#8a95a3"
MEMORY, CACHE, REGISTERS = "#eef0f3", "#dcebfa", "#fff2d5"  # L3 or memory, L2, L1 and registers
OLD, NEW, DEPTHWISE, OUTSIDE = "#f2a65a", "#3f7fc1", "#4aa37c", "#cfd5dc"

SIZE, INPUTS, EXPANDED = 56, 24, 144
BLOCK, KEPT = 8, 2  # output rows at a time; expanded rows that the next block finds in the ring
RING = BLOCK + KEPT


def kib(rows: int, channels: int) -> str:
    """Return the size of some rows of float32."""
    return f"{rows * SIZE * channels * 4 / 1024:.0f} KB"


def box(x: float, y: float, w: float, h: float, fill: str, edge: str = EDGE, r: float = 8) -> str:
    """Return a rectangle with round corners."""
    return (
        f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{r}" fill="{fill}" stroke="{edge}"/>'
    )


def text(
    x: float, y: float, words: str, size: int = 13, fill: str = INK, bold: bool = False
) -> str:
    """Return lines of centred text, the first at (x, y)."""
    weight = ' font-weight="bold"' if bold else ""
    return "".join(
        f'<text x="{x}" y="{y + 1.35 * size * i:.1f}" font-size="{size}" fill="{fill}"{weight}>'
        f"{line}</text>"
        for i, line in enumerate(words.split("\n"))
    )


def arrow(x: float, y: float, to: float) -> str:
    """Return an arrow to the right."""
    return f'<path d="M{x} {y}H{to - 4}" stroke="{INK}" stroke-width="2" marker-end="url(#head)"/>'


def image(x: float, y: float, colors: list[str]) -> str:
    """Return the rows of an image."""
    return "".join(box(x, y + 14 * i, 110, 11, color, r=2) for i, color in enumerate(colors))


def ring(x: float, y: float, outer: float, inner: float, colors: list[str]) -> str:
    """Return a ring with a segment for each row, clockwise from the top."""
    parts, step, gap = [], 2 * pi / len(colors), 0.03

    def at(radius: float, angle: float) -> str:
        return f"{x + radius * sin(angle):.1f} {y - radius * cos(angle):.1f}"

    for i, color in enumerate(colors):
        a, b = i * step + gap, (i + 1) * step - gap
        parts.append(
            f'<path d="M{at(outer, a)}A{outer} {outer} 0 0 1 {at(outer, b)}L{at(inner, b)}'
            f'A{inner} {inner} 0 0 0 {at(inner, a)}Z" fill="{color}" stroke="{EDGE}"/>'
        )
    return "".join(parts)


def kernel(x: float, name: str, detail: str) -> str:
    """Return what happens between two places: its name, and what L1 and registers hold."""
    return (
        box(x - 74, 52, 148, 86, REGISTERS)
        + text(x, 73, name, bold=True)
        + text(x, 94, detail, 11)
        + f'<path d="M{x} 138V244" stroke="{EDGE}" stroke-dasharray="3 3"/>'
    )


def draw() -> str:
    """Return the picture as SVG; a card of its own colour, so that any page may be behind it."""
    before, after = [OUTSIDE] * 2, [OUTSIDE] * 3
    parts = [
        box(1, 1, 998, 468, "#ffffff", "#c5ccd4", 12),
        box(16, 40, 136, 352, MEMORY),
        box(236, 150, 528, 242, CACHE),
        box(848, 40, 136, 352, MEMORY),
        text(84, 30, "L3 or memory", 12, FAINT),
        text(916, 30, "L3 or memory", 12, FAINT),
        text(500, 30, "L1 and registers", 12, FAINT),
        text(500, 382, "stays in L2", 12, FAINT),
        kernel(240, "expand 1x1", "7 pixels x 32 outputs\nin registers; a panel\nof weights in L1"),
        kernel(500, "depthwise 3x3", "4 rows, one vector of\nchannels, 9 weights\nin registers"),
        kernel(
            760, "project 1x1", "14 pixels x 16 outputs\nin registers; a panel\nof weights in L1"
        ),
        image(29, 118, before + [OLD] * KEPT + [NEW] * BLOCK + after),
        text(84, 66, f"input rows\n{SIZE} x {INPUTS}", bold=True),
        text(84, 354, "orange: expanded\nbefore, blue: new", 12),
        ring(358, 250, 78, 44, [OLD] * KEPT + [NEW] * BLOCK),
        text(358, 247, f"{RING} rows\n{SIZE} x {EXPANDED}", 12),
        text(358, 351, f"ring of expanded rows, {kib(RING, EXPANDED)}", bold=True),
        image(587, 194, [DEPTHWISE] * BLOCK),
        text(642, 334, f"depthwise outputs\n{BLOCK} rows, {kib(BLOCK, EXPANDED)}", bold=True),
        image(861, 118, [OUTSIDE] * 3 + [DEPTHWISE] * BLOCK + [OUTSIDE] * 4),
        text(916, 66, f"output rows\n{SIZE} x {INPUTS}", bold=True),
        text(916, 354, f"{BLOCK} rows at a time", 12),
        *(arrow(144, 244, 276), arrow(442, 244, 580), arrow(704, 244, 857)),
        f'<path d="M84 392V412H916V398" stroke="{FAINT}" stroke-width="1.5" fill="none"'
        ' stroke-dasharray="6 4" marker-end="url(#head)"/>',
        text(500, 407, "residual: added as the projection writes its tile", 12, FAINT),
        text(
            500,
            436,
            f"{BLOCK} output rows need {RING} expanded rows. {KEPT} of them are still in the ring"
            " from the block before,\nso a thread expands no row twice, and the wide tensors never"
            " exist as a whole.",
        ),
    ]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 470" width="1000" height="470"'
        ' font-family="Helvetica, Arial, sans-serif" text-anchor="middle" role="img">'
        "<title>Data flow of an inverted residual that is fused by rows</title>"
        '<defs><marker id="head" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="6"'
        f' markerHeight="6" orient="auto"><path d="M0 0L8 4L0 8Z" fill="{INK}"/></marker></defs>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


if __name__ == "__main__":
    Path(__file__).with_name("data_flow.svg").write_text(draw(), encoding="utf-8")
