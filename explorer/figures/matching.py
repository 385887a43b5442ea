"""What matching made of the anchors, over the photo: positives as boxes, the many as dots."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from explorer.core.labels import Kind
from explorer.core.layout import Grid
from explorer.figures import theme
from explorer.figures.canvas import boxes_path, canvas, hover_points, image_layer, path_shape
from explorer.figures.recall import FOUND, MISSED, object_shapes

COLOURS = {
    Kind.NEGATIVE: theme.LEVELS[0],
    Kind.IGNORED: theme.LEVELS[7],
    Kind.POSITIVE: theme.LEVELS[2],
    Kind.LOW_QUALITY: theme.LEVELS[4],
}
NAMES = {
    Kind.NEGATIVE: "negative",
    Kind.IGNORED: "ignored",
    Kind.POSITIVE: "positive",
    Kind.LOW_QUALITY: "best-anchor rule",
}
BOXED = (Kind.POSITIVE, Kind.LOW_QUALITY)
MOST = 300  # boxes of a kind; more hide each other, and the others become dots
OPACITY = {Kind.NEGATIVE: 150, Kind.IGNORED: 255, Kind.POSITIVE: 255, Kind.LOW_QUALITY: 255}
DOTS_SIDE = 1024  # pixels of the layer of dots; a larger one shows no more on a screen
HALO = "rgba(0,0,0,0.55)"
FAINT = 0.4
HOVER = (
    "<b>%{customdata[4]}</b>, IoU %{customdata[5]:.3f} with object %{customdata[6]}"
    "<br>%{customdata[7]}, row %{customdata[8]}, column %{customdata[9]}"
    "<br>shape %{customdata[10]}, anchor %{customdata[11]:,}"
)


@dataclass(frozen=True, eq=False)
class Labelled:
    """All anchors with what matching made of them."""

    boxes: np.ndarray  # (N, 4) xyxy, pixels
    kinds: np.ndarray  # (N,) a `Kind`
    matched: np.ndarray  # (N,) the object that each overlaps most
    iou: np.ndarray  # (N,) IoU with it


@dataclass(frozen=True, eq=False)
class Objects:
    """The ground truth, and which of it an anchor reaches."""

    boxes: np.ndarray  # (G, 4) xyxy, pixels
    reached: np.ndarray  # (G,) bool


def matching_picture(
    anchors: Labelled,
    objects: Objects,
    grid: Grid,
    level_names: tuple[str, ...],
    names: list[list[str]],
    *,
    shown: tuple[Kind, ...],
    title: str,
    photo_url: str | None,
    selected: int | None = None,
    sample: np.ndarray | None = None,
    followed: int | None = None,
) -> go.Figure:
    """Positive anchors as boxes, ignored and negative ones as dots at their centres.

    Args:
        anchors: with their kinds.
        objects: dashed, white where an anchor reaches them, else vermilion.
        grid: to tell level and cell of an anchor.
        level_names: such as P3, for each level.
        names: what each shape of a cell is called, for each level.
        shown: which kinds are drawn.
        title: one line above the photo.
        photo_url: see `canvas`.
        selected: an object whose anchors alone are drawn; its outline can be dragged.
        sample: (S,) anchor numbers drawn for the loss, drawn thick and the others faintly.
        followed: an anchor to mark.
    """
    listed = _of_object(anchors, selected)
    boxed, dotted = _split(anchors, listed, shown)
    shapes = [shape for kind in BOXED for shape in _boxes(anchors, boxed[kind], kind, sample)]
    told = [boxed[kind] for kind in BOXED]
    if sample is not None:
        drawn = np.intersect1d(sample, listed)
        negatives = drawn[anchors.kinds[drawn] == Kind.NEGATIVE]
        shapes = [_path(anchors.boxes[negatives], Kind.NEGATIVE, 1.8), *shapes]
        told.append(negatives)
    shapes += _outlines(objects, selected)
    if followed is not None:
        path = boxes_path(anchors.boxes[[followed]])
        shapes += [path_shape(path, HALO, 7), path_shape(path, theme.ACCENT, 4)]
        told.append(np.array([followed]))
    told = np.unique(np.concatenate(told))
    facts = _facts(anchors, told, grid, level_names, names, sample)
    return canvas(
        grid.image_size,
        photo_url,
        [hover_points(anchors.boxes[told], facts, HOVER), *_numbers(objects)],
        title=title,
        shapes=shapes,
        layers=_dots(anchors, dotted, grid.image_size),
        alt=title,
    )


def _of_object(anchors: Labelled, selected: int | None) -> np.ndarray:
    """The anchors to look at: all, or those that overlap one object most."""
    if selected is None:
        return np.arange(len(anchors.kinds))
    return np.flatnonzero((anchors.matched == selected) & (anchors.iou > 0))


def _split(
    anchors: Labelled, listed: np.ndarray, shown: tuple[Kind, ...]
) -> tuple[dict[Kind, np.ndarray], dict[Kind, np.ndarray]]:
    """Which anchors become boxes, best IoU first, and which dots."""
    kinds = anchors.kinds[listed]
    every = {kind: listed[kinds == kind] if kind in shown else listed[:0] for kind in Kind}
    boxed = {}
    for kind in BOXED:
        order = np.argsort(-anchors.iou[every[kind]], kind="stable")
        boxed[kind], every[kind] = np.split(every[kind][order], [MOST])
    return boxed, every


def _boxes(
    anchors: Labelled, index: np.ndarray, kind: Kind, sample: np.ndarray | None
) -> list[dict[str, Any]]:
    """The boxes of a kind above their halo; those outside the sample are faint."""
    if len(index) == 0:
        return []
    if sample is None:
        boxes = anchors.boxes[index]
        return [path_shape(boxes_path(boxes), HALO, 4), _path(boxes, kind, 2.2)]
    inside = np.isin(index, sample)
    drawn, left = anchors.boxes[index[inside]], anchors.boxes[index[~inside]]
    shapes = [_path(left, kind, 1.2) | {"opacity": FAINT}] if len(left) else []
    if len(drawn):
        shapes += [path_shape(boxes_path(drawn), HALO, 6), _path(drawn, kind, 3.6)]
    return shapes


def _path(boxes: np.ndarray, kind: Kind, width: float) -> dict[str, Any]:
    return path_shape(boxes_path(boxes), COLOURS[kind], width)


def _outlines(objects: Objects, selected: int | None) -> list[dict[str, Any]]:
    """The objects dashed; the selected one whole, as a rectangle that the reader can drag."""
    others = np.arange(len(objects.boxes)) != selected
    shapes = object_shapes(objects.boxes[others], ~objects.reached[others])
    if selected is not None:
        x1, y1, x2, y2 = objects.boxes[selected].round(1).tolist()
        colour = FOUND if objects.reached[selected] else MISSED
        rect = {"type": "rect", "x0": x1, "y0": y1, "x1": x2, "y1": y2}
        shapes.append(rect | {"line": {"color": "rgba(0,0,0,0.7)", "width": 8}})
        shapes.append(rect | {"line": {"color": colour, "width": 4.5}, "editable": True})
    return shapes


def _numbers(objects: Objects) -> list[go.Scatter]:
    """The objects' numbers, from 1, inside their upper left corners."""
    if len(objects.boxes) == 0:
        return []
    text = go.Scatter(
        x=objects.boxes[:, 0].astype(np.float32),
        y=objects.boxes[:, 1].astype(np.float32),
        mode="text",
        text=[f" {number + 1}" for number in range(len(objects.boxes))],
        textposition="bottom right",
        textfont={
            "size": 20,
            "color": [FOUND if reached else MISSED for reached in objects.reached.tolist()],
            "shadow": "0 0 3px #000, 0 0 3px #000, 0 0 5px #000",
        },
        hoverinfo="skip",
        _validate=False,
    )
    return [text]


