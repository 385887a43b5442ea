"""How the four deltas are distributed: over all anchors, and over the kept proposals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.figures import theme

BINS = 60
DELTAS = ("dx", "dy", "dw", "dh")
MARK = theme.LEVELS[3]  # a line on the page's ground, light or dark
ROWS = (  # part, its y axis, where that stands, and its colour
    ("all", "y", (0.56, 1.0), theme.LEVELS[0]),
    ("kept", "y2", (0.0, 0.44), theme.LEVELS[1]),
)


@dataclass(frozen=True, eq=False)
class DeltaCounts:
    """How often each delta occurs, in bins that dx and dy share, and dw and dh."""

    edges: np.ndarray  # (4, BINS + 1)
    all: np.ndarray  # (4, BINS) int64, of all anchors
    kept: np.ndarray  # (4, BINS) int64, of the proposals
    sizes: tuple[int, int]  # how many anchors and proposals were counted


def count_deltas(deltas: np.ndarray, kept: np.ndarray) -> DeltaCounts:
    """Histograms of all four deltas.

    Args:
        deltas: (N, 4) of all anchors; what is not finite counts nowhere.
        kept: (P,) numbers of the anchors whose boxes were kept.

    Returns:
        The counts; zeros where there are no deltas.
    """
    edges = np.stack([_edges(deltas[:, place // 2 * 2 : place // 2 * 2 + 2]) for place in range(4)])
    everyone, proposals = (
        np.stack([_count(part[:, place], edges[place]) for place in range(4)])
        for part in (deltas, deltas[kept])
    )
    return DeltaCounts(edges, everyone, proposals, (len(deltas), len(kept)))


def _edges(pair: np.ndarray) -> np.ndarray:
    finite = pair[np.isfinite(pair)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    if high - low < 1e-5:  # all alike: float32 has no 60 bins between them
        low, high = low - 1e-3, high + 1e-3
    return np.linspace(low, high, BINS + 1)


def _count(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.histogram(values[np.isfinite(values)], BINS, (edges[0], edges[-1]))[0]


def delta_histogram(counts: DeltaCounts, place: int, value: float) -> theme.Figure:
    """One delta: all anchors above, the kept proposals below, on one x axis.

    Args:
        counts: from `count_deltas`.
        place: which delta, 0 to 3: dx, dy, dw, dh.
        value: the shown anchor's own, a line through both.
    """
    name, edges = DELTAS[place], counts.edges[place]
    middles, width = (edges[:-1] + edges[1:]) / 2, edges[1] - edges[0]
    bars = [
        theme.trace(
            "bar",
            x=middles.astype(np.float32),
            y=getattr(counts, part)[place],
            yaxis=axis,
            width=width,
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate=f"{name} %{{x:.3f}}<br>%{{y:,}} {part}<extra></extra>",
        )
        for part, axis, _, colour in ROWS
    ]
    words = f"{counts.sizes[0]:,} anchors", f"{counts.sizes[1]:,} kept"
    axes = {
        f"yaxis{axis[1:]}": {
            "domain": list(domain),
            "type": "log",
            "dtick": 1,
            "exponentformat": "power",
            "automargin": True,
            "title": {"text": text},
        }
        for (_, axis, domain, _), text in zip(ROWS, words, strict=True)
    }
    low, high = float(edges[0]), float(edges[-1])
    shown = f"{value:.3g}".replace("-", "−")
    return theme.figure(
        bars,
        **axes,
        bargap=0,
        annotations=[_heading(f"<b>{name}</b>: this anchor's is {shown}")],
        xaxis={"range": [low, high], "anchor": "y2", "automargin": True, "nticks": 5},
        shapes=_mark(value),
        showlegend=False,
        uirevision=f"{low:g} {high:g}",
        meta={"height": 300, "alt": f"Histograms of {name}, and this anchor's own: {shown}"},
    )


def _heading(text: str) -> dict[str, Any]:
    """A line above a figure that is too narrow for a title: the browser would shrink that."""
    place = {"x": 0, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "left"}
    return place | {"text": text, "yanchor": "bottom", "yshift": 6, "showarrow": False}


def _mark(value: float) -> list[dict[str, Any]]:
    """A vertical line at a value; none for what is not finite."""
    if not np.isfinite(value):
        return []
    line = {"color": MARK, "width": 3}
    place = {"x0": value, "x1": value, "y0": 0, "y1": 1, "xref": "x", "yref": "paper"}
    return [{"type": "line", "line": line} | place]
