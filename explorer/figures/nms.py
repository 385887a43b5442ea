"""NMS: survivors against the threshold, and the best boxes after hard and soft NMS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.figures import theme
from explorer.figures.canvas import boxes_path, canvas, hover_points, path_shape

# What became of a box in the loop, as the live picture draws it: colour and opacity.
STROKES = {
    "winner": (theme.ACCENT, 1.0),
    "gone": (theme.LEVELS[3], 1.0),
    "kept": (theme.LEVELS[0], 1.0),
    "cut": (theme.LEVELS[4], 1.0),
    "undecided": (theme.LEVELS[7], 0.28),
    "past": (theme.LEVELS[3], 0.35),
    "halo": ("#000000", 0.55),
}
KEPT, BACK = STROKES["kept"][0], STROKES["gone"][0]  # by hard NMS too, or by soft NMS alone
LABELS = 6  # scores written on a picture; more of them hide it
HOVER = (
    "<b>#%{customdata[4]}</b><br>score %{customdata[5]:.3f} → %{customdata[6]:.3f}"
    "<br>hard NMS %{customdata[7]} it"
)


def survivors_curve(
    thresholds: np.ndarray,
    survivors: np.ndarray,
    *,
    threshold: float,
    survive: int,
    cap: int,
    candidates: int,
) -> theme.Figure:
    """How many boxes survive at each threshold, the cap after NMS, and the threshold in force.

    Args:
        thresholds: (T,) rising from 0 to 1.
        survivors: (T,) boxes that NMS keeps, before the cap.
        threshold: the one in force.
        survive: how many boxes it keeps.
        cap: how many of the survivors become proposals at most.
        candidates: how many boxes NMS starts from.
    """
    curve = theme.line(
        thresholds.astype(np.float32),
        survivors.astype(np.int32),
        "survivors",
        theme.LEVELS[0],
        "at %{x:.2f} %{y:,} survive",
    )
    hover = "the cap keeps %{y:,}"
    limit = theme.line(
        [0, 1], [cap, cap], f"cap of {cap:,}", theme.LEVELS[1], hover, 3, dash="dash"
    )
    top = max(candidates, 1) * 1.08
    now = theme.trace(
        "scatter",
        x=[threshold] * 3,
        y=[0, survive, top],
        mode="lines+markers+text",
        line={"color": theme.LEVELS[3], "width": 3},
        marker={"size": [0, 14, 0], "opacity": 1},
        text=["", f"<b>{survive:,}</b>", ""],
        textposition="top left" if threshold > 0.15 else "top right",
        name=f"now {threshold:g}",
        hoverinfo="skip",
    )
    return theme.figure(
        [curve, limit, now],
        xaxis={
            "title": {"text": "NMS IoU threshold"},
            "range": [0, 1.01],
            "dtick": 0.1,
            "automargin": True,
        },
        yaxis={
            "title": {"text": "boxes"},
            "range": [0, top],
            "tickformat": ",",
            "rangemode": "tozero",
            "automargin": True,
        },
        showlegend=True,
        meta={
            "height": 340,
            "alt": f"Survivors of NMS against its threshold: {survive:,} of {candidates:,} at "
            f"{threshold:g}, cap {cap:,}",
        },
    )


@dataclass(frozen=True, eq=False)
class Rescored:
    """Boxes that some NMS took, best final score first."""

    boxes: np.ndarray  # (K, 4) xyxy, pixels
    before: np.ndarray  # (K,) scores of the candidates
    after: np.ndarray  # (K,) final scores
    rank: np.ndarray  # (K,) int64 among the candidates, from 1
    back: np.ndarray  # (K,) bool, suppressed by hard NMS


def rescored_boxes(
    taken: Rescored, image_size: tuple[int, int], photo_url: str | None, alt: str
) -> theme.Figure:
    """The best boxes with their final scores; those that hard NMS suppressed stand out.

    Args:
        taken: the boxes.
        image_size: (height, width) of the network's input, pixels.
        photo_url: see `canvas`.
        alt: what a screen reader says of the figure.
    """
    parts = ((taken.boxes[~taken.back], KEPT), (taken.boxes[taken.back], BACK))
    shapes = [
        path_shape(boxes_path(boxes, 0), colour, width)
        for boxes, own in parts
        if len(boxes)
        for colour, width in (("rgba(0,0,0,0.5)", 3), (own, 1.6))
    ]
    fates = ["suppresses" if back else "keeps" for back in taken.back.tolist()]
    numbers = (part.astype(np.float64).round(4).tolist() for part in (taken.before, taken.after))
    facts = [list(row) for row in zip(taken.rank.tolist(), *numbers, fates, strict=True)]
    figure = canvas(
        image_size,
        photo_url,
        [hover_points(taken.boxes, facts, HOVER, 0)],  # three small pictures: whole pixels do
        shapes=shapes,
        alt=alt,
    )
    figure["layout"]["annotations"] = _labels(taken, image_size)
    return figure


def _labels(taken: Rescored, image_size: tuple[int, int]) -> list[dict]:
    """Final scores of the best boxes whose corners are not crowded."""
    labels: list[dict] = []
    side, width = max(image_size), image_size[1]
    for (x, y, *_), score, back in zip(
        taken.boxes.tolist(), taken.after.tolist(), taken.back.tolist(), strict=True
    ):
        if len(labels) == LABELS:
            break
        x, y = min(x, width - side / 6), max(y, side / 12)  # whole inside the picture
        near = (abs(x - each["x"]) < side / 6 and abs(y - each["y"]) < side / 11 for each in labels)
        if any(near):
            continue
        labels.append(
            {
                "x": x,
                "y": y,
                "xanchor": "left",
                "yanchor": "bottom",
                "text": f"<b>{score:.2f}</b>",
                "showarrow": False,
                "bgcolor": BACK if back else KEPT,
                "borderpad": 1,
                "font": {"color": "#000000"},
            }
        )
    return labels
