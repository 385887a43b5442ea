"""Boxes as numpy columns, and the IoU of many pairs at once.

Shapes: N boxes; five columns, x1, y1, x2, y2 and area.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np

# Pairs of one step: numpy asks the system anew for temporaries of more than some 300 kB.
CELLS = 1 << 16


def as_columns(boxes: np.ndarray) -> np.ndarray:
    """Turn (N, 4) boxes into (5, N + 1) float32 columns: x1, y1, x2, y2 and area.

    The last one is nobody, which meets nothing: all its IoUs are NaN.
    """
    columns = np.full((5, len(boxes) + 1), np.nan, np.float32)
    columns[:4, :-1] = boxes.T
    x1, y1, x2, y2, area = columns
    with np.errstate(all="ignore"):  # boxes that are not finite meet nothing, see `meeting_boxes`
        np.multiply(x2 - x1, y2 - y1, out=area)
    return columns


def meeting_boxes(columns: np.ndarray, groups: np.ndarray | None) -> list[np.ndarray]:
    """Split the boxes that can overlap any by group: ascending positions, an array a group.

    Left out are boxes whose area is not positive and finite: all their IoUs are 0 or NaN.
    """
    x1, _, x2, _, area = columns
    index = np.flatnonzero((x2 > x1) & (area > 0) & (area < np.inf))  # not turned around twice
    if groups is None:
        return [index]
    groups = groups.take(index)
    low, high = groups.min(initial=0), groups.max(initial=0)
    if int(high) - int(low) < 2**16:  # numpy sorts the short words 10 times as fast
        groups = (groups - low).astype(np.uint16)
    order = np.argsort(groups, kind="stable")
    index, groups = index.take(order), groups.take(order)
    ends = np.flatnonzero(groups[1:] != groups[:-1]) + 1
    return [index[start:end] for start, end in pairwise([0, *ends.tolist(), len(index)])]


def float32_floor(threshold: float) -> np.float32:
    """Return the largest float32 <= threshold: `iou > 0.2` in double differs from float32's 0.2."""
    nearest = np.float32(threshold)
    return nearest if float(nearest) <= threshold else np.nextafter(nearest, np.float32(-1))


def columns_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """IoU of columns that broadcast, float32, rounded as the reference rounds; <= 0 if they miss.

    Source: torchvision's `nms`, inter / (area_a + area_b - inter).
    """
    left, width = np.maximum(a[0], b[0]), np.minimum(a[2], b[2])
    np.maximum(width, left, out=width)  # 3 times as fast as a maximum with the number 0 afterwards
    width -= left
    top, inter = np.maximum(a[1], b[1], out=left), np.minimum(a[3], b[3])
    inter -= top  # negative where the boxes miss; then the IoU is negative or 0
    inter *= width
    union = np.add(a[4], b[4], out=width)
    union -= inter
    return np.divide(inter, union, out=inter)


@contextmanager
def walking_rows() -> Iterator[None]:
    """Let numpy walk broadcast rows where they lie, and IoUs that overflow or are 0/0 be no hits.

    With its usual buffer numpy first copies what several rows share, at twice the time. Where each
    row meets a single number, as in `defeats.py`, the usual buffer is faster.
    """
    with np.errstate(all="ignore"):  # it puts the buffer's size back, too
        np.setbufsize(16)
        yield
