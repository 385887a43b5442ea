"""An object beside the anchor that serves it best, on the photo."""

from __future__ import annotations

import numpy as np

from explorer.figures import theme
from explorer.figures.canvas import boxes_path, canvas, path_shape

WINDOW = 3  # how many times the longer side the photo shows around an object


def beside_its_anchor(
    image_size: tuple[int, int],
    box: np.ndarray,
    anchor: np.ndarray | None,
    level: int,
    *,
    title: str,
    photo_url: str | None,
    cells: list[dict] | None = None,
) -> theme.Figure:
    """An object and the anchor that serves it best, on the photo around them.

    Args:
        image_size: (height, width) of the network's input, pixels.
        box: (4,) the object, xyxy, pixels.
        anchor: (4,) the anchor; None where none touches the object.
        level: of the anchor.
        title: one line above the photo.
        photo_url: see `canvas`.
        cells: shapes of a grid below both, from `cell_grid`; the whole photo is shown with them.
    """
    shapes, drawn = list(cells or []), [(box, "#fff")]
    if anchor is not None:
        drawn.insert(0, (anchor, theme.level_colour(level)))
    for each, colour in drawn:
        path = boxes_path(each[None], 2)
        shapes += [path_shape(path, "rgba(0,0,0,0.7)", 7), path_shape(path, colour, 4)]
    figure = canvas(image_size, photo_url, title=title, shapes=shapes, alt=title)
    if not cells:
        _look_at(figure, np.stack([each for each, _ in drawn]), image_size)
    return figure


def _look_at(figure: theme.Figure, boxes: np.ndarray, image_size: tuple[int, int]) -> None:
    """Show only the surroundings of the boxes, in the photo's shape."""
    height, width = image_size
    first, last = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    share = min(1, WINDOW * float(((last - first) / [width, height]).max()))
    window = share * np.array([width, height])
    left, top = ((first + last - window) / 2).clip(0, [width, height] - window).tolist()
    layout = figure["layout"]
    layout["xaxis"]["range"] = [left, left + window[0]]
    layout["yaxis"]["range"] = [top + window[1], top]
    layout["uirevision"] = f"{left} {top} {share}"  # another place: the old zoom means nothing
