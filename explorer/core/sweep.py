"""Which boxes overlap: an exact sweep over sorted windows, with no matrix of boxes by boxes.

Two boxes can only have IoU > t if the left edge of one lies within the first (1 - t) of the other's
width, and the same holds for top edges and heights. So boxes are sorted by left edge, and the
partners of a box to its right are a run just after it, its window. All windows are walked in step,
the k-th partner of every box at once, so that each comparison is a pass over contiguous memory;
only the few pairs within reach in both axes are gathered and have their IoU computed.

Shapes: N boxes, R boxes whose windows are still open, P pairs.
"""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

# Cells of one step: temporaries of more than some 300 kB make numpy ask the system for new memory.
CELLS = 1 << 16
# Reaches are this share of a side longer than the proof asks, far above a float32 IoU's rounding.
SLACK = 1e-4
# Areas under this lose their relative precision in float32, and the proof with it: no bound there.
SMALLEST_SURE_AREA = 1e-30


def as_columns(boxes: np.ndarray) -> np.ndarray:
    """Turn (N, 4) boxes into (5, N) float32 columns: x1, y1, x2, y2 and area."""
    columns = np.empty((5, len(boxes)), np.float32)
    columns[:4] = boxes.T
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
    return np.split(index.take(order), np.flatnonzero(np.diff(groups.take(order))) + 1)


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
    inter -= top  # negative where the boxes miss, but then so is or 0 the IoU
    inter *= width
    union = np.add(a[4], b[4], out=width)
    union -= inter
    return np.divide(inter, union, out=inter)


def overlapping_pairs(
    columns: np.ndarray, threshold: float
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield every pair of boxes over the threshold once, in pieces of bounded size.

    Args:
        columns: (5, N) columns of boxes that can overlap.
        threshold: the IoU that a pair exceeds, in [0, 1].

    Yields:
        (P,) lower positions of the pairs, (P,) higher positions, (P,) float32 IoUs.
    """
    limit = float32_floor(threshold)
    order = np.argsort(columns[0])
    columns = columns.take(order, axis=1)
    for first, second in _close_pairs(columns, threshold):
        iou = columns_iou(columns.take(first, axis=1), columns.take(second, axis=1))
        hit = np.flatnonzero(iou > limit)
        first, second = order[first[hit]], order[second[hit]]
        yield np.minimum(first, second), np.maximum(first, second), iou[hit]


@np.errstate(all="ignore")  # IoUs that overflow or are 0/0 are no hits
def find_edges(
    columns: np.ndarray, threshold: float, limit: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Collect `overlapping_pairs`; None as soon as there are more than `limit`."""
    pieces, total = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))], 0
    for piece in overlapping_pairs(columns, threshold):
        pieces.append(piece)
        total += len(piece[0])
        if total > limit:
            return None
    return tuple(np.concatenate(side) for side in zip(*pieces, strict=True))


def _close_pairs(columns: np.ndarray, threshold: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the pairs of boxes, sorted by left edge, within each other's reach in both axes."""
    x1, y1, x2, y2, area = columns
    sure = area > SMALLEST_SURE_AREA
    share = np.where(sure, np.float32(1 - threshold + SLACK), np.float32(1 + SLACK))
    # Rounded up, so that float32 loses nothing at the far end.
    x_reach = np.nextafter(x1 + share * (x2 - x1), np.float32(np.inf))
    y_reach = np.nextafter(y1 + share * (y2 - y1), np.float32(np.inf))
    boxes = np.arange(len(x1))
    partners = (np.searchsorted(x1, x_reach) - boxes - 1).astype(np.int32)
    beyond = np.full(partners.max(initial=0), np.nan, np.float32)
    y1_after = sliding_window_view(np.append(y1, beyond), len(y1))  # row k: k boxes further on
    reach_after = sliding_window_view(np.append(y_reach, beyond), len(y1))
    rows, left, done = slice(None), len(boxes), 0
    while left:
        # The walk is as long as its widest window. So it ends where nine windows of ten do, and
        # the tenth, gathered, goes on by itself.
        ninth = left - 1 - (left // 10 if left > 128 else 0)
        stop = int(np.partition(partners[rows], ninth)[ninth])
        step = max(1, CELLS // left)
        for begin in range(done + 1, stop + 1, step):
            end = min(begin + step, stop + 1)
            near = y1_after[begin:end, rows] < y_reach[rows]  # (end - begin, R)
            near &= reach_after[begin:end, rows] > y1[rows]
            near &= partners[rows] >= np.arange(begin, end, dtype=np.int32)[:, None]
            ahead, box = np.divmod(np.flatnonzero(near), left)
            first = boxes[rows][box]
            yield first, first + ahead + begin
        rows, done = np.flatnonzero(partners > stop), stop
        left = len(rows)
