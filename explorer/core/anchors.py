"""Anchors: every cell of a feature grid looks at the same few shapes around its centre.

Sources: Ren et al. 2015, section 3.1.1; Lin et al. 2017 (FPN), section 4.1. The conventions that
code bases disagree on are arguments.

Shapes: A anchors a cell, N anchors in all, H rows and W columns of a level's grid.
"""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from explorer.core.anchor_shapes import (
    Numbers,
    cell_anchors,
    check_choice,
    check_positive,
    pair_anchors,
)

__all__ = [
    "all_level_anchors",
    "cell_anchors",
    "grid_sizes",
    "level_anchors",
    "level_strides",
    "pair_anchors",
]

StrideRule = Literal["fixed", "image // grid"]


def grid_sizes(image_size: tuple[int, int], strides: Numbers) -> tuple[tuple[int, int], ...]:
    """Rows and columns of each level's grid: ceil(side / stride).

    Args:
        image_size: (height, width), pixels.
        strides: one a level, pixels, positive.

    Returns:
        (rows, columns) of each level.

    Raises:
        ValueError: if a side or a stride is not positive and finite.
    """
    check_positive("image_size", image_size)
    check_positive("strides", strides)
    height, width = image_size
    return tuple((math.ceil(height / s), math.ceil(width / s)) for s in strides)


def level_strides(
    image_size: tuple[int, int],
    grids: Sequence[tuple[int, int]],
    strides: Numbers,
    rule: StrideRule = "fixed",
) -> tuple[tuple[float, float], ...]:
    """Pixels from one cell to the next, down and across, of each level.

    Args:
        image_size: (height, width), pixels.
        grids: (rows, columns) of each level.
        strides: the network's own stride of each level, pixels.
        rule: "fixed" takes `strides`; "image // grid" divides the picture by the grid, as
            torchvision does: 800 // 13 = 61 at P6, where the network's own stride is 64.

    Returns:
        (stride_y, stride_x) of each level.

    Raises:
        ValueError: if the lengths differ, a stride is not positive and finite, or the rule is
            "image // grid" and a grid has more cells than the picture has pixels.
    """
    check_choice("stride_rule", rule, StrideRule)
    check_positive("strides", strides)
    if len(grids) != len(strides):
        raise ValueError(f"strides must be one a level, got {len(strides)} for {len(grids)} levels")
    if rule == "fixed":
        return tuple((s, s) for s in strides)
    height, width = image_size
    divided = tuple((height // rows, width // columns) for rows, columns in grids)
    check_positive("image // grid", [stride for pair in divided for stride in pair])
    return divided


def level_anchors(
    cell: Tensor,
    grid: tuple[int, int],
    stride: tuple[float, float],
    offset: float = 0.5,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Anchors of one level: the cell's anchors moved to every cell's centre.

    Args:
        cell: (A, 4) float32 boxes around (0, 0).
        grid: (rows, columns).
        stride: (stride_y, stride_x), pixels.
        offset: the centre of cell i is (i + offset) * stride: 0.5 in the course notebook and
            py-faster-rcnn, 0 in torchvision and detectron2.
        device: where the anchors go.

    Returns:
        (rows * columns * A, 4) float32 boxes, xyxy, pixels; by row, then column, then anchor of
        the cell, as `permute(0, 2, 3, 1)` flattens the head's output. (0, 4) for an empty grid.
    """
    return all_level_anchors([cell], [grid], [stride], offset, device)


def all_level_anchors(
    cells: Sequence[Tensor],
    grids: Sequence[tuple[int, int]],
    strides: Sequence[tuple[float, float]],
    offset: float = 0.5,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Anchors of all levels in one tensor, level by level.

    Args:
        cells: (A, 4) float32 boxes around (0, 0), one tensor a level.
        grids: (rows, columns) of each level.
        strides: (stride_y, stride_x) of each level, pixels.
        offset: see `level_anchors`.
        device: where the anchors go.

    Returns:
        (N, 4) float32 boxes, xyxy, pixels, in the order of `level_anchors`.

    Raises:
        ValueError: if the three lists differ in length, or the offset is not finite.
    """
    if not len(cells) == len(grids) == len(strides):
        raise ValueError(
            "anchors must have one cell, grid and stride a level, "
            f"got {len(cells)}, {len(grids)} and {len(strides)}"
        )
    if not math.isfinite(offset):
        raise ValueError(f"offset must be finite, got {offset}")
    counts = [
        rows * columns * len(cell) for cell, (rows, columns) in zip(cells, grids, strict=True)
    ]
    anchors = torch.empty((sum(counts), 4), dtype=torch.float32, device=device)
    levels = zip(anchors.split(counts), cells, grids, strides, strict=True)
    for level, cell, grid, stride in levels:
        _fill(level, cell.to(device), grid, stride, offset)
    return anchors


def _fill(
    out: Tensor, cell: Tensor, grid: tuple[int, int], stride: tuple[float, float], offset: float
) -> None:
    """Write one level's anchors into `out`, (H * W * A, 4)."""
    rows, columns = grid
    y = (torch.arange(rows, dtype=torch.float32, device=out.device) + offset) * stride[0]
    x = (torch.arange(columns, dtype=torch.float32, device=out.device) + offset) * stride[1]
    shifts = torch.stack([x, torch.zeros_like(x)] * 2, dim=1)  # (W, 4)
    row = (shifts[:, None] + cell).view(-1)  # (W * A * 4)
    is_y = torch.zeros_like(row)
    is_y[1::2] = 1
    # whole rows at a time: adding (H, 1, 4) to (W * A, 4) would loop over 4 numbers, twice as slow
    torch.addr(row.expand(rows, -1), y, is_y, out=out.view(rows, len(row)))
