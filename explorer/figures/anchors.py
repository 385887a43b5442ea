"""The centres of an anchor grid; `explorer/live/anchors.js` draws them with their anchors."""

from __future__ import annotations

import numpy as np

from explorer.core.layout import Grid
from explorer.figures import theme
from explorer.figures.canvas import canvas

READABLE = 32  # crosses along the longer side; more of them hide the photo


def cell_step(cells: tuple[int, int]) -> int:
    """Which n makes 'every n-th cell' readable: 1, 2, 4, ... for a grid of (rows, columns)."""
    step = 1
    while max(cells) > READABLE * step:
        step *= 2
    return step


def centres(grid: Grid, level: int, offset: float, step: int) -> np.ndarray:
    """(N, 2) centres (x, y) of every `step`-th cell of a level, in pixels."""
    (rows, columns), (stride_y, stride_x) = grid.cells[level], grid.strides[level]
    y = (np.arange(0, rows, step) + offset) * stride_y
    x = (np.arange(0, columns, step) + offset) * stride_x
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def _every(step: int) -> str:
    if step == 1:
        return "every cell"
    return f"every {step}{'nd' if step % 10 == 2 else 'th'} cell"


def notebook_grid(grid: Grid, level: int, level_name: str, offset: float) -> theme.Figure:
    """The notebook's own figure: centres of every 8th cell on a dark canvas.

    A grid of more than 256 cells across, which the notebook has not, is shown more sparsely.
    """
    step = max(8, cell_step(grid.cells[level]))
    points = centres(grid, level, offset, step)
    dots = theme.trace(
        "scatter",
        x=points[:, 0],
        y=points[:, 1],
        mode="markers",
        marker={"size": 4, "color": "cyan"},
        hoverinfo="skip",
    )
    stride = grid.strides[level][0]
    title = f"Anchor centres at {level_name} (stride {stride:g}), {_every(step)}"
    return canvas(grid.image_size, None, [dots], title=title, alt=title)
