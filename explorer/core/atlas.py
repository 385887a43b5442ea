"""The blind-spot atlas: what IoU a grid of anchors offers to an object of any size.

Only sizes and distances count: an object shares with an anchor the part of its width that both
cover, times the part of its height, and the nearest anchor of a shape shares most. The picture's
borders do not count: this is an endless grid.

Shapes: B objects, S shapes of all levels, L levels, K places.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from explorer.core.anchor_places import even_places, worst_places
from explorer.core.layout import level_shapes
from explorer.settings import Anchors

AXIS = np.geomspace(4, 1024, 49).astype(np.float32)  # pixels, six steps an octave
TIE = 1e-5  # shapes whose IoUs differ by no more serve alike


@dataclass(frozen=True, eq=False)
class Lattice:
    """An endless grid of anchors."""

    strides: tuple[tuple[int, int], ...]  # (down, across) of each of the L levels, pixels
    offset: float  # the centre of cell i is at (i + offset) strides
    sides: np.ndarray  # (S, 2) float32, width and height of each shape, pixels
    level: np.ndarray  # (S,) int64, the level of each shape


@dataclass(frozen=True)
class Service:
    """The anchor that serves an object of one size best."""

    level: int
    sides: tuple[float, float]  # width and height of the anchor, pixels
    away: tuple[float, float]  # from its centre to the object's, across and down, pixels
    alike: int  # other shapes that serve it as well


@lru_cache(maxsize=256)
def lattice_of(anchors: Anchors, strides: tuple[tuple[int, int], ...] | None = None) -> Lattice:
    """The endless grid of some settings.

    Args:
        anchors: shapes, strides and offset.
        strides: (down, across) of each level where the picture decides them, as `Grid` has them.
    """
    shapes = [shape.numpy() for shape in level_shapes(anchors)]
    every = np.concatenate(shapes)
    level = np.repeat(np.arange(len(shapes)), [len(shape) for shape in shapes])
    strides = strides or tuple((stride, stride) for stride in anchors.strides)
    return Lattice(strides, anchors.offset, every[:, 2:] - every[:, :2], level)


def offered_iou(
    widths: np.ndarray, heights: np.ndarray, lattice: Lattice, reading: str
) -> np.ndarray:
    """The best IoU that the lattice offers to objects of these sizes.

    Args:
        widths: (B,) pixels, > 0.
        heights: (B,) pixels, > 0.
        lattice: the anchors.
        reading: "mean" over the places where an object's centre may lie, or "worst": what every
            place offers at least.

    Returns:
        (B,) float32 in [0, 1]; (0,) for no objects.
    """
    widths, heights = (np.asarray(side, np.float32) for side in (widths, heights))
    across, share_x, down, share_y = _places(lattice, reading)
    areas = widths * heights + lattice.sides.prod(axis=1)[:, None]  # (S, B)

    def at(distance_x: np.ndarray, distance_y: np.ndarray) -> np.ndarray:
        x = _shared(widths, lattice.sides[:, :1], distance_x[lattice.level, None])
        return x * _shared(heights, lattice.sides[:, 1:], distance_y[lattice.level, None]) / areas

    # A shape counts where its nearest anchor beats what any shape offers at its farthest.
    least = at(across.max(axis=0), down.max(axis=0)).max(axis=0)
    counts = at(across.min(axis=0), down.min(axis=0)) > least
    best = np.empty((len(widths), len(across), len(down)), np.float32)
    best[:] = least[:, None, None]
    for shape, level in enumerate(lattice.level):
        i = np.flatnonzero(counts[shape])
        width, height = lattice.sides[shape]
        x = _shared(widths[i, None], width, across[:, level]) / areas[shape, i, None]
        y = _shared(heights[i, None], height, down[:, level])
        best[i] = np.maximum(best[i], x[:, :, None] * y[:, None])
    best /= 1 - best  # from shared / both areas to shared / area covered
    if reading == "worst":
        return best.min(axis=(1, 2))
    return np.einsum("bxy,x,y->b", best, share_x, share_y)


def size_chart(lattice: Lattice, reading: str, scale: float = 1) -> np.ndarray:
    """`offered_iou` over `AXIS` both ways, where the lattice is enlarged by a scale.

    Args:
        lattice: the anchors.
        reading: as in `offered_iou`.
        scale: pixels of the axes to a pixel of the lattice, > 0.

    Returns:
        (49 heights, 49 widths) float32 in [0, 1].
    """
    widths, heights = np.meshgrid(AXIS / scale, AXIS / scale)
    iou = offered_iou(widths.ravel(), heights.ravel(), lattice, reading)
    return iou.reshape(widths.shape)


def serve(width: float, height: float, lattice: Lattice, reading: str) -> Service:
    """The anchor that serves an object of one size best.

    In the mean reading it is of the shape whose own mean is the best, at the place where it fits
    best; in the worst reading of the shape that is best at the worst place, there. Of shapes that
    serve alike the one of the nearest ratio.

    Args:
        width: of the object, pixels, > 0.
        height: of the object, pixels, > 0.
        lattice: the anchors.
        reading: as in `offered_iou`.
    """
    across, share_x, down, share_y = _places(lattice, reading)
    x = _shared(width, lattice.sides[:, :1], across.T[lattice.level])  # (S, K)
    y = _shared(height, lattice.sides[:, 1:], down.T[lattice.level])
    table = x[:, :, None] * y[:, None]  # (S, K, K)
    table /= (width * height + lattice.sides.prod(axis=1))[:, None, None] - table
    if reading == "worst":
        place = np.unravel_index(table.max(axis=0).argmin(), table.shape[1:])
        served = table[:, *place]
    else:
        served = np.einsum("sxy,x,y->s", table, share_x, share_y)
    alike = np.flatnonzero(served >= served.max() - TIE)
    misfit = np.log(lattice.sides[alike, 0] / lattice.sides[alike, 1] * (height / width))
    shape = alike[np.abs(misfit).argmin()]
    if reading == "mean":
        place = np.unravel_index(table[shape].argmax(), table.shape[1:])
    level = int(lattice.level[shape])
    away = float(across[place[0], level]), float(down[place[1], level])
    return Service(level, tuple(lattice.sides[shape].tolist()), away, len(alike) - 1)


def _places(lattice: Lattice, reading: str) -> tuple[np.ndarray, ...]:
    """(K, L) distances across with (K,) shares of the places, and the same down; float32."""
    down, across = zip(*lattice.strides, strict=True)
    return *_along(across, lattice.offset, reading), *_along(down, lattice.offset, reading)


@lru_cache(maxsize=256)
def _along(strides: tuple[int, ...], offset: float, reading: str) -> tuple[np.ndarray, ...]:
    found = (worst_places if reading == "worst" else even_places)(strides, offset)
    return tuple(part.astype(np.float32) for part in found)


def _shared(side: np.ndarray, anchor: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """What a side shares with an anchor's whose middle lies at a distance; broadcasts."""
    return np.maximum(np.minimum(np.minimum(side, anchor), (side + anchor) / 2 - distance), 0)
