"""Where an object may lie on several grids at once: its distances to their nearest centres.

The strides' common period holds every place that there is. Along an axis a place is one row of
distances, one a level.

Shapes: L levels, K places.
"""

from __future__ import annotations

import math

import numpy as np

EVEN = 31  # places along an axis: the mean over 31 x 31 is within .001 of that over ten times more
STEPS = 64  # parts of the period in the search for the worst place


def even_places(strides: tuple[int, ...], offset: float) -> tuple[np.ndarray, np.ndarray]:
    """Places spread evenly over every level's cell, and over the common period.

    As many places as a prime that divides no ratio of period and stride: so each level by itself
    sees its own cell cut into that many equal parts.

    Args:
        strides: (L,) distances of the centres, pixels.
        offset: a level's centres lie at (i + offset) strides.

    Returns:
        (K, L) distances to the nearest centre, pixels, and (K,) the share of each, together 1.
    """
    period = math.lcm(*strides)
    count = EVEN
    while not _is_prime(count) or any(period // stride % count == 0 for stride in strides):
        count += 1
    found = _distances(np.arange(count) * period / count, strides, offset)
    places, counts = np.unique(found.round(9), axis=0, return_counts=True)  # mirrored ones are one
    return places, counts / count


def worst_places(strides: tuple[int, ...], offset: float) -> tuple[np.ndarray, np.ndarray]:
    """Places that together are as bad as any: no other is farther from the centres of all levels.

    The period is cut into parts, and each part counts as far from each level as its farthest point
    is. So the worst IoU over these places is one that every place reaches. With an offset of a half
    there is one such place, the corner where cells of all levels meet, and the bound is exact.
    A period of more than 64 of the finest cells is not walked: there every level counts as being
    at its farthest.

    Args:
        strides: (L,) distances of the centres, pixels.
        offset: a level's centres lie at (i + offset) strides.

    Returns:
        (K, L) distances, pixels, K >= 1, and (K,) equal shares, together 1.
    """
    farthest = np.array(strides) / 2
    period = math.lcm(*strides)
    if period > STEPS * min(strides):
        return farthest[None], np.ones(1)
    half = period / STEPS / 2
    middles = _distances((2 * np.arange(STEPS) + 1) * half, strides, offset)
    corners = _distances(2 * np.arange(STEPS) * half, strides, offset)
    # a part's farthest point is one of its ends, or where a level's own farthest point lies in it
    parts = np.maximum(corners, np.roll(corners, -1, axis=0))
    parts = np.where(middles + half >= farthest, farthest, parts)
    parts = np.unique(np.minimum(parts, farthest).round(9), axis=0)
    beaten = (parts >= parts[:, None]).all(axis=2) & (parts > parts[:, None]).any(axis=2)
    places = parts[~beaten.any(axis=1)]
    return places, np.full(len(places), 1 / len(places))


def _distances(places: np.ndarray, strides: tuple[int, ...], offset: float) -> np.ndarray:
    """(K,) places along an axis -> (K, L) distances to each level's nearest centre."""
    cells = places[:, None] / np.array(strides) - offset
    return np.abs(cells - cells.round()) * strides


def _is_prime(number: int) -> bool:
    return all(number % divisor for divisor in range(2, math.isqrt(number) + 1))
