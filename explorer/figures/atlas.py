"""The blind-spot atlas: a map over object sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.core.atlas import AXIS
from explorer.figures import png, theme
from explorer.figures.names import name_places

TICKS = [4, 16, 64, 256, 1024]
SPOTS = ((0.2, 0.75), (0.75, 0.25))  # shares of the map, up and across, where lines are labelled
LABELLED = 12  # objects; more names hide each other
SHADOW = "0 0 3px #000, 0 0 3px #000, 0 0 5px #000"
WORDS = {"size": theme.FONT_SIZE, "color": "#fff", "shadow": SHADOW}  # legible on any ground


def size_map(
    iou: np.ndarray,
    marks: tuple[float, ...],
    *,
    title: str,
    pin: tuple[float, float],
    followed: tuple[float, float] | None = None,
    limits: Sequence[theme.Trace] = (),
    objects: Sequence[theme.Trace] = (),
) -> theme.Figure:
    """The best IoU that a grid offers, over object width and height.

    Args:
        iou: (H, W) over `AXIS` both ways, in [0, 1].
        marks: the IoUs whose lines are drawn.
        title: one line above the map.
        pin: width and height that the reader looks at, pixels.
        followed: width and height of the followed anchor, pixels.
        limits: of other networks, from `iou_limit` and `stair`.
        objects: from `object_dots`.
    """
    first, *more = sorted(set(marks))
    ground = theme.trace(
        "contour",
        x=AXIS,
        y=AXIS,
        z=iou.astype(np.float32),
        contours={
            "coloring": "none",
            "start": first,
            "end": more[-1] if more else first,
            "size": more[0] - first if more else 1,
        },
        line={"color": "#fff", "width": 2.5},
        hovertemplate="%{x:.0f} x %{y:.0f} px: IoU %{z:.2f}<extra></extra>",
        showlegend=False,
    )
    rings = [*_ring(followed, "diamond"), *_ring(pin, "circle")]
    return theme.figure(
        [ground, _on_the_lines(iou, marks), *limits, *objects, *rings, _key()],
        title={"text": title, "x": 0, "xref": "paper", "y": 0.99, "yanchor": "top"},
        xaxis=_axis("object width, px"),
        yaxis=_axis("object height, px"),
        hovermode="closest",
        dragmode=False,
        showlegend=False,
        images=[_heat(iou)],
        margin={"l": 62, "r": 74, "t": 40, "b": 52},
        meta={"aspect": 1, "alt": title},
    )


def _on_the_lines(iou: np.ndarray, marks: tuple[float, ...]) -> theme.Trace:
    """Each line's IoU, written on it: Plotly's own search for a place takes it 130 ms a move."""
    found = {}
    for mark, spot in zip(sorted(set(marks)), SPOTS, strict=False):
        over = iou >= mark
        crossings = np.argwhere(over[:, 1:] != over[:, :-1])
        if len(crossings):
            away = np.linalg.norm(crossings / len(AXIS) - spot, axis=1)
            row, column = crossings[away.argmin()]
            found[f"{mark:.2g}"] = np.sqrt(AXIS[column] * AXIS[column + 1]), AXIS[row]
    x, y = np.array([*found.values()], dtype=np.float32).reshape(-1, 2).T
    return theme.trace(
        "scatter",
        x=x,
        y=y,
        mode="text",
        text=[*found],
        textfont=WORDS,
        hoverinfo="skip",
        showlegend=False,
    )


def _heat(iou: np.ndarray) -> dict[str, Any]:
    """The map's colours as an image of a pixel a size: Plotly would trace an area a colour."""
    low, high = np.log10(AXIS[[0, -1]]).tolist()  # log axes place images in decades
    half = (high - low) / (len(AXIS) - 1) / 2
    place = {"x": low - half, "y": high + half, "sizex": high - low + 2 * half}
    look = {"sizing": "stretch", "layer": "below", "xref": "x", "yref": "y"}
    source = png.uri(png.heat(iou[::-1]))
    return place | look | {"sizey": place["sizex"], "source": source}


def _key() -> theme.Trace:
    """No point, but the bar that tells the map's colours."""
    bar = {
        "thickness": 16,
        "len": 1,
        "x": 1.02,
        "tickvals": [0, 0.25, 0.5, 0.75, 1],
        "title": {"text": "IoU"},
    }
    marker = {"cmin": 0, "cmax": 1, "color": [0], "colorscale": theme.stops(theme.HEAT_SCALE)}
    return theme.trace(
        "scatter",
        x=[None],
        y=[None],
        mode="markers",
        marker=marker | {"colorbar": bar, "showscale": True},
        hoverinfo="skip",
        showlegend=False,
    )


def _axis(title: str) -> dict[str, Any]:
    return {
        "type": "log",
        "range": [np.log10(AXIS[0]), np.log10(AXIS[-1])],
        "tickvals": TICKS,
        "title": {"text": title},
        "constrain": "domain",
        "showgrid": False,
    }


def _ring(sides: tuple[float, float] | None, symbol: str) -> list[theme.Trace]:
    """A ring with a dark rim around a width and height; none around nothing."""
    if not sides:
        return []
    line = {"width": [8, 4], "color": ["#000", theme.ACCENT]}
    look = {"symbol": f"{symbol}-open", "size": 20, "color": line["color"], "line": line}
    return [
        theme.trace(
            "scatter",
            x=[sides[0]] * 2,
            y=[sides[1]] * 2,
            mode="markers",
            marker=look,
            hoverinfo="skip",
            showlegend=False,
        )
    ]


def object_dots(sides: np.ndarray, labels: Sequence[str], stories: Sequence[str]) -> theme.Trace:
    """The picture's objects on the map.

    Args:
        sides: (G, 2) widths and heights, pixels; what lies off the map is drawn at its edge.
        labels: G names.
        stories: G lines that the hover adds.
    """
    at = sides.clip(AXIS[0], AXIS[-1])
    few = len(sides) <= LABELLED
    return theme.trace(
        "scatter",
        x=at[:, 0],
        y=at[:, 1],
        mode="markers+text" if few else "markers",
        text=list(labels) if few else None,
        textposition=name_places(at, labels) if few else None,
        textfont=WORDS,
        marker={"size": 13, "color": "#fff", "line": {"color": "#000", "width": 2.5}},
        customdata=[
            [f"<b>{label}</b>, {width:.0f} x {height:.0f} px<br>{story}"]
            for label, (width, height), story in zip(labels, sides.tolist(), stories, strict=True)
        ],
        hovertemplate="%{customdata[0]}<extra></extra>",
        showlegend=False,
    )
