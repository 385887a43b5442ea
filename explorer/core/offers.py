"""What a grid's shapes could do for an object at best, wherever the object lies.

Two boxes never share more than the smaller width times the smaller height, and they share that much
when one lies right on the other: so no place is better than that.

Shapes: S shapes of all levels, A of one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Offer:
    """The shape that would overlap an object most if it lay right on it."""

    iou: float
    level: int
    sides: tuple[float, float]  # width and height of the shape, pixels
    misfit: str  # how the object differs from every shape, such as "smaller"; else ""


def find_offer(width: float, height: float, shapes: tuple[np.ndarray, ...]) -> Offer:
    """The best that any anchor shape could do for an object, wherever the object lies.

    Args:
        width: of the object, pixels, > 0.
        height: of the object, pixels, > 0.
        shapes: (A, 4) anchors of one cell, for each level.

    Returns:
        The offer; of equal IoU the shape of the nearest ratio, then of the finer level.
    """
    every = np.concatenate(shapes).astype(np.float64)  # (S, 4)
    sides = every[:, 2:] - every[:, :2]
    areas = sides.prod(axis=1)
    shared = np.minimum(sides, [width, height]).prod(axis=1)
    iou = shared / (areas + width * height - shared)
    equals = np.flatnonzero(iou > iou.max() - 1e-6)  # several shapes may hold all of a small object
    ratios = np.log(sides[equals, 0] / sides[equals, 1] * height / width)
    best = int(equals[np.abs(ratios).argmin()])
    level = int(np.searchsorted(np.cumsum([len(each) for each in shapes]), best, side="right"))
    misfit = _misfit(width, height, sides, areas)
    return Offer(float(iou[best]), level, tuple(sides[best].tolist()), misfit)


def _misfit(width: float, height: float, sides: np.ndarray, areas: np.ndarray) -> str:
    """How an object differs from every shape, by area and by ratio."""
    ratio, ratios = width / height, sides[:, 0] / sides[:, 1]
    hair = 1 + 1e-6  # the shapes are float32
    words = {
        "smaller": width * height * hair < areas.min(),
        "larger": width * height > areas.max() * hair,
        "wider for its height": ratio > ratios.max() * hair,
        "taller for its width": ratio * hair < ratios.min(),
    }
    return " and ".join(word for word, holds in words.items() if holds)
