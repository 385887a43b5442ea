"""Small pictures of the chain's steps, as SVG: they are static, and a plot each would be slow."""

from __future__ import annotations

import base64

import numpy as np

from explorer.core.layout import AnchorSet, Grid
from explorer.figures import theme
from explorer.figures.canvas import boxes_path, crosses_path


def thumb(image_size: tuple[int, int], photo_url: str | None, drawn: str = "") -> str:
    """HTML of the photo with something drawn on it.

    Args:
        image_size: (height, width) of the network's input, pixels.
        photo_url: where the photo lies; None for a dark ground.
        drawn: SVG elements in pixels of the network's input.
    """
    height, width = image_size
    photo = f'<img src="{photo_url}" alt="">' if photo_url else ""
    frame = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
    # As an image of its own: the page's sanitiser removes SVG elements.
    data = base64.b64encode(f"{frame}{drawn}</svg>".encode()).decode()
    dim = ' class="dim"' if photo_url and drawn else ""
    shape = f'style="aspect-ratio:{width}/{height}"'
    return f'<div {shape}{dim}>{photo}<img src="data:image/svg+xml;base64,{data}" alt=""></div>'


def anchors(grid: Grid, shapes: AnchorSet, offset: float) -> str:
    """The middle cell's anchors of every level, and the centres of the fourth level's cells."""
    middle = np.array(grid.image_size[::-1]) / 2
    parts = [_cells(grid, min(3, len(grid.cells) - 1), offset, max(grid.image_size) / 120)]
    for level, shape in enumerate(shapes.shapes):
        parts.append(_path(boxes_path(shape + np.tile(middle, 2)), theme.level_colour(level), 6))
    return "".join(parts)


def _cells(grid: Grid, level: int, offset: float, arm: float) -> str:
    """A cross at the centre of each cell of a level, as one tile that repeats."""
    (rows, columns), (height, width) = grid.cells[level], grid.strides[level]
    place = f'x="{(offset - 0.5) * width:g}" y="{(offset - 0.5) * height:g}"'
    cross = _path(crosses_path(np.array([[width, height]]) / 2, arm), "#ffffff", 3)
    tile = f'{place} width="{width:g}" height="{height:g}" patternUnits="userSpaceOnUse"'
    whole = f'{place} width="{columns * width:g}" height="{rows * height:g}"'
    return f'<pattern id="cell" {tile}>{cross}</pattern><rect {whole} fill="url(#cell)"/>'


def boxes(drawn: np.ndarray, level: np.ndarray) -> str:
    """(K, 4) boxes in the colours of their (K,) levels."""
    return "".join(
        _path(boxes_path(drawn[level == each]), theme.level_colour(each), 4)
        for each in np.unique(level).tolist()
    )


def size(image_size: tuple[int, int], side: float) -> str:
    """A square of the minimum size, at the photo's scale, and its side in words."""
    height, width = image_size
    x, y = (width - side) / 2, (height - side) / 2
    square = f'<rect x="{x}" y="{y}" width="{side}" height="{side}" fill="{theme.ACCENT}"/>'
    font = f'font-size="{height / 9:.0f}" font-family="sans-serif" text-anchor="middle"'
    return f'{square}<text x="50%" y="{y - 20}" {font} fill="#fff">{side:g} px</text>'


def bars(image_size: tuple[int, int], scores: np.ndarray) -> str:
    """A histogram of 40 bins over the range of the data, logarithmic: a few good scores show."""
    height, width = image_size
    heights = np.log1p(np.histogram(scores, bins=40)[0])
    tops = height * (1 - 0.85 * heights / max(1e-9, heights.max()))
    step = width / len(heights)
    path = "".join(
        f"M{i * step:.0f},{height}V{top:.0f}h{step:.0f}V{height}Z" for i, top in enumerate(tops)
    )
    return f'<path d="{path}" fill="{theme.level_colour(0)}"/>'


def _path(path: str, colour: str, width: float) -> str:
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
