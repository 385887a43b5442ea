"""Other detectors' limits over the atlas, as lines, and YOLOv1's cells over the photo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.core.atlas import AXIS
from explorer.figures import theme
from explorer.figures.atlas import WORDS
from explorer.figures.canvas import boxes_path, path_shape

# Each network's line on the map: colour and dash, so that neither has to do alone.
LINES = {
    "retinanet": (theme.LEVELS[0], "solid"),
    "ssd300": (theme.LEVELS[5], "dash"),
    "yolov2": (theme.LEVELS[2], "dot"),
    "fcos": (theme.LEVELS[7], "solid"),
}


def iou_limit(name: str, iou: np.ndarray, mark: float) -> list[theme.Trace]:
    """The line on which another network reaches an IoU.

    Args:
        name: a key of `LINES`.
        iou: (H, W) over `AXIS` both ways, of that network's grid.
        mark: the IoU.
    """
    # A byte is fine enough for a line, and a quarter of what float32 takes.
    lines = {
        "x": AXIS,
        "y": AXIS,
        "z": (iou * 200).round().astype(np.uint8),
        "contours": {"coloring": "none", "start": 200 * mark, "end": 200 * mark, "size": 200},
        "hoverinfo": "skip",
        "showscale": False,
        "showlegend": False,
    }
    return [theme.trace("contour", line=line, **lines) for line in _line_and_halo(name)]


def stair(
    name: str, line: np.ndarray, ends: Sequence[float], level_names: Sequence[str]
) -> list[theme.Trace]:
    """The line from which a network of points sees an object, and where its levels take over.

    Args:
        name: a key of `LINES`.
        line: (N, 2) widths and heights, pixels.
        ends: (L,) the longer side of the last object of each level, pixels.
        level_names: L names.
    """
    common = {"mode": "lines", "hoverinfo": "skip", "showlegend": False}
    x = [side for end in ends[:-1] for side in (end, end, AXIS[0], None)]
    y = [side for end in ends[:-1] for side in (AXIS[0], end, end, None)]
    fence = {"color": LINES[name][0], "width": 1.5, "dash": "dot"}
    fences = np.clip([AXIS[0], *ends], AXIS[0], AXIS[-1])
    middles = np.sqrt(fences[:-1] * fences[1:])[fences[:-1] < AXIS[-1]]  # of the levels in sight
    low = np.full(len(middles), 1.2 * AXIS[0])
    return [
        *(
            theme.trace("scatter", x=line[:, 0], y=line[:, 1], line=d, **common)
            for d in _line_and_halo(name)
        ),
        theme.trace("scatter", x=x, y=y, line=fence, **common),
        _words(middles, low, list(level_names[: len(middles)])),
    ]


def _line_and_halo(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    colour, dash = LINES[name]
    return {"color": "#000", "width": 7}, {"color": colour, "width": 3.5, "dash": dash}


def _words(x: np.ndarray, y: np.ndarray, words: list[str]) -> theme.Trace:
    return theme.trace(
        "scatter",
        x=x,
        y=y,
        text=words,
        mode="text",
        textfont=WORDS,
        hoverinfo="skip",
        showlegend=False,
    )


def cell_grid(image_size: tuple[int, int], cells: int, crowded: np.ndarray) -> list[dict]:
    """YOLOv1's cells, and the objects that share one, as shapes.

    Args:
        image_size: (height, width), pixels.
        cells: across and down.
        crowded: (G, 4) boxes of the objects that share a cell.
    """
    height, width = image_size
    lines = "".join(f"M{width * i / cells:g},0V{height}" for i in range(1, cells))
    lines += "".join(f"M0,{height * i / cells:g}H{width}" for i in range(1, cells))
    shapes = [path_shape(lines, "rgba(255,255,255,0.8)", 1.5)]
    if len(crowded):
        shapes.append(path_shape(boxes_path(crowded), theme.LEVELS[3], 4))
    return shapes
