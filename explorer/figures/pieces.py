"""The pieces of the funnel: bars, the bands between them, and where each lies.

A step is one high, and what enters the first one is one wide.

Shapes: T steps, P parts (levels or ratios).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.core.candidates import Fate
from explorer.core.funnel import ALL, Flow

# A step's heights, of one from bar to bar: its bar, the end of its bands, the end of their bars.
BAR, BANDS, NECK = 0.16, 0.58, 0.7
GAP = 0.05  # of the full width, between what goes on and what leaves
OPACITY = {"bar": 1.0, "kept": 0.75, "lost": 0.4, "neck": 0.22}  # the first are drawn last


@dataclass(frozen=True)
class Piece:
    """A part of the drawing: two level edges, joined by curves."""

    band: str  # a name of `Flow.bands`
    part: int
    count: int
    top: float
    above: tuple[float, float]  # left and right end of the upper edge
    bottom: float
    below: tuple[float, float]
    look: str  # a key of `OPACITY`

    def ends_at(self, y: float) -> tuple[float, float]:
        """Left and right end at a height between top and bottom."""
        share = (y - self.top) / (self.bottom - self.top)
        share = share * share * (3 - 2 * share)  # the x of a curve with upright ends
        return tuple(a + (b - a) * share for a, b in zip(self.above, self.below, strict=True))

    def path(self) -> str:
        """The outline as an SVG path."""
        (a, b), (c, d), top, bottom = self.above, self.below, self.top, self.bottom
        one, two = top + (bottom - top) / 3, bottom - (bottom - top) / 3
        return (
            f"M{a:.5g},{top:.4g}H{b:.5g}C{b:.5g},{one:.4g} {d:.5g},{two:.4g} {d:.5g},{bottom:.4g}"
            f"H{c:.5g}C{c:.5g},{two:.4g} {a:.5g},{one:.4g} {a:.5g},{top:.4g}Z"
        )


def lay_out(flow: Flow, scale: str) -> list[Piece]:
    """All pieces of a flow, in the order in which they are drawn.

    Args:
        flow: what enters and leaves each step.
        scale: "by step" or "linear".

    Returns:
        The pieces; those without boxes have no width.
    """
    pieces, name = [], ALL
    totals = flow.entering.sum(axis=1).tolist()
    units = [1 / max(1, totals[0] if scale == "linear" else total) for total in totals]
    for number, step in enumerate(flow.steps):
        unit, lost = units[number], flow.lost[number]
        kept = flow.entering[number] - lost
        bar = list(_stack(flow.entering[number] * unit, 0))
        on = list(_stack(kept * unit, 0))
        off = list(_stack(lost * unit, kept.sum() * unit + GAP))
        following = list(_stack(kept * units[number + 1], 0))
        ends = number + BAR, number + BANDS, number + NECK, number + 1
        for part, (left, right) in enumerate(bar):
            cut = left + kept[part] * unit
            went, left_out = int(kept[part]), int(lost[part])
            box = bar[part]
            entered = went + left_out
            pieces += [
                Piece(name, part, entered, number, box, ends[0], box, "bar"),
                Piece(step.lost, part, left_out, ends[0], (cut, right), ends[1], off[part], "lost"),
                Piece(step.kept, part, went, ends[0], (left, cut), ends[1], on[part], "kept"),
                Piece(step.lost, part, left_out, ends[1], off[part], ends[2], off[part], "bar"),
                Piece(step.kept, part, went, ends[1], on[part], ends[2], on[part], "bar"),
                Piece(step.kept, part, went, ends[2], on[part], ends[3], following[part], "neck"),
            ]
        name = step.kept
    last, end = flow.entering[-1], len(flow.steps)
    for part, box in enumerate(_stack(last * units[-1], 0)):
        pieces.append(Piece(name, part, int(last[part]), end, box, end + BAR, box, "bar"))
    return sorted(pieces, key=lambda piece: (*OPACITY,)[::-1].index(piece.look))


def _stack(widths: np.ndarray, start: float) -> Iterator[tuple[float, float]]:
    """Left and right ends of widths side by side."""
    ends = start + np.concatenate([[0], np.cumsum(widths)])
    return zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)


def piece_at(pieces: Sequence[Piece], x: float, y: float) -> Piece | None:
    """The uppermost piece at a point of the drawing, or None."""
    for piece in reversed(pieces):
        if piece.count and piece.top <= y <= piece.bottom:
            left, right = piece.ends_at(y)
            if left <= x <= right:
                return piece
    return None


def followed_path(flow: Flow, pieces: Sequence[Piece], fate: Fate, part: int) -> str:
    """A line through the middles of the pieces that a box of a fate and part went through."""
    way = flow.way(fate)
    on_it = sorted((p for p in pieces if p.band in way and p.part == part), key=lambda p: p.top)
    points = []
    for piece in on_it:
        for y in np.linspace(piece.top, piece.bottom, 5).tolist():
            points.append(f"{sum(piece.ends_at(y)) / 2:.5g},{y:.4g}")
    return "M" + "L".join(points)
