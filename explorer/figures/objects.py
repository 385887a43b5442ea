"""The objects of the ground truth over the photo: outlines and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.figures import theme
from explorer.figures.canvas import boxes_path, path_shape

FOUND, MISSED = "#FFFFFF", theme.LEVELS[3]  # an object's outline
NUMBERED = 60  # objects; the numbers of more cover the picture
HALO = "rgba(0,0,0,0.55)"


@dataclass(frozen=True, eq=False)
class Objects:
    """The ground truth, and which of it an anchor reaches."""

    boxes: np.ndarray  # (G, 4) xyxy, pixels
    reached: np.ndarray  # (G,) bool


def object_shapes(boxes: np.ndarray, missed: np.ndarray) -> list[dict]:
    """Dashed outlines of the objects: white where found, vermilion and thick where missed.

    Args:
        boxes: (G, 4) xyxy, pixels.
        missed: (G,) bool.
    """
    shapes = []
    for part, colour, width in ((boxes[~missed], FOUND, 2.5), (boxes[missed], MISSED, 4)):
        if len(part):
            path = boxes_path(part)
            shapes.append(path_shape(path, "rgba(0,0,0,0.7)", width + 2))
            shapes.append(path_shape(path, colour, width, line={"dash": "dash"}))
    return shapes


def outlines(objects: Objects, selected: int | None) -> list[dict[str, Any]]:
    """The objects dashed, the selected one whole."""
    others = np.arange(len(objects.boxes)) != selected
    shapes = object_shapes(objects.boxes[others], ~objects.reached[others])
    if selected is not None:
        path = boxes_path(objects.boxes[[selected]])
        shapes += [path_shape(path, HALO, 8), path_shape(path, _colour(objects, selected), 4.5)]
    return shapes


def _colour(objects: Objects, number: int) -> str:
    return FOUND if objects.reached[number] else MISSED


def numbers(objects: Objects) -> list[dict[str, Any]]:
    """The objects' numbers, from 1, inside their upper left corners; small where they are many."""
    size = theme.FONT_SIZE + (2 if len(objects.boxes) <= 12 else -3)
    return [
        {
            "x": x1,
            "y": y1,
            "text": f"<b>{number + 1}</b>",
            "showarrow": False,
            "xanchor": "left",
            "yanchor": "top",
            "bgcolor": "rgba(0,0,0,0.75)",
            "font": {"color": _colour(objects, number), "size": size},
            "borderpad": 1,
        }
        for number, (x1, y1, _, _) in enumerate(objects.boxes[:NUMBERED].round(1).tolist())
    ]
