"""Two views of one picture: boxes that one has and the other lacks, recall and counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.figures import theme
from explorer.figures.canvas import boxes_path, canvas, crosses_path, hover_points, path_shape

SIDES = (theme.LEVELS[0], theme.LEVELS[1])  # A is blue, B is orange, on every figure
SHARED = "rgba(255,255,255,0.45)"
NONE = 0.4  # boxes: 0 has no logarithm, and this is written as 0
GAP = 0.02  # between the two pictures, as a share of the width


@dataclass(frozen=True, eq=False)
class Side:
    """What one of two views has."""

    name: str
    shared: np.ndarray  # (S, 4) boxes that the other has too, xyxy, pixels
    own: np.ndarray  # (M, 4) boxes that the other lacks
    reasons: Sequence[str]  # M, why the other lacks each


def apart(
    image_size: tuple[int, int], photo_url: str | None, sides: Sequence[Side]
) -> theme.Figure:
    """Both pictures beside each other, zoomed together: own boxes in colour, shared ones faint.

    Args:
        image_size: (height, width) of the network's input, pixels.
        photo_url: see `canvas`.
        sides: A and B.
    """
    height, width = image_size
    half = (1 - GAP) / 2
    shapes, images, points, titles = [], [], [], []
    axes = {}
    for number, (side, colour) in enumerate(zip(sides, SIDES, strict=True)):
        tail = "" if number == 0 else "2"
        place = {"xref": f"x{tail}", "yref": f"y{tail}"}
        left = number * (half + GAP)
        plain = {"showgrid": False, "zeroline": False, "visible": False, "constrain": "domain"}
        across = {"range": [0, width], "domain": [left, left + half], "anchor": f"y{tail}"}
        down = {"range": [height, 0], "scaleanchor": f"x{tail}", "anchor": f"x{tail}"}
        if number:
            across["matches"], down["matches"] = "x", "y"
        axes |= {f"xaxis{tail}": plain | across, f"yaxis{tail}": plain | down}
        if photo_url:
            size = {"x": 0, "y": 0, "sizex": width, "sizey": height, "sizing": "stretch"}
            images.append(size | place | {"source": photo_url, "layer": "below"})
        for boxes, look, thick in ((side.shared, SHARED, 1), (side.own, colour, 2.5)):
            if len(boxes):
                halo = path_shape(boxes_path(boxes), "rgba(0,0,0,0.5)", thick + 2)
                shapes += [halo | place, path_shape(boxes_path(boxes), look, thick) | place]
        facts = [[reason] for reason in side.reasons]
        hover = hover_points(side.own, facts, f"<b>{side.name}</b> alone<br>%{{customdata[4]}}")
        points.append(hover | {"xaxis": f"x{tail}", "yaxis": f"y{tail}"})
        words = {"text": f"{side.name} alone: {len(side.own)}", "showarrow": False}
        corner = {"xref": "paper", "yref": "paper", "x": left, "y": 1, "xanchor": "left"}
        font = {"size": 18, "color": colour}
        titles.append(words | corner | {"yanchor": "bottom", "font": font, "name": "title"})
    return theme.figure(
        points,
        **axes,
        images=images,
        shapes=shapes,
        annotations=titles,
        plot_bgcolor=theme.CANVAS,
        hovermode="closest",
        dragmode="zoom",
        margin={"l": 0, "r": 0, "t": 34, "b": 4},
        meta={"aspect": height / (2 * width), "alt": " | ".join(w["text"] for w in titles)},
        showlegend=False,
    )


def ghosts(
    image_size: tuple[int, int],
    photo_url: str | None,
    cells: Sequence[tuple[str, np.ndarray, tuple[float, float]]],
) -> theme.Figure:
    """The anchors of one cell, as several code bases lay them, over each other.

    Args:
        image_size: (height, width) of the network's input, pixels.
        photo_url: see `canvas`.
        cells: name, (A, 4) anchors and the cell's (x, y) of each code base; the first is solid.
    """
    shapes, points = [], []
    for number, (name, boxes, centre) in enumerate(cells):
        colour = theme.level_colour(number)
        dash = {} if number == 0 else {"dash": "dash"}
        arm = float((boxes[:, 2:] - boxes[:, :2]).max()) / 16
        shapes += [
            path_shape(boxes_path(boxes), "rgba(0,0,0,0.55)", 5),
            path_shape(boxes_path(boxes), colour, 3, line=dash),
            path_shape(crosses_path(np.array([centre]), arm), colour, 4),
        ]
        sides = (boxes[:, 2:] - boxes[:, :2]).tolist()
        text = f"<b>{name}</b>, number %{{customdata[4]}} of the cell"
        size = "<br>%{customdata[5]:.1f} x %{customdata[6]:.1f} px"
        facts = [[i + 1, *side] for i, side in enumerate(sides)]
        corners = hover_points(boxes, facts, text + size)
        corners |= {"x": boxes[:, 2], "y": boxes[:, 1]}
        points.append(corners)
    names = ", ".join(name for name, _, _ in cells)
    figure = canvas(image_size, photo_url, points, shapes=shapes, alt=f"A cell's anchors: {names}")
    every = np.concatenate([boxes for _, boxes, _ in cells])
    low, high = every[:, :2].min(axis=0), every[:, 2:].max(axis=0)
    middle, half = (low + high) / 2, 0.6 * float((high - low).max())  # close up, with some photo
    layout = figure["layout"]
    layout["xaxis"]["range"] = [middle[0] - half, middle[0] + half]
    layout["yaxis"]["range"] = [middle[1] + half, middle[1] - half]
    layout["meta"]["aspect"] = 1.0
    return figure


def recalls(
    counts: np.ndarray, curves: Sequence[tuple[str, np.ndarray, int]], iou: float
) -> theme.Figure:
    """Recall against the number of proposals, for both views.

    Args:
        counts: (C,) numbers of proposals.
        curves: name, (C,) recall and number of proposals of each view.
        iou: from which an object counts as found.
    """
    lines = [
        theme.line(
            counts[counts <= max(found, 1)],
            recall[counts <= max(found, 1)].astype(np.float32),
            name,
            colour,
            f"{name}: %{{x}} proposals find %{{y:.0%}}",
            shape="hv",
            dash=dash,
        )
        for (name, recall, found), colour, dash in zip(
            curves, SIDES, ("solid", "dash"), strict=True
        )
    ]
    across = {"type": "log", "range": [0, 3], "tickvals": [1, 10, 100, 1000], "automargin": True}
    down = {"range": [0, 1.03], "tickformat": ".0%", "automargin": True}
    return theme.figure(
        lines,
        xaxis=across | {"title": {"text": "proposals, best first"}},
        yaxis=down | {"title": {"text": f"recall at IoU {iou:g}"}},
        showlegend=True,
        meta={"height": 320, "alt": f"Recall at IoU {iou:g} of A and B"},
    )


def counts_of_steps(sides: Sequence[tuple[str, dict[str, int]]]) -> theme.Figure:
    """How many boxes each step leaves, for both views; a step that a view has not is left out.

    Args:
        sides: name and {step: boxes left} of each view, in the order of its steps.
    """
    steps = list(dict.fromkeys(step for _, left in sides for step in left))
    bars = [
        theme.trace(
            "bar",
            y=[step for step in steps if step in left],
            x=[max(left[step], NONE) for step in steps if step in left],
            texttemplate="%{x:,d}",
            textposition="auto",
            orientation="h",
            name=name,
            marker={"color": colour},
            hovertemplate=f"{name}, %{{y}}: %{{x:,d}}<extra></extra>",
        )
        for (name, left), colour in zip(sides, SIDES, strict=True)
    ]
    most = max((count for _, left in sides for count in left.values()), default=0)
    across = {"type": "log", "range": [np.log10(NONE), 1.03 * np.log10(max(most, 10))]}
    return theme.figure(
        bars,
        xaxis=across | {"title": {"text": "boxes left, logarithmic"}, "automargin": True},
        yaxis={"range": [len(steps) - 0.5, -0.5], "automargin": True, "categoryarray": steps},
        barmode="group",
        showlegend=True,
        meta={"height": 320, "alt": "Boxes left after each step, of A and B"},
    )
