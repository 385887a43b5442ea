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
    Order,
    Ratio,
    Rounding,
    cell_anchors,
    check_choice,
    check_positive,
    pair_anchors,
)

__all__ = [
    "AnchorGenerator",
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


class AnchorGenerator:
    """Anchors for the feature maps of a pyramid, under one set of conventions.

    Args:
        anchor_sizes: one size a level, or one tuple of sizes a level; pixels.
        aspect_ratios: the ratios of every level, or one tuple of ratios a level.
        strides: one a level, pixels.
        ratio: see `cell_anchors`.
        offset: see `level_anchors`.
        rounding: see `cell_anchors`.
        stride_rule: see `level_strides`.
        order: see `cell_anchors`.

    Raises:
        ValueError: if the lengths differ or a value is not positive and finite.
    """

    def __init__(
        self,
        anchor_sizes: Sequence[float] | Sequence[Numbers] = (32, 64, 128, 256, 512),
        aspect_ratios: Sequence[float] | Sequence[Numbers] = (0.5, 1.0, 2.0),
        strides: Numbers = (4, 8, 16, 32, 64),
        *,
        ratio: Ratio = "w/h",
        offset: float = 0.5,
        rounding: Rounding = "none",
        stride_rule: StrideRule = "fixed",
        order: Order = "size outer",
    ):
        self.anchor_sizes = _tuples(anchor_sizes)
        self.aspect_ratios = _tuples(aspect_ratios)
        self.strides = tuple(strides)
        self.offset = offset
        self.stride_rule = stride_rule
        check_positive("strides", self.strides)
        check_choice("stride_rule", stride_rule, StrideRule)
        sizes = self.anchor_sizes if _nested(self.anchor_sizes) else [(s,) for s in anchor_sizes]
        ratios = self.aspect_ratios
        if not _nested(ratios):
            ratios = (ratios,) * len(sizes)
        if not len(sizes) == len(ratios) == len(self.strides):
            raise ValueError(
                "anchor_sizes, aspect_ratios and strides must agree on the number of levels, "
                f"got {len(sizes)}, {len(ratios)} and {len(self.strides)}"
            )
        self.cells = tuple(
            cell_anchors(s, r, ratio=ratio, rounding=rounding, order=order)
            for s, r in zip(sizes, ratios, strict=True)
        )

    def __call__(self, feature_maps: Sequence[Tensor], image_size: tuple[int, int]) -> Tensor:
        """Return the anchors of all levels, on the feature maps' device.

        Args:
            feature_maps: (N, C, H, W), one a level; only their grids and device matter.
            image_size: (height, width), pixels, of the picture behind the maps.

        Returns:
            (anchors, 4) float32 boxes, xyxy, pixels, in the order of `level_anchors`.

        Raises:
            ValueError: if the number of maps is not the number of levels.
        """
        grids = [tuple(f.shape[-2:]) for f in feature_maps]
        strides = level_strides(image_size, grids, self.strides, self.stride_rule)
        return all_level_anchors(self.cells, grids, strides, self.offset, feature_maps[0].device)

    def num_anchors_per_location(self) -> tuple[int, ...]:
        """Return the number of anchors of a cell, for each level."""
        return tuple(len(cell) for cell in self.cells)


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


def _nested(values: tuple) -> bool:
    return len(values) > 0 and all(isinstance(v, tuple) for v in values)


def _tuples(values: Sequence) -> tuple:
    return tuple(tuple(v) if isinstance(v, list | tuple) else v for v in values)
