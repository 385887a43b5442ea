"""Which level, row, column and shape an anchor's number stands for.

Anchors are numbered level by level, then by row, column and anchor of the cell. Everything here
counts in that order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from explorer.core.anchors import (
    all_level_anchors,
    cell_anchors,
    grid_sizes,
    level_strides,
    pair_anchors,
)
from explorer.core.images import Picture
from explorer.settings import Anchors


@dataclass(frozen=True)
class Grid:
    """The cells of every level."""

    image_size: tuple[int, int]  # (height, width), pixels
    cells: tuple[tuple[int, int], ...]  # (rows, columns) of each level
    strides: tuple[tuple[float, float], ...]  # (stride_y, stride_x) of each level, pixels
    per_cell: tuple[int, ...]  # anchors a cell, of each level

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """Anchors of each level."""
        shapes = zip(self.cells, self.per_cell, strict=True)
        return tuple(rows * columns * each for (rows, columns), each in shapes)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """The first anchor of each level, and at the end the number of all."""
        return tuple(accumulate(self.counts, initial=0))

    def level_of(self, anchor_index: Tensor) -> Tensor:
        """(K,) anchor numbers -> (K,) int64 levels, from 0."""
        level = torch.zeros_like(anchor_index, dtype=torch.int8)
        for start in self.starts[1:-1]:  # comparing with numbers copies nothing to a device
            level += (anchor_index >= start).view(torch.int8)  # a sum of bools takes twice as long
        return level.long()

    def place_of(self, anchor_index: np.ndarray) -> dict[str, np.ndarray]:
        """Level, row, column and number within the cell of some anchors, each (K,) int64."""
        level = np.searchsorted(self.starts[1:-1], anchor_index, side="right")
        per_cell, columns = np.array(self.per_cell), np.array([each for _, each in self.cells])
        per_cell, columns = per_cell.take(level), columns.take(level)
        within = anchor_index - np.array(self.starts).take(level)
        cell = within // per_cell  # with a product 3 times as fast as a divmod
        row = cell // columns
        shape, column = within - cell * per_cell, cell - row * columns
        return {"level": level, "row": row, "column": column, "shape": shape}


@dataclass(frozen=True, eq=False)
class AnchorSet:
    """All anchors of a picture."""

    boxes: Tensor  # (N, 4) float32, xyxy, pixels
    shapes: tuple[np.ndarray, ...]  # (A, 4) anchors of one cell around (0, 0), for each level

    def at(self, index: Tensor) -> Tensor:
        """(K,) anchor numbers -> (K, 4) those anchors."""
        return self.boxes.index_select(0, index)


@dataclass(frozen=True, eq=False)
class Unlaid:
    """An `AnchorSet` of which few anchors are wanted: all are laid only where all are asked for."""

    grid: Grid
    anchors: Anchors
    lay: Callable[[], AnchorSet]

    def at(self, index: Tensor) -> Tensor:
        """(K,) numbers -> (K, 4) those anchors; on an accelerator all are as quick."""
        if index.device.type != "cpu":
            return self.lay().at(index)
        return anchors_at(self.grid, self.anchors, index)


def lay_grid(
    picture: Picture, strides: tuple[int, ...], rule: str, per_cell: tuple[int, ...]
) -> Grid:
    """The grid of every level over a picture: ceil(side / stride) cells."""
    cells = grid_sizes(picture.image_size, strides)
    distances = level_strides(picture.image_size, cells, strides, rule)
    return Grid(picture.image_size, cells, distances, per_cell)


def lay_anchors(grid: Grid, anchors: Anchors, device: torch.device) -> AnchorSet:
    """The anchors of every cell of the grid, in the pinned order."""
    shapes = level_shapes(anchors)
    boxes = all_level_anchors(shapes, grid.cells, grid.strides, anchors.offset, device)
    return AnchorSet(boxes, tuple(shape.numpy() for shape in shapes))


def anchors_at(grid: Grid, anchors: Anchors, index: Tensor) -> Tensor:
    """(K,) numbers -> (K, 4) float32 anchors, on the CPU, equal to `lay_anchors`' own."""
    place, offset = grid.place_of(index.numpy()), np.float32(anchors.offset)
    level, strides = place["level"], np.array(grid.strides, dtype=np.float32)
    y = (place["row"].astype(np.float32) + offset) * strides[:, 0].take(level)
    x = (place["column"].astype(np.float32) + offset) * strides[:, 1].take(level)
    shapes = np.concatenate([shapes.numpy() for shapes in level_shapes(anchors)])
    first = np.cumsum([0, *grid.per_cell[:-1]])
    boxes = shapes.take(first.take(level) + place["shape"], axis=0)
    boxes += np.stack([x, y, x, y], axis=1)
    return torch.from_numpy(boxes)


@lru_cache(maxsize=256)
def level_shapes(anchors: Anchors) -> tuple[Tensor, ...]:
    """(A, 4) anchors of one cell around (0, 0), for each level; all readers share them."""
    if anchors.pairs is not None:
        return tuple(pair_anchors(level) for level in anchors.pairs)
    rules = {"ratio": anchors.ratio, "rounding": anchors.rounding, "order": anchors.order}
    return tuple(cell_anchors(sizes, anchors.ratios, **rules) for sizes in anchors.sizes)


def shape_names(anchors: Anchors) -> list[list[str]]:
    """What to call each anchor of a cell, for each level: its ratio, or its size and ratio."""
    if anchors.pairs is not None:
        return [[f"{width:g} x {height:g}" for width, height in level] for level in anchors.pairs]
    names = []
    for sizes in anchors.sizes:
        if len(sizes) == 1:
            names.append([f"{ratio:g}" for ratio in anchors.ratios])
        elif anchors.order == "size outer":
            names.append([f"{size:g} at {ratio:g}" for size in sizes for ratio in anchors.ratios])
        else:
            names.append([f"{size:g} at {ratio:g}" for ratio in anchors.ratios for size in sizes])
    return names
