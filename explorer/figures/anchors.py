"""Anchor grids and the anchors of one cell, over the photo."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer.core.layout import AnchorSet, Grid
from explorer.figures import theme
from explorer.figures.canvas import canvas, crosses_path, hover_points, path_shape

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


def anchor_grid(
    grid: Grid,
    anchors: AnchorSet,
    names: list[list[str]],
    *,
    level: int,
    level_name: str,
    cell: tuple[int, int],
    offset: float,
    photo_url: str | None,
) -> go.Figure:
    """The centres of a level's cells, and all anchors of one cell.

    Args:
        grid: cells and strides of each level.
        anchors: their shapes.
        names: what each shape of a cell is called, for each level.
        level: which level, from 0.
        level_name: such as P3.
        cell: (row, column) of the cell whose anchors are drawn.
        offset: where in a cell its centre lies, in strides.
        photo_url: see `canvas`.
    """
    colour, step = theme.level_colour(level), cell_step(grid.cells[level])
    points = centres(grid, level, offset, step)
    stride_y, stride_x = grid.strides[level]
    centre = np.array([(cell[1] + offset) * stride_x, (cell[0] + offset) * stride_y])
    boxes = anchors.shapes[level] + np.tile(centre, 2)
    arm = max(grid.image_size) / 250
    shapes = [
        path_shape(crosses_path(points, arm), "rgba(0,0,0,0.55)", 4),  # a halo on bright photos
        path_shape(crosses_path(points, arm), colour, 2),
    ]
    for number, (x1, y1, x2, y2) in enumerate(boxes.tolist()):
        box = {"type": "rect", "x0": x1, "y0": y1, "x1": x2, "y1": y2}
        shapes += [
            box | {"line": {"color": "rgba(0,0,0,0.6)", "width": 6}},
            box | {"line": {"color": theme.SHAPES[number % len(theme.SHAPES)], "width": 3}},
        ]
    shapes.append(path_shape(crosses_path(centre[None], 2 * arm), theme.ACCENT, 4))
    sides = boxes[:, 2:] - boxes[:, :2]
    facts = [[name, *size] for name, size in zip(names[level], sides.tolist(), strict=True)]
    template = (
        "<b>%{customdata[4]}</b><br>%{customdata[5]:.1f} x %{customdata[6]:.1f} px"
        f"<br>{level_name}, row {cell[0]}, column {cell[1]}"
    )
    count = f"{len(boxes)} anchors" if len(boxes) > 1 else "anchor"
    title = f"{level_name}: {_every(step)}, and the {count} of one"
    corner_points = hover_points(boxes, facts, template)
    corner_points.x = boxes[:, 2]  # the corners differ where the centres agree
    corner_points.y = boxes[:, 1]
    return canvas(
        grid.image_size, photo_url, [corner_points], title=title, shapes=shapes, alt=title
    )


def _every(step: int) -> str:
    if step == 1:
        return "every cell"
    return f"every {step}{'nd' if step % 10 == 2 else 'th'} cell"


def notebook_grid(grid: Grid, level: int, level_name: str, offset: float) -> go.Figure:
    """The notebook's own figure: centres of every 8th cell on a dark canvas.

    A grid of more than 256 cells across, which the notebook has not, is shown more sparsely.
    """
    step = max(8, cell_step(grid.cells[level]))
    points = centres(grid, level, offset, step)
    dots = go.Scatter(
        x=points[:, 0],
        y=points[:, 1],
        mode="markers",
        marker={"size": 4, "color": "cyan"},
        hoverinfo="skip",
        _validate=False,
    )
    stride = grid.strides[level][0]
    title = f"Anchor centres at {level_name} (stride {stride:g}), {_every(step)}"
    return canvas(grid.image_size, None, [dots], title=title, alt=title)
