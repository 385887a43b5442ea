"""The best boxes over the photo, before and after NMS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.core.layout import Grid
from explorer.figures import theme
from explorer.figures.canvas import boxes_path, canvas, hover_points, path_shape
from explorer.figures.recall import KINDS

CROWD = 300  # more boxes than this hide each other: no halo, whole pixels, half as much to send
HOVER = (
    "<b>#%{customdata[4]}</b>  score %{customdata[5]:.4f}"
    "<br>%{customdata[6]}, row %{customdata[7]}, column %{customdata[8]}"
    "<br>shape %{customdata[9]}<br>%{customdata[10]} x %{customdata[11]} px"
)


@dataclass(frozen=True, eq=False)
class DrawnBoxes:
    """Boxes with what a reader may ask of them, best first."""

    boxes: np.ndarray  # (K, 4) xyxy, pixels
    scores: np.ndarray  # (K,)
    anchor_index: np.ndarray  # (K,) int64
    rank: np.ndarray  # (K,) int64, from 1
    kind: np.ndarray | None = None  # (K,) hit, duplicate or miss, where that colours them


def top_boxes(
    drawn: DrawnBoxes,
    grid: Grid,
    level_names: tuple[str, ...],
    names: list[list[str]],
    *,
    colour: str,
    title: str,
    photo_url: str | None,
    objects: list[dict] | None = None,
) -> theme.Figure:
    """Boxes over the photo, coloured by level, by score or by what they hit.

    Args:
        drawn: the boxes.
        grid: to tell level and cell of each.
        level_names: such as P3, for each level.
        names: what each shape of a cell is called, for each level.
        colour: "level" or "score"; boxes that know their kind show that instead.
        title: one line above the photo.
        photo_url: see `canvas`.
        objects: shapes of the ground truth, drawn above the boxes.
    """
    place = grid.place_of(drawn.anchor_index)
    if drawn.kind is not None:
        # worst kind first, so that hits lie on top
        part, colours = 2 - drawn.kind, KINDS[::-1]
    elif colour == "level":
        part, colours = place["level"], [theme.level_colour(i) for i in range(len(level_names))]
    else:
        part, colours = _score_step(drawn.scores), theme.SCORE_SCALE
    digits = 0 if len(drawn.boxes) > CROWD else 1
    paths = _paths(drawn.boxes, part, colours, digits)
    if paths and digits:
        paths.insert(0, path_shape(boxes_path(drawn.boxes), "rgba(0,0,0,0.45)", 3.5))
    facts = _facts(drawn, place, level_names, names)
    return canvas(
        grid.image_size,
        photo_url,
        [hover_points(drawn.boxes, facts, HOVER, digits)],
        title=title,
        shapes=paths + (objects or []),
        alt=title,
    )


def _paths(
    boxes: np.ndarray, part: np.ndarray, colours: Sequence[str], digits: int
) -> list[dict[str, Any]]:
    """One path a part, in its colour; none for a part without boxes."""
    return [
        path_shape(boxes_path(boxes[part == each], digits), colours[each], 1.8)
        for each in np.unique(part).tolist()
    ]


def _score_step(scores: np.ndarray) -> np.ndarray:
    """Which of five equal steps from the worst drawn score to the best; the best are drawn last."""
    if len(scores) == 0:
        return np.zeros(0, dtype=np.int64)
    low, high = scores.min(), scores.max()
    steps = len(theme.SCORE_SCALE)
    return ((scores - low) / max(high - low, 1e-9) * steps).astype(np.int64).clip(0, steps - 1)


def _facts(
    drawn: DrawnBoxes, place: dict, level_names: tuple[str, ...], names: list[list[str]]
) -> list[list]:
    """What `HOVER` tells of each box."""
    sides = (drawn.boxes[:, 2:] - drawn.boxes[:, :2]).round().astype(np.int64)
    scores = drawn.scores.astype(np.float64).round(4)
    columns = (drawn.rank, scores, *place.values(), sides[:, 0], sides[:, 1])
    return [
        [rank, score, level_names[level], row, column, names[level][shape], width, height]
        for rank, score, level, row, column, shape, width, height in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]
