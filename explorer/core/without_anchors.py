"""What detectors without anchors can see: FCOS's points and YOLOv1's cells.

Sources: Tian et al. 2019, FCOS, section 3.2; Redmon et al. 2016, YOLO, section 2.

Shapes: B objects, L levels, G objects of a picture.
"""

from __future__ import annotations

import numpy as np


def point_level(widths: np.ndarray, heights: np.ndarray, farthest: tuple[float, ...]) -> np.ndarray:
    """The level that answers at an object's centre, whose farthest side is half the longer away.

    Args:
        widths: (B,) pixels.
        heights: (B,) pixels.
        farthest: (L,) the last distance of each level, pixels, rising; itself included.

    Returns:
        (B,) int64 levels; L where the object is too long for the last.
    """
    return np.searchsorted(farthest, np.maximum(widths, heights) / 2)


def point_share(
    widths: np.ndarray, heights: np.ndarray, strides: tuple[int, ...], farthest: tuple[float, ...]
) -> np.ndarray:
    """Share of an object's possible places at which a point of its level lies inside it.

    Args:
        widths: (B,) pixels.
        heights: (B,) pixels.
        strides: (L,) distances of the points, pixels.
        farthest: (L,) as in `point_level`; the last is infinite.

    Returns:
        (B,) in [0, 1]; 1 where both sides are a stride at least.
    """
    stride = np.array(strides)[point_level(widths, heights, farthest)]
    return np.minimum(widths / stride, 1) * np.minimum(heights / stride, 1)


def point_limit(
    strides: tuple[int, ...], farthest: tuple[float, ...], share: float, last: float
) -> np.ndarray:
    """The sizes at which `point_share` reaches a share: a stair that climbs with the levels.

    Args:
        strides: (L,) pixels.
        farthest: (L,) pixels; twice each is at least the next level's stride.
        share: in (0, 1].
        last: where the line ends, pixels.

    Returns:
        (N, 2) widths and heights, from tall objects over the square to wide ones.
    """
    first = strides[0]
    bend = first * np.geomspace(np.sqrt(share), 1, 9)  # the two sides make up for each other
    wide = [(side, share * first**2 / side) for side in bend.tolist()]
    for level, stride in enumerate(strides):
        end = min(2 * farthest[level], last)
        wide += [(max(wide[-1][0], stride), share * stride), (end, share * stride)]
        if end == last:
            break
    wide = np.array(wide)
    return np.concatenate([wide[::-1, ::-1], wide])


def crowded(boxes: np.ndarray, image_size: tuple[int, int], cells: int) -> np.ndarray:
    """Which objects have their centre in a cell with another's.

    Args:
        boxes: (G, 4) xyxy, pixels.
        image_size: (height, width), pixels.
        cells: across and down.

    Returns:
        (G,) bool.
    """
    height, width = image_size
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    column, row = (centres * cells / [width, height]).astype(np.int64).clip(0, cells - 1).T
    cell = row * cells + column
    return np.bincount(cell, minlength=1)[cell] > 1
