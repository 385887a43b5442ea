"""Recall against the number of proposals."""

from __future__ import annotations

import numpy as np

from explorer.figures import theme

KINDS = (theme.LEVELS[2], theme.LEVELS[1], theme.LEVELS[7])  # hit, duplicate, miss


def recall_curve(
    counts: np.ndarray, recall: np.ndarray, ceiling: float, iou: float, proposals: int
) -> theme.Figure:
    """Recall after the best 1, 2, 3 ... proposals, and what the anchors alone reach.

    Args:
        counts: (C,) numbers of proposals.
        recall: (C,) in [0, 1]; NaN without objects.
        ceiling: share of the objects that an anchor reaches as it stands.
        iou: from which an object counts as found.
        proposals: how many there are; the curve ends there.
    """
    shown = counts <= max(proposals, 1)
    found, hover = recall[shown].astype(np.float32), "%{x} proposals find %{y:.0%}"
    curve = theme.line(counts[shown], found, "proposals", theme.LEVELS[0], hover, shape="hv")
    reach = theme.line(
        [1, 1000],
        [ceiling, ceiling],
        "anchors as they stand",
        theme.LEVELS[1],
        "anchors reach %{y:.0%}",
        3,
        dash="dash",
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
