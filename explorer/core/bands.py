"""Few objects beside many boxes, a band of boxes at a time: most bands are out of reach of most.

Boxes come as the columns of `box_columns`. G is the number of objects, N of boxes, B of bands.
"""

from collections.abc import Iterator

import numpy as np

from explorer.core.boxes import row_iou

# Boxes in a band. Anchors come row by row, so a band of them is a strip of the picture, which most
# objects do not reach at all; too short a band pays more in calls than it saves.
BAND = 8192


def meetings(objects: np.ndarray, boxes: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """IoU of objects with many boxes, a band at a time, where the two may meet at all.

    Args:
        objects: (5, G) columns of few boxes.
        boxes: (5, N) columns of many.

    Yields:
        The number of a band's first box, an object's number, and (R,) float32 its IoU with the
        band, which the next one overwrites; bands rise, and objects within a band. Pairs that are
        left out have IoU 0. Unions past 3.4e38 overflow, to IoU 0.
    """
    work = np.empty((7, min(boxes.shape[1], BAND)), dtype=np.float32)
    for place, within_reach in enumerate(_reaches(objects, boxes).T):
        band = boxes[:, place * BAND : (place + 1) * BAND]
        *scratch, iou = work[:, : band.shape[1]]
        for number in np.flatnonzero(within_reach).tolist():
            yield place * BAND, number, row_iou(objects[:, number], band, scratch, iou)


def _reaches(objects: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(G, B) whether the frame around a band of boxes meets an object."""
    if boxes.shape[1] == 0:
        return np.zeros((objects.shape[1], 0), dtype=bool)
    starts = np.arange(0, boxes.shape[1], BAND)
    left, top = np.minimum.reduceat(boxes[:2], starts, axis=1)
    right, bottom = np.maximum.reduceat(boxes[2:4], starts, axis=1)
    x1, y1, x2, y2 = objects[:4, :, None]
    return (x2 > left) & (x1 < right) & (y2 > top) & (y1 < bottom)
