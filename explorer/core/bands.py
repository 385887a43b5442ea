"""Few objects beside many boxes, a band of boxes at a time: most bands are out of reach of most.

Boxes come as the columns of `box_columns`. G is the number of objects, N of boxes, B of bands.
"""

from collections.abc import Iterator

import numpy as np

from explorer.core.boxes import row_iou
from explorer.core.sweep import SMALLEST_SURE_AREA

# Boxes in a band. Anchors come row by row, so a band of them is a strip of the picture, which most
# objects do not reach at all; too short a band pays more in calls than it saves.
BAND = 8192


def iou_bounds(objects: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """What the IoU of objects with any box of a band cannot exceed.

    Args:
        objects: (5, G) columns of few boxes.
        boxes: (5, N) columns of many.

    Returns:
        (G, B) float32 for bands of `BAND` boxes: 0 where the frame around a band does not meet the
        object, else the smaller area over the larger one, or 1 where float32 cannot tell areas
        that small apart. IoUs may round past it by some 1e-7.
    """
    if boxes.shape[1] == 0:
        return np.zeros((objects.shape[1], 0), dtype=np.float32)
    starts = np.arange(0, boxes.shape[1], BAND)
    left, top, _, _, least = np.minimum.reduceat(boxes, starts, axis=1)
    _, _, right, bottom, most = np.maximum.reduceat(boxes, starts, axis=1)
    x1, y1, x2, y2, area = objects[..., None]
    near = (x2 > left) & (x1 < right) & (y2 > top) & (y1 < bottom)
    bounds = np.minimum(area, most) / np.maximum(area, least)
    bounds[np.minimum(area, least) < SMALLEST_SURE_AREA] = 1
    return np.where(near, bounds, np.float32(0))


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
    work = _work(boxes)
    for place, bounds in enumerate(iou_bounds(objects, boxes).T):
        for number in np.flatnonzero(bounds).tolist():
            yield place * BAND, number, _band_iou(objects[:, number], boxes, place, work)


@np.errstate(over="ignore")  # as in `box_iou`
def best_of_each(objects: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best box of each object, without a look at bands that cannot hold it.

    Args:
        objects: (5, G) columns of few boxes.
        boxes: (5, N) columns of many.

    Returns:
        (G,) float32 IoU and (G,) int64 number of the box that has it, the lowest of equals; 0 and
        -1 where none meets the object.
    """
    best, index = np.zeros(objects.shape[1], np.float32), np.full(objects.shape[1], -1)
    work = _work(boxes)
    for number, bounds in enumerate(iou_bounds(objects, boxes)):
        for place in np.argsort(-bounds, kind="stable").tolist():
            bound = bounds[place] * np.float32(1 + 1e-5)
            if bound == 0 or bound < best[number]:
                break  # nor does any band that follows hold a better one
            iou = _band_iou(objects[:, number], boxes, place, work)
            first = int(iou.argmax())
            if (iou[first], -(place * BAND + first)) > (best[number], -index[number]):
                best[number], index[number] = iou[first], place * BAND + first
    return best, index


def _work(boxes: np.ndarray) -> np.ndarray:
    """Memory for `_band_iou`, whatever the band."""
    return np.empty((7, min(boxes.shape[1], BAND)), dtype=np.float32)


def _band_iou(box: np.ndarray, boxes: np.ndarray, place: int, work: np.ndarray) -> np.ndarray:
    """(R,) IoU of one box with a band, in `work`."""
    band = boxes[:, place * BAND : (place + 1) * BAND]
    *scratch, iou = work[:, : band.shape[1]]
    return row_iou(box, band, scratch, iou)
