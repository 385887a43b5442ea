"""The boxes of one band of the funnel, over the photo."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.core.layout import Grid
from explorer.figures import theme
from explorer.figures.canvas import boxes_path, canvas, hover_points, path_shape

CROWD = 100  # boxes; with halos around more of them, the photo is hidden
HOVER = (
    "<b>#%{customdata[4]}</b> of the band: score %{customdata[5]:.4f}"
    "<br>%{customdata[6]}, row %{customdata[7]}, column %{customdata[8]}"
    "<br>shape %{customdata[9]}, %{customdata[10]}"
)


def band_boxes(
    boxes: np.ndarray,
    part: np.ndarray,
    colours: Sequence[str],
    facts: list[list],
    grid: Grid,
    *,
    title: str,
    photo_url: str | None,
    marks: Sequence[dict] = (),
) -> theme.Figure:
    """Boxes in the colours of their parts.

    Args:
        boxes: (K, 4) xyxy, pixels, best first.
        part: (K,) which part each belongs to.
        colours: one a part.
        facts: what `HOVER` tells of each box.
        grid: of the picture.
        title: one line above the photo.
        photo_url: see `canvas`.
        marks: shapes above the boxes.
    """
    halo = path_shape(boxes_path(boxes, 0), "rgba(0,0,0,0.45)", 3.5)
    shapes = [halo] if 0 < len(boxes) <= CROWD else []
    shapes += [
        path_shape(boxes_path(boxes[part == each], 0), colours[each], 1.8)
        for each in np.unique(part).tolist()
    ]
    return canvas(
        grid.image_size,
        photo_url,
        [hover_points(boxes, facts, HOVER, 0)],
        title=title,
        shapes=[*shapes, *marks],
        alt=title,
    )
