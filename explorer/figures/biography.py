"""One anchor and the box that its deltas make of it, close up on the photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.core.arithmetic import Arithmetic
from explorer.figures import theme
from explorer.figures.canvas import boxes_path, canvas, path_shape

HALO = "rgba(0,0,0,0.65)"
ANCHOR, BOX, RIVAL = theme.LEVELS[0], theme.ACCENT, "#FFFFFF"  # three that all eyes tell apart
LABEL = 0.2, 0.08  # about a label's width and height, as shares of the picture's
FAR = 1e5  # pixels; what lies further is drawn there, since no screen shows the difference


@dataclass(frozen=True)
class Rival:
    """A second box on the same picture: the one that won, or the one to reach."""

    box: tuple[float, float, float, float]  # xyxy, pixels
    name: str


def decoded_box(
    done: Arithmetic,
    image_size: tuple[int, int],
    *,
    title: str,
    photo_url: str | None,
    rival: Rival | None = None,
    view: tuple[list[float], list[float]] | None = None,
) -> theme.Figure:
    """The anchor dotted, its box solid, lines between their corners.

    What the clip cuts off is drawn thinly.

    Args:
        done: from `decode_one`.
        image_size: (height, width) of the network's input, pixels.
        title: one line above the photo.
        photo_url: see `canvas`.
        rival: drawn dashed, if there is one.
        view: ranges of x and y that are shown, from `close_up`; None: the whole picture.
    """
    figure = canvas(image_size, photo_url, shapes=_shapes(done, rival), title=title, alt=title)
    (left, right), (top, bottom) = view or ([0, image_size[1]], [0, image_size[0]])
    labels = [_label(done.anchor, "anchor", ANCHOR, "left", "top")]
    labels.append(_label(done.clipped, "its box", BOX, "left", "bottom") | {"name": "box"})
    if rival:
        labels.append(_label(rival.box, rival.name, RIVAL, "right", "top"))
    for label in labels:  # a corner may lie outside what is shown, its word must not
        wide, high = LABEL[0] * (right - left), LABEL[1] * (bottom - top)
        ends = (left, right - wide) if label["xanchor"] == "left" else (left + wide, right)
        label["x"] = round(min(max(label["x"], ends[0]), ends[1]), 1)
        label["y"] = round(min(max(label["y"], top + high), bottom - high), 1)
    layout = figure["layout"]
    layout["annotations"] = labels
    if view is not None:
        layout["xaxis"]["range"], layout["yaxis"]["range"] = [left, right], [bottom, top]
        layout["meta"]["aspect"] = (bottom - top) / (right - left)
        layout["uirevision"] = f"{left:g} {top:g} {right:g}"  # another place: zoom starts anew
    return figure


def close_up(
    image_size: tuple[int, int], boxes: list[tuple], *, air: float = 0.5, least: float = 0.2
) -> tuple[list[float], list[float]]:
    """Ranges of x and y around some boxes, in the picture's own shape.

    Args:
        image_size: (height, width), pixels.
        boxes: xyxy, pixels; what lies beyond the picture's frame does not count.
        air: how much of the boxes' extent is shown on each side of them.
        least: share of the picture's sides that is shown at least.

    Returns:
        [left, right] and [top, bottom]; at most a sixth of the picture beyond each of its borders.
    """
    size = np.array(image_size[::-1], dtype=float)
    corners = np.nan_to_num(np.array(boxes, dtype=float).reshape(-1, 4), posinf=FAR, neginf=-FAR)
    corners = corners.clip(np.tile(-size / 6, 2), np.tile(size * 7 / 6, 2))
    low, high = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
    first, last = np.minimum(low, 0), np.maximum(high, size)  # no empty border without need
    most = ((last - first) / size).max()
    sides = size * np.clip(((high - low) / size).max() * (1 + 2 * air), least, most)
    spare = (sides - (last - first)).clip(min=0) / 2  # the other axis may reach further
    start = np.clip((low + high - sides) / 2, first - spare, last + spare - sides)
    start = np.clip(start, -size / 6, size * 7 / 6 - sides)
    (left, top), (right, bottom) = start.round(1).tolist(), (start + sides).round(1).tolist()
    return [left, right], [top, bottom]


def _shapes(done: Arithmetic, rival: Rival | None) -> list[dict[str, Any]]:
    """What `explorer/live/decoding.js` moves has a name: "links", "whole" and "box"."""
    anchor, whole, box = (_drawn(each) for each in (done.anchor, done.corners, done.clipped))
    shapes = _outlined(_links(anchor[0], whole[0]), BOX, 1.5, name="links")
    if rival:
        shapes += _outlined(boxes_path(_drawn(rival.box)), RIVAL, 3, line={"dash": "dash"})
    shapes += _outlined(boxes_path(whole), BOX, 1.5, name="whole")
    shapes += _outlined(boxes_path(anchor), ANCHOR, 3, line={"dash": "dot"})
    return shapes + _outlined(boxes_path(box), BOX, 4, name="box")


def _outlined(path: str, colour: str, width: float, **changes: Any) -> list[dict[str, Any]]:
    """A path on a dark halo, so that it shows on bright and dark photos."""
    halo = {name: value for name, value in changes.items() if name == "name"}
    return [path_shape(path, HALO, width + 3, **halo), path_shape(path, colour, width, **changes)]


def _drawn(box: tuple) -> np.ndarray:
    """(1, 4) a box with places that a browser can draw."""
    return np.nan_to_num(np.array([box], dtype=float), posinf=FAR, neginf=-FAR).clip(-FAR, FAR)


def _links(anchor: np.ndarray, box: np.ndarray) -> str:
    """A line from each corner of the anchor to the same corner of the box."""
    a, b = (each.round(1).tolist() for each in (anchor, box))
    return "".join(f"M{a[i]:g},{a[j]:g}L{b[i]:g},{b[j]:g}" for i in (0, 2) for j in (1, 3))


def _label(box: tuple, text: str, colour: str, side: str, end: str) -> dict[str, Any]:
    """A word inside the picture at a corner of a box."""
    x1, y1, x2, y2 = _drawn(box)[0].tolist()
    return {
        "x": x1 if side == "left" else x2,
        "y": y1 if end == "bottom" else y2,
        "text": text,
        "showarrow": False,
        "xanchor": side,
        "yanchor": end,  # above a box's upper edge, or under its lower one
        "bgcolor": "rgba(0,0,0,0.7)",
        "font": {"color": colour, "size": theme.FONT_SIZE},
        "borderpad": 2,
    }


def followed_shapes(box: np.ndarray) -> list[dict[str, Any]]:
    """The outline that marks the followed box on any figure over the photo.

    Args:
        box: (4,) xyxy, pixels.
    """
    return _outlined(boxes_path(_drawn(tuple(box))), theme.ACCENT, 4)
