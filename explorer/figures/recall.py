"""Recall against the number of proposals, and the objects over the photo."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer.figures import theme
from explorer.figures.canvas import boxes_path, path_shape

KINDS = (theme.LEVELS[2], theme.LEVELS[1], theme.LEVELS[7])  # hit, duplicate, miss
FOUND, MISSED = "#FFFFFF", theme.LEVELS[3]  # an object's outline


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


def recall_curve(
    counts: np.ndarray, recall: np.ndarray, ceiling: float, iou: float, proposals: int
) -> go.Figure:
    """Recall after the best 1, 2, 3 ... proposals, and what the anchors alone reach.

    Args:
        counts: (C,) numbers of proposals.
        recall: (C,) in [0, 1]; NaN without objects.
        ceiling: share of the objects that an anchor reaches as it stands.
        iou: from which an object counts as found.
        proposals: how many there are; the curve ends there.
    """
    shown = counts <= max(proposals, 1)
    curve = go.Scatter(
        x=counts[shown],
        y=recall[shown].astype(np.float32),
        mode="lines",
        line={"color": theme.LEVELS[0], "width": 4, "shape": "hv"},
        name="proposals",
        hovertemplate="%{x} proposals find %{y:.0%}<extra></extra>",
        _validate=False,
    )
    reach = go.Scatter(
        x=[1, 1000],
        y=[ceiling, ceiling],
        mode="lines",
        line={"color": theme.LEVELS[1], "width": 3, "dash": "dash"},
        name="anchors as they stand",
        hovertemplate="anchors reach %{y:.0%}<extra></extra>",
        _validate=False,
    )
    return theme.figure(
        [curve, reach],
        xaxis={
            "title": {"text": "proposals, best first"},
            "type": "log",
            "range": [0, 3],
            "tickvals": [1, 10, 100, 1000],
            "automargin": True,
        },
        yaxis={
            "title": {"text": f"recall at IoU {iou:g}"},
            "range": [0, 1.03],
            "tickformat": ".0%",
            "automargin": True,
        },
        showlegend=True,
        meta={"height": 320, "alt": f"Recall at IoU {iou:g} against the number of proposals"},
    )
