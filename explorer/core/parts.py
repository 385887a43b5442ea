"""The parts that anchors fall into: their level, or their aspect ratio.

Shapes: N anchors, P parts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from explorer.core.layout import Grid
from explorer.settings import Anchors

MOST = 8  # parts of listed shapes; past that, shapes of nearly one ratio are one


def parts_of(grid: Grid, anchors: Anchors, split: str) -> tuple[tuple[str, ...], np.ndarray]:
    """Which part each anchor belongs to.

    Args:
        grid: anchors of each level.
        anchors: shapes and names.
        split: "level" or "ratio".

    Returns:
        P names, and (N,) int64 numbers of the parts.
    """
    if split == "level":
        return anchors.level_names, np.repeat(np.arange(len(grid.counts)), grid.counts)
    levels = _ratios(anchors)
    names = tuple(dict.fromkeys(name for level in levels for name in level))
    if anchors.pairs is not None:
        names = tuple(sorted(names, key=float))
    numbers = [np.array([names.index(name) for name in level]) for level in levels]
    cells = [rows * columns for rows, columns in grid.cells]
    return names, np.concatenate([np.tile(n, c) for n, c in zip(numbers, cells, strict=True)])


def _ratios(anchors: Anchors) -> list[list[str]]:
    """The ratio of each shape of a cell, for each level."""
    if anchors.pairs is None:
        sizes = [len(level) for level in anchors.sizes]
        ratios = [f"{ratio:g}" for ratio in anchors.ratios]
        if anchors.order == "size outer":
            return [ratios * count for count in sizes]
        return [[ratio for ratio in ratios for _ in range(count)] for count in sizes]
    levels = [[width / height for width, height in level] for level in anchors.pairs]
    named = [[f"{round(ratio, 2):g}" for ratio in level] for level in levels]
    if len({name for level in named for name in level}) <= MOST:
        return named
    return [[_octave(ratio) for ratio in level] for level in levels]


def _octave(ratio: float) -> str:
    """The nearest power of 2, from 1/16 to 16."""
    return f"{2.0 ** min(4, max(-4, round(math.log2(ratio)))):g}"


def part_index(names: Sequence[str], name: str) -> int | None:
    """Which part a name means: its number, -1 for "all"; None where these settings have it not."""
    if name == "all":
        return -1
    return names.index(name) if name in names else None
