"""What matching made of the anchors, over the photo: positives as boxes, the many as dots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.core.labels import Kind
from explorer.core.layout import Grid
from explorer.figures import theme
from explorer.figures.canvas import boxes_path, canvas, hover_points, path_shape
from explorer.figures.dots import Dots, dots_layer
from explorer.figures.objects import HALO, Objects, numbers, outlines

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
) -> theme.Figure:
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
    boxed, dotted = _split(anchors, selected, shown)
    shapes = [shape for kind in BOXED for shape in _boxes(anchors, boxed[kind], kind, sample)]
    told = [boxed[kind] for kind in BOXED]
    if sample is not None:
        negatives = sample[anchors.kinds[sample] == Kind.NEGATIVE]
        negatives = negatives[_belong(anchors, selected, negatives)]
        shapes.insert(0, _path(anchors.boxes[negatives], Kind.NEGATIVE, 1.8))
        told.append(negatives)
    shapes += outlines(objects, selected)
    if followed is not None:
        path = boxes_path(anchors.boxes[[followed]])
        shapes += [path_shape(path, HALO, 7), path_shape(path, theme.ACCENT, 4)]
        told.append(np.array([followed]))
    told = np.unique(np.concatenate(told))
    dots = [
        Dots(anchors.boxes[index], COLOURS[kind], faint=kind == Kind.NEGATIVE)
        for kind, index in dotted.items()  # the many first, so that the few lie on top
    ]
    facts = _facts(anchors, told, grid, level_names, names, sample)
    figure = canvas(
        grid.image_size,
        photo_url,
        [hover_points(anchors.boxes[told], facts, HOVER)],
        title=title,
        shapes=shapes,
        layers=dots_layer(dots, grid.image_size),
        alt=title,
    )
    figure["layout"]["annotations"] = numbers(objects)
    if selected is not None:
        figure["layout"]["meta"]["movable"] = objects.boxes[selected].tolist()
    return figure


def _belong(anchors: Labelled, selected: int | None, index: np.ndarray) -> np.ndarray:
    """(K,) bool: which of some anchors overlap the selected object most; all without one."""
    if selected is None:
        return np.ones(len(index), dtype=bool)
    return (anchors.matched[index] == selected) & (anchors.iou[index] > 0)


def _split(
    anchors: Labelled, selected: int | None, shown: tuple[Kind, ...]
) -> tuple[dict[Kind, np.ndarray], dict[Kind, np.ndarray]]:
    """Which anchors become boxes, best IoU first, and which dots."""
    boxed, dotted = {}, {}
    for kind in Kind:
        index = np.flatnonzero(anchors.kinds == kind) if kind in shown else np.arange(0)
        dotted[kind] = index[_belong(anchors, selected, index)]
    for kind in BOXED:
        order = np.argsort(-anchors.iou[dotted[kind]], kind="stable")
        boxed[kind], dotted[kind] = np.split(dotted[kind][order], [MOST])
    return boxed, dotted


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
