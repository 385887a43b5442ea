"""Objectness: its histogram, and where on the photo it is high."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from explorer.core.layout import Grid
from explorer.figures import png, theme
from explorer.figures.canvas import boxes_path, canvas, image_layer, path_shape

BINS = 80  # the notebook's
KEY = {  # the map's colours from low to high; Plotly would draw its own bar anew at every move
    "source": png.uri(png.heat(np.linspace(1, 0, 64)[:, None])),
    "x": 1.01,
    "y": 1,
    "sizex": 0.02,
    "sizey": 1,
    "xref": "paper",
    "yref": "paper",
    "sizing": "stretch",
}
FOLLOWED = theme.LEVELS[3]  # a line on the page's own ground, light or dark


def histogram(
    scores: np.ndarray,
    parts: list[tuple[str, str, np.ndarray]],
    *,
    full_axis: bool,
    log_counts: bool,
    followed: float | None = None,
) -> theme.Figure:
    """How often each score occurs, one colour a part.

    Args:
        scores: (N,) in [0, 1]; their range sets the bins.
        parts: name, colour and (n,) scores of each part.
        full_axis: bins from 0 to 1, or over the range of the data alone.
        log_counts: a logarithmic axis of counts.
        followed: score of the followed anchor, a vertical line; None for none.
    """
    low, high = 0.0, 1.0
    if len(scores) and not full_axis:
        low, high = float(scores.min()), float(scores.max())
    if high - low < 1e-5:  # all scores alike: float32 has no 80 bins between them
        low, high = low - 1e-3, high + 1e-3
    edges = np.linspace(low, high, BINS + 1)
    middles, width = (edges[:-1] + edges[1:]) / 2, edges[1] - edges[0]
    bars = []
    for name, colour, values in parts:
        counts, _ = np.histogram(values, BINS, (low, high))
        filled = np.flatnonzero(counts) if counts.any() else [0]  # a bar of 0 costs what others do
        bars.append(
            theme.trace(
                "bar",
                x=middles[filled].astype(np.float32),
                y=counts[filled],
                width=width,
                name=name,
                marker={"color": colour, "line": {"width": 0}},
                opacity=0.9 if len(parts) == 1 else 0.65,
                hovertemplate=f"score %{{x:.4f}}<br>%{{y:,}} anchors<extra>{name}</extra>",
            )
        )
    line, word = _followed_score(followed, (low + high) / 2)
    return theme.figure(
        bars,
        shapes=line,
        annotations=word,
        barmode="overlay",
        bargap=0,
        xaxis={"title": {"text": "objectness score"}, "range": [low, high], "automargin": True},
        yaxis={
            "title": {"text": "anchors"},
            "type": "log" if log_counts else "linear",
            "automargin": True,
            "tickformat": "~s",
        },
        showlegend=len(parts) > 1,
        uirevision=f"{full_axis}{log_counts}",
        meta={"height": 420, "alt": f"Histogram of {len(scores):,} objectness scores"},
    )


def _followed_score(score: float | None, middle: float) -> tuple[list[dict], list[dict]]:
    """A vertical line at a score, and its number beside it; nothing for none, or for NaN."""
    if score is None or not np.isfinite(score):
        return [], []
    place = {"x": score, "y": 1, "xref": "x", "yref": "paper"}
    line = {"type": "line", "x0": score, "x1": score, "y0": 0, "y1": 1, "yref": "paper"}
    word = {"text": f"followed: {score:.4g}", "showarrow": False, "yanchor": "top"}
    word |= {"xanchor": "left" if score < middle else "right", "bgcolor": "rgba(0,0,0,0.75)"}
    word |= {"font": {"color": "#FFFFFF", "size": theme.FONT_SIZE}}
    return [line | {"line": {"color": FOLLOWED, "width": 3}}], [place | word]


def heat_map(
    grid: Grid,
    scores: np.ndarray,
    level: int,
    level_name: str,
    photo_url: str | None,
    followed: tuple[int, int, int] | None = None,
) -> theme.Figure:
    """The best score of each cell of a level, over the photo.

    Args:
        grid: rows and columns of the level.
        scores: (cells * A,) scores of the level's anchors.
        level: which level, from 0.
        level_name: such as P3.
        photo_url: see `canvas`.
        followed: level, row and column of the followed anchor's cell, outlined also where it is
            another level's; None for none.
    """
    rows, columns = grid.cells[level]
    best = scores.reshape(rows, columns, -1).max(axis=2)
    low, high = float(best.min()), float(best.max())
    span = max(high - low, 1e-6)
    # The grid may reach past the input; the axes cut it there.
    covered = round(rows * grid.strides[level][0]), round(columns * grid.strides[level][1])
    shown = image_layer(_as_png((best - low) / span), covered, 0.72 if photo_url else 1.0)
    title = f"{level_name}: best score of each of {rows * columns:,} cells"
    figure = canvas(
        grid.image_size,
        photo_url,
        title=title,
        layers=[shown, KEY],
        shapes=_followed_cell(grid, followed) if followed else None,
        alt=f"{title}, from {low:.3f} to {high:.3f}",
    )
    figure["layout"]["annotations"] = [
        _on_the_key(f"{low + at * (high - low):.3f}", at) for at in (0.0, 0.5, 1.0)
    ]
    figure["layout"]["margin"]["r"] = 76
    return figure


def _on_the_key(word: str, at: float) -> dict[str, Any]:
    place = {"x": KEY["x"] + KEY["sizex"], "y": at, "xref": "paper", "yref": "paper"}
    anchor = {0.0: "bottom", 1.0: "top"}.get(at, "middle")
    return place | {"text": word, "xanchor": "left", "yanchor": anchor, "showarrow": False}


def _followed_cell(grid: Grid, followed: tuple[int, int, int]) -> list[dict]:
    """The cell's own square, and four lines that lead the eye to it: a cell of P2 is 4 px wide."""
    level, row, column = followed
    down, across = grid.strides[level]
    x1, y1, x2, y2 = column * across, row * down, (column + 1) * across, (row + 1) * down
    x, y, arm = (x1 + x2) / 2, (y1 + y2) / 2, max(grid.image_size) / 20
    lines = f"M{x1 - arm:g},{y:g}H{x1:g}M{x2:g},{y:g}H{x2 + arm:g}"
    lines += f"M{x:g},{y1 - arm:g}V{y1:g}M{x:g},{y2:g}V{y2 + arm:g}"
    path = boxes_path(np.array([[x1, y1, x2, y2]])) + lines
    return [path_shape(path, "rgba(0,0,0,0.7)", 7), path_shape(path, theme.ACCENT, 3)]


def _as_png(values: np.ndarray) -> str:
    """(rows, columns) in [0, 1], each cell a block of pixels."""
    enlarged = max(1, round(400 / max(values.shape)))  # here, or the browser blurs the cells
    size = values.shape[1] * enlarged, values.shape[0] * enlarged
    return png.uri(png.heat(values).resize(size, Image.Resampling.NEAREST))
