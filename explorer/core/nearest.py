"""The best anchor of each object, found where it must lie instead of among all anchors.

A shape shares most with an object where its anchors' middles lie nearest: along each axis that is
one cell, or every cell in which the longer of the two sides covers the shorter one. So the sizes
tell which shapes can be the best, and the places which few of their anchors. These alone are laid
and measured, and the answer is that of the whole matrix, to the last bit.

Shapes: G objects, S shapes of all levels, A axes (across, then down).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from explorer.core.boxes import box_columns, check_box_list
from explorer.core.columns import columns_iou
from explorer.core.layout import Grid, anchors_at, level_shapes
from explorer.settings import Anchors

SLACK = 0.02  # pixels; float32 places anchors that far from here to within a hundredth of it
MANY = 8  # from an eighth of the anchors on all are laid: to look each up takes longer


def best_anchors(grid: Grid, anchors: Anchors, objects: Tensor) -> tuple[Tensor, Tensor]:
    """What the anchors reach before any head moves them: no head that stands still finds more.

    Args:
        grid: the cells of every level.
        anchors: shapes and offset, of as many levels.
        objects: (G, 4) boxes, xyxy, pixels.

    Returns:
        (G,) float32 best IoU of each object and (G,) int64 the anchor that has it, the lowest of
        equals; 0 and -1 for an object that no anchor touches. Both on the CPU.

    Raises:
        ValueError: if `objects` is not (G, 4).
    """
    check_box_list("objects", objects)
    columns = box_columns(objects.cpu())
    likely = _likely(grid, anchors, columns.astype(np.float64))
    # Shapes far larger than the objects cover them from almost everywhere.
    everywhere = sum(map(len, likely)) > grid.starts[-1] // MANY
    if everywhere:
        numbers = np.arange(grid.starts[-1])
    else:
        numbers = np.unique(np.concatenate([np.empty(0, int), *likely]))
    laid = box_columns(anchors_at(grid, anchors, torch.from_numpy(numbers)))
    best, index = np.zeros(len(objects), np.float32), np.full(len(objects), -1)
    for place, own in enumerate(likely):
        if len(own):
            near = laid.take(own if everywhere else np.searchsorted(numbers, own), axis=1)
            iou = columns_iou(columns[:, place, None], near)
            first = int(iou.argmax())
            if iou[first] > 0:
                best[place], index[place] = iou[first], own[first]
    return torch.from_numpy(best), torch.from_numpy(index)


def _likely(grid: Grid, anchors: Anchors, objects: np.ndarray) -> list[np.ndarray]:
    """(5, G) columns -> for each object the anchors that may be its best, ascending numbers."""
    per_level = [shapes.numpy() for shapes in level_shapes(anchors)]
    boxes, per_cell = np.concatenate(per_level).astype(np.float64), list(map(len, per_level))
    level = np.repeat(np.arange(len(per_cell)), per_cell)
    number = np.array(grid.starts)[level] + np.concatenate([*map(np.arange, per_cell)])
    # All (A, S, 1), or (A, 1, G) of the objects.
    own, middle = (boxes[:, 2:] - boxes[:, :2]).T[..., None], (boxes[:, :2] + boxes[:, 2:]) / 2
    step = np.array(grid.strides)[level, ::-1].T[..., None]
    cells = np.array(grid.cells)[level, ::-1].T[..., None]
    sides, first = (objects[2:4] - objects[:2])[:, None], middle.T[..., None]
    first = first + anchors.offset * step
    from_first = (objects[2:4] + objects[:2])[:, None] / 2 - first  # (A, S, G)
    away = np.abs(from_first - step * np.rint(from_first / step).clip(0, cells - 1))
    # How far an anchor may be for the best overlap of its shape.
    reach = np.maximum(np.abs(sides - own) / 2, away) + SLACK
    begin = np.ceil((from_first - reach) / step).clip(0).astype(int)
    end = np.floor((from_first + reach) / step).clip(max=cells - 1).astype(int) + 1
    found: list[list[np.ndarray]] = [[] for _ in range(objects.shape[1])]
    for shape, place in zip(*_may_be_best(own, sides, away).nonzero(), strict=True):
        column, row = map(np.arange, begin[:, shape, place], end[:, shape, place])
        cell = row[:, None] * cells[0, shape] + column
        found[place].append((cell * per_cell[level[shape]] + number[shape]).ravel())
    return [np.sort(np.concatenate(each)) if each else np.empty(0, int) for each in found]


def _may_be_best(own: np.ndarray, sides: np.ndarray, away: np.ndarray) -> np.ndarray:
    """(S, G) whether a shape, at its nearest, may reach what any shape reaches."""
    shared = np.minimum(np.minimum(sides, own), (sides + own) / 2 - away)  # (A, S, G)
    both = sides.prod(axis=0) + own.prod(axis=0)

    def iou(slack: float) -> np.ndarray:
        area = np.maximum(shared + slack, 0).prod(axis=0)
        return area / np.maximum(both - area, area)

    most = iou(SLACK)
    return (most > 0) & (most >= iou(-SLACK).max(axis=0, initial=0))
