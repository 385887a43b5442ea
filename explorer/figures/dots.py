"""Thousands of anchors as dots at their centres: one small image, whatever their number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from explorer.figures import png
from explorer.figures.canvas import image_layer

SIDE = 1024  # pixels of the image; a larger one shows no more on a screen
ALPHA = 170  # of 255, for the many dots that would hide the photo
RIM, RIM_ALPHA = "#000000", 130
MARGIN = 16  # pixels; more than the largest dot's side


@dataclass(frozen=True, eq=False)
class Dots:
    """Anchors in one colour."""

    boxes: np.ndarray  # (K, 4) xyxy, pixels
    colour: str  # #rrggbb
    faint: bool = False  # as single pixels without a rim


def dots_layer(groups: list[Dots], image_size: tuple[int, int]) -> list[dict[str, Any]]:
    """One image for `canvas`, later groups above earlier ones.

    Larger anchors, which lie further apart, have larger dots, with a dark rim against bright
    photos. What lies outside the picture is cut off.

    Args:
        groups: at most 100.
        image_size: (height, width) of the network's input, pixels.

    Returns:
        The layer, alone; none where there are no anchors at all.
    """
    if not any(len(group.boxes) for group in groups):
        return []
    scale = min(1.0, SIDE / max(image_size))
    pixels = np.zeros([round(side * scale) + 2 * MARGIN for side in image_size], dtype=np.uint8)
    for number, group in enumerate(groups):
        boxes = group.boxes * scale
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        if group.faint:
            _stamp(pixels, centres, 1, number + 2)
            continue
        sides = _sides(boxes, max(image_size) * scale)
        for grow, value in ((2, 1), (0, number + 2)):  # the rims, then the dots
            for side in np.unique(sides).tolist():
                _stamp(pixels, centres[sides == side], side + grow, value)
    shown = np.ascontiguousarray(pixels[MARGIN:-MARGIN, MARGIN:-MARGIN])
    return [image_layer(_as_png(shown, groups), image_size)]


def _sides(boxes: np.ndarray, extent: int) -> np.ndarray:
    """(K,) sides of the dots, pixels."""
    unit = extent / 400
    lengths = np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
    return (lengths / 24).clip(max(1, unit), 4 * unit).round().astype(np.int64)


def _stamp(pixels: np.ndarray, centres: np.ndarray, side: int, value: int) -> None:
    """Squares of one side around some points, into an image with a margin."""
    height, width = (extent - 2 * MARGIN for extent in pixels.shape)
    x, y = np.floor(centres - (side - 1) / 2).astype(np.int64).T
    touches = (y > -side) & (y < height) & (x > -side) & (x < width)
    corners = (y[touches] + MARGIN) * pixels.shape[1] + x[touches] + MARGIN
    corners = corners[np.diff(corners, prepend=-1) != 0]  # a cell's anchors share their centre
    steps = np.arange(side)
    square = (steps[:, None] * pixels.shape[1] + steps).ravel()
    pixels.reshape(-1)[corners[:, None] + square] = value


def _as_png(pixels: np.ndarray, groups: list[Dots]) -> str:
    """0 lets the photo through, 1 is a rim, then the groups."""
    colours = [RIM, RIM, *(group.colour for group in groups)]
    alpha = [0, RIM_ALPHA, *(ALPHA if group.faint else 255 for group in groups)]
    image = Image.fromarray(pixels, "P")
    image.putpalette([int(colour[i : i + 2], 16) for colour in colours for i in (1, 3, 5)])
    return png.uri(image, transparency=bytes(alpha))