def _facts(
    anchors: Labelled,
    index: np.ndarray,
    grid: Grid,
    level_names: tuple[str, ...],
    names: list[list[str]],
    sample: np.ndarray | None,
) -> list[list]:
    """What `HOVER` tells of each anchor."""
    drawn = np.isin(index, [] if sample is None else sample)
    words = [
        NAMES[Kind(kind)] + (", in the sample" if inside else "")
        for kind, inside in zip(anchors.kinds[index].tolist(), drawn.tolist(), strict=True)
    ]
    place = grid.place_of(index)
    iou = anchors.iou[index].astype(np.float64).round(3)
    columns = (iou, anchors.matched[index] + 1, *place.values(), index)
    return [
        [word, value, number, level_names[level], row, column, names[level][shape], anchor]
        for word, value, number, level, row, column, shape, anchor in zip(
            words, *(column.tolist() for column in columns), strict=True
        )
    ]


def _dots(
    anchors: Labelled, dotted: dict[Kind, np.ndarray], image_size: tuple[int, int]
) -> list[dict[str, Any]]:
    """One image of coloured dots at the centres; nothing where there is none to draw."""
    if not any(len(index) for index in dotted.values()):
        return []
    scale = min(1.0, DOTS_SIDE / max(image_size))
    height, width = (round(side * scale) for side in image_size)
    pixels = np.zeros((height, width), dtype=np.uint8)
    unit = max(height, width) / 400
    for kind, index in dotted.items():  # the many first, so that the few lie on top
        side = max(1, round(unit * (0.5 if kind == Kind.NEGATIVE else 1.5)))
        boxes = anchors.boxes[index]
        centres = (boxes[:, :2] + boxes[:, 2:]) * (scale / 2) - side / 2
        x, y = centres.round().astype(np.int64).T
        for dy in range(side):
            for dx in range(side):
                row, column = y + dy, x + dx
                inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
                pixels[row[inside], column[inside]] = kind + 1
    return [image_layer(_as_png(pixels), image_size)]


def _as_png(pixels: np.ndarray) -> str:
    """Kinds from 1 as a palette image; 0 lets the photo through."""
    colours = [COLOURS[kind] for kind in Kind]
    palette = [int(colour[i : i + 2], 16) for colour in colours for i in (1, 3, 5)]
    image = Image.fromarray(pixels, "P")
    image.putpalette([0, 0, 0, *palette])
    file = io.BytesIO()
    image.save(file, "PNG", transparency=bytes([0, *(OPACITY[kind] for kind in Kind)]))
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
