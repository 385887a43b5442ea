"""The best boxes over the photo, before and after NMS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer.core.layout import Grid
from explorer.figures import theme
from explorer.figures.canvas import boxes_path, canvas, hover_points, path_shape


@dataclass(frozen=True, eq=False)
class DrawnBoxes:
    """Boxes with what a reader may ask of them, best first."""

    boxes: np.ndarray  # (K, 4) xyxy, pixels
    scores: np.ndarray  # (K,)
    anchor_index: np.ndarray  # (K,) int64
    rank: np.ndarray  # (K,) int64, from 1


def top_boxes(
    drawn: DrawnBoxes,
    grid: Grid,
    level_names: tuple[str, ...],
    names: list[list[str]],
    *,
    colour: str,
    title: str,
    photo_url: str | None,
) -> go.Figure:
    """Boxes over the photo, coloured by level or by score.

    Args:
        drawn: the boxes.
        grid: to tell level and cell of each.
        level_names: such as P3, for each level.
        names: what each shape of a cell is called, for each level.
        colour: "level" or "score".
        title: one line above the photo.
        photo_url: see `canvas`.
    """
    place = grid.place_of(drawn.anchor_index)
    paths = _by_level(drawn, place["level"]) if colour == "level" else _by_score(drawn)
    halo = path_shape(boxes_path(drawn.boxes), "rgba(0,0,0,0.45)", 3.5)
    lines = _lines(drawn, place, level_names, names)
    return canvas(
        grid.image_size,
        photo_url,
        [hover_points(drawn.boxes, lines)],
        title=title,
        shapes=[halo, *paths],
        alt=title,
    )


def _by_level(drawn: DrawnBoxes, level: np.ndarray) -> list[dict]:
    return [
        path_shape(boxes_path(drawn.boxes[level == each]), theme.level_colour(each), 1.8)
        for each in np.unique(level).tolist()
    ]


def _by_score(drawn: DrawnBoxes) -> list[dict]:
    """Five equal steps from the worst drawn score to the best; the best are drawn last."""
    if len(drawn.scores) == 0:
        return []
    low, high = drawn.scores.min(), drawn.scores.max()
    steps = len(theme.SCORE_SCALE)
    step = ((drawn.scores - low) / max(high - low, 1e-9) * steps).astype(int).clip(0, steps - 1)
    return [
        path_shape(boxes_path(drawn.boxes[step == each]), theme.SCORE_SCALE[each], 1.8)
        for each in range(steps)
        if (step == each).any()
    ]


def _lines(
    drawn: DrawnBoxes, place: dict, level_names: tuple[str, ...], names: list[list[str]]
) -> list[str]:
    sides = drawn.boxes[:, 2:] - drawn.boxes[:, :2]
    columns = (drawn.rank, drawn.scores, *place.values(), sides[:, 0], sides[:, 1])
    return [
        f"<b>#{rank}</b>  score {score:.4f}<br>{level_names[level]}, row {row}, column {column}"
        f"<br>shape {names[level][shape]}<br>{width:.0f} x {height:.0f} px"
        for rank, score, level, row, column, shape, width, height in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]
