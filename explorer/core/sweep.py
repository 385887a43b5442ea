"""Which boxes overlap: an exact sweep over sorted windows, with no matrix of boxes by boxes.

Two boxes can only have IoU > t if the left edge of one lies within the first (1 - t) of the other's
width. So boxes are sorted by left edge, and the partners of a box to its right are a run just after
it, its window. All windows are walked in step, the k-th partner of every box at once, so that the
IoUs of all these pairs are a few passes over contiguous memory.

Shapes: N boxes, M places of a layout, R boxes whose windows are walked, K steps, P pairs.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.lib.stride_tricks import as_strided

from explorer.core.columns import CELLS, columns_iou, float32_floor, meeting_boxes, walking_rows

# Reaches are this share of a width longer than the proof asks, far above a float32 IoU's rounding.
SLACK = 1e-4
# Areas under this lose their relative precision in float32, and the proof with it: no bound there.
SMALLEST_SURE_AREA = 1e-30


@walking_rows()
def find_edges(
    columns: np.ndarray, groups: Sequence[np.ndarray], threshold: float, limit: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Find every pair of boxes of a group over the threshold once.

    Args:
        columns: (5, N + 1) columns, nobody last.
        groups: positions of boxes that can overlap, an array a group.
        threshold: the IoU that a pair exceeds, in [0, 1].
        limit: the most pairs to find.

    Returns:
        (P,) lower positions of the pairs, (P,) higher positions, (P,) float32 IoUs; None where
        there are more than `limit`.
    """
    pieces, total = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))], 0
    for one, other, iou in _hits(columns, groups, threshold):
        pieces.append((np.minimum(one, other), np.maximum(one, other), iou))
        total += len(iou)
        if total > limit:
            return None
    return tuple(np.concatenate(side) for side in zip(*pieces, strict=True))


@walking_rows()
def find_met(columns: np.ndarray, first: int, threshold: float) -> np.ndarray:
    """Which boxes overlap one of another list over the threshold; pairs are not kept.

    Args:
        columns: (5, N + 1) columns of both lists, one after the other, nobody last.
        first: how many boxes the first list has.
        threshold: the IoU that a pair exceeds, in [0, 1].

    Returns:
        (N,) bool.
    """
    met = np.zeros(columns.shape[1] - 1, dtype=bool)
    for one, other, _ in _hits(columns, meeting_boxes(columns, None), threshold):
        across = (one < first) != (other < first)
        met[one[across]] = met[other[across]] = True
    return met


def _hits(
    columns: np.ndarray, groups: Sequence[np.ndarray], threshold: float
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Each pair of boxes of a group over the threshold: (P,), (P,) positions and (P,) IoUs."""
    least, nobody = float32_floor(threshold), columns.shape[1] - 1
    for several, row, window in _rows(columns, groups, threshold):
        # Windows are walked past their ends, where nobody is to be met.
        row = np.append(row, np.full(window.max(initial=0) + 1, nobody))
        for first, at, iou in _walk(columns.take(row, axis=1), window):
            hit = np.flatnonzero(iou > least)
            step = hit // len(first)  # with the next line 3 times as fast as a divmod
            place = hit - step * len(first)
            one, other = first.take(place), at.take(place)
            other += step
            if several:  # or somebody of another group
                own = np.flatnonzero(other - one <= window.take(one))
                one, other, hit = one.take(own), other.take(own), hit.take(own)
            yield row.take(one), row.take(other), iou.take(hit)


def _rows(
    columns: np.ndarray, groups: Sequence[np.ndarray], threshold: float
) -> Iterator[tuple[bool, np.ndarray, np.ndarray]]:
    """Lay each group by left edge, those with few cells one after the other.

    Yields:
        Whether there are several groups, (R,) positions, and the (R,) window of each.
    """
    few = []
    for group in groups:
        row = group.take(np.argsort(columns[0].take(group)))
        window = _windows(columns.take(row, axis=1), threshold)
        if len(row) * window.max(initial=0) > CELLS // 2:
            yield False, row, window
        else:
            few.append((row, window))
    if few:
        yield len(few) > 1, *map(np.concatenate, zip(*few, strict=True))


def _windows(columns: np.ndarray, threshold: float) -> np.ndarray:
    """(N,) how many of the boxes after each, by left edge, can overlap it enough."""
    x1, _, x2, _, area = columns
    share = np.float32(1 - threshold + SLACK)
    if area.min(initial=1) <= SMALLEST_SURE_AREA:
        share = np.where(area <= SMALLEST_SURE_AREA, np.float32(1 + SLACK), share)
    # Rounded up, so that float32 loses nothing at the far end.
    reach = np.nextafter(x1 + share * (x2 - x1), np.float32(np.inf))
    return np.searchsorted(x1, reach) - np.arange(1, len(x1) + 1)


def _walk(
    columns: np.ndarray, window: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Measure boxes, by left edge and followed by nobodies, against those in their windows.

    A walk in step is as long as its widest window. So it ends where nine windows of ten do, and
    the tenth, gathered, goes on by itself.

    Yields:
        (R,) places of boxes, (R,) places of a partner of each, and (K, R) IoUs with this one and
        those after it.
    """
    first, nobody = np.arange(len(window)), columns.shape[1] - 1
    stop = _most(window)
    shape = 5, 1 + stop, len(window)  # the boxes themselves, the next ones, and so on
    near = as_strided(columns, shape, (*columns.strides, columns.strides[1]))
    for begin, end in _steps(stop, len(window)):
        yield first, first + begin, columns_iou(near[:, :1], near[:, begin:end])
    done = stop
    while len(first := np.flatnonzero(window > done)):
        stop, boxes = _most(window.take(first) - done), columns.take(first, axis=1)[:, None]
        for begin, end in _steps(stop, len(first)):
            ahead = first + np.arange(begin + done, end + done)[:, None]
            ahead = np.minimum(ahead, nobody, out=ahead)
            yield first, first + (begin + done), columns_iou(boxes, columns.take(ahead, axis=1))
        done += stop


def _most(windows: np.ndarray) -> int:
    """How long nine windows of ten are at most; the longest if that makes a few cells more."""
    longest, ninth = int(windows.max(initial=0)), len(windows) - 1 - len(windows) // 10
    if len(windows) * longest <= CELLS:
        return longest
    most = int(np.partition(windows, ninth)[ninth])
    return longest if len(windows) * (longest - most) <= CELLS else most


def _steps(stop: int, rows: int) -> Iterator[tuple[int, int]]:
    """Cut the steps 1 to `stop` into ranges of bounded size."""
    step = max(1, CELLS // max(rows, 1))
    for begin in range(1, stop + 1, step):
        yield begin, min(begin + step, stop + 1)
