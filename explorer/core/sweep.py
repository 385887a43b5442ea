"""Which boxes overlap: an exact sweep over sorted windows, with no matrix of boxes by boxes.

Two boxes can only have IoU > t if the left edge of one lies within the first (1 - t) of the other's
width, and the same holds for top edges and heights. So boxes are sorted by left edge, and the
partners of a box to its right are a run just after it, its window. All windows are walked in step,
the k-th partner of every box at once, so that each comparison is a pass over contiguous memory;
only the few pairs within reach in both axes are gathered and have their IoU computed.

Groups lie side by side on the same axis, a whole picture apart.

Shapes: N boxes, R boxes whose windows are still open, P pairs.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

# Cells of one step of a walk: temporaries of this length stay in a core's second-level cache.
CELLS = 1 << 16
# Kept boxes side by side meet their surroundings together.
NEIGHBOURS = 8
# Reaches are this share of a side longer than the proof asks, far above a float32 IoU's rounding.
SLACK = 1e-4
# Areas under this lose their relative precision in float32, and the proof with it: no bound there.
SMALLEST_SURE_AREA = 1e-30


@dataclass(frozen=True, eq=False)
class Sweep:
    """Boxes in the order of their left edges, ready to meet at one threshold."""

    threshold: float
    rank: np.ndarray  # (N,) int64, position -> column of the input
    columns: np.ndarray  # (6, N) float32: x1, y1, x2, y2, area, and what a partner's y1 is under
    x: np.ndarray  # (3, N) float64: left edge on the groups' axis, where its window ends and begins
    groups: np.ndarray | None  # (N,)

    def __len__(self) -> int:
        return len(self.rank)

    def only(self, positions: np.ndarray) -> "Sweep":
        """Leave out all boxes but those at the positions, which ascend."""
        groups = None if self.groups is None else self.groups[positions]
        columns, x = self.columns.take(positions, axis=1), self.x.take(positions, axis=1)
        return Sweep(self.threshold, self.rank[positions], columns, x, groups)

    def partners(self) -> np.ndarray:
        """Count the boxes after each one that are in its window, (N,) int32."""
        end = np.searchsorted(self.x[0], self.x[1])
        return (end - np.arange(1, len(self) + 1)).astype(np.int32)


def as_columns(boxes: np.ndarray) -> np.ndarray:
    """Turn (N, 4) boxes into (5, N) float32 columns: x1, y1, x2, y2 and area."""
    x1, y1, x2, y2 = boxes.T
    with np.errstate(all="ignore"):  # what is not finite meets nothing, see `sweep_boxes`
        return np.stack([x1, y1, x2, y2, (x2 - x1) * (y2 - y1)])


def float32_floor(threshold: float) -> np.float32:
    """Return the largest float32 <= threshold: `iou > 0.2` in double differs from float32's 0.2."""
    nearest = np.float32(threshold)
    return nearest if float(nearest) <= threshold else np.nextafter(nearest, np.float32(-1))


def columns_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """IoU of columns that broadcast, float32, with the reference's own rounding.

    Source: torchvision's `nms`, inter / (area_a + area_b - inter).
    """
    width = _shared_side(a[0], a[2], b[0], b[2])
    inter = _shared_side(a[1], a[3], b[1], b[3])
    inter *= width
    union = np.add(a[4], b[4], out=width)
    union -= inter
    return np.divide(inter, union, out=inter)


def _shared_side(
    low_a: np.ndarray, high_a: np.ndarray, low_b: np.ndarray, high_b: np.ndarray
) -> np.ndarray:
    low = np.maximum(low_a, low_b)
    side = np.minimum(high_a, high_b)
    np.maximum(side, low, out=side)  # 3 times as fast as a comparison with the number 0 afterwards
    side -= low
    return side


@np.errstate(over="ignore", divide="ignore")
def sweep_boxes(columns: np.ndarray, groups: np.ndarray | None, threshold: float) -> Sweep:
    """Sort boxes along the x axis. Those whose area is 0, infinite or NaN meet nothing: left out.

    Args:
        columns: (5, N) columns, best box first.
        groups: (N,) integers, or None where all boxes may meet.
        threshold: the IoU, in [0, 1], that pairs must exceed.

    Returns:
        The sweep of the boxes that can meet others.
    """
    rank = np.flatnonzero((columns[4] > 0) & (columns[4] < np.inf))
    groups = None if groups is None else groups[rank]
    x1, y1, x2, y2, area = columns = columns.take(rank, axis=1)
    sure = area > SMALLEST_SURE_AREA
    share = np.where(sure, np.float32(1 - threshold + SLACK), np.float32(1 + SLACK))
    y_reach = np.nextafter(y1 + share * (y2 - y1), np.float32(np.inf))
    width = (x2 - x1).astype(np.float64)
    widest = width.max(initial=0)
    # IoU > t also asks that no width be more than 1 / t of the other.
    ratio = (1 + SLACK) / threshold if threshold > 1e-6 else np.inf
    back = share * np.where(sure, np.minimum(width * ratio, widest), widest)
    left, margin = _place(x1, x2, groups)
    order = np.argsort(left)
    x = np.stack([left, left + (share * width + margin), left - (back + margin)])
    columns = np.concatenate([columns, y_reach[None]])
    return Sweep(threshold, rank, columns, x, groups).only(order)


def _place(
    x1: np.ndarray, x2: np.ndarray, groups: np.ndarray | None
) -> tuple[np.ndarray, float]:
    """Left edges with the groups side by side, and how far rounding may have moved them."""
    left = x1.astype(np.float64)
    if groups is None or not len(left):
        return left, 0.0
    apart = float(x2.max()) - float(x1.min())
    extent = apart * float(np.abs(groups).max()) + float(np.abs(left).max())
    return left + groups * apart, extent * 2.0**-48


def overlapping_pairs(sweep: Sweep) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield every pair over the threshold once, in pieces of bounded size.

    Yields:
        (P,) ranks of the better boxes, (P,) ranks of the worse ones, (P,) float32 IoUs.
    """
    limit = float32_floor(sweep.threshold)
    for first, second in _close_pairs(sweep):
        columns = sweep.columns[:5]
        iou = columns_iou(columns.take(first, axis=1), columns.take(second, axis=1))
        hit = iou > limit
        if sweep.groups is not None:
            hit &= sweep.groups[first] == sweep.groups[second]
        hit = np.flatnonzero(hit)
        first, second = sweep.rank[first[hit]], sweep.rank[second[hit]]
        yield np.minimum(first, second), np.maximum(first, second), iou[hit]


def _close_pairs(sweep: Sweep) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the pairs of positions within each other's reach in both axes."""
    y1, y_reach, count = sweep.columns[1], sweep.columns[5], sweep.partners()
    boxes = np.arange(len(sweep))
    beyond = np.full(count.max(initial=0), np.nan, np.float32)
    y1_after = sliding_window_view(np.append(y1, beyond), len(y1))  # row k: k boxes further on
    reach_after = sliding_window_view(np.append(y_reach, beyond), len(y1))
    rows, left, done = slice(None), len(boxes), 0
    while left:
        # The walk is as long as its widest window. So it ends where nine windows of ten do, and
        # the tenth, gathered, goes on by itself.
        sure = left - 1 - (left // 10 if left > 128 else 0)
        stop = int(np.partition(count[rows], sure)[sure])
        step = max(1, CELLS // left)
        for begin in range(done + 1, stop + 1, step):
            end = min(begin + step, stop + 1)
            near = y1_after[begin:end, rows] < y_reach[rows]  # (end - begin, R)
            near &= reach_after[begin:end, rows] > y1[rows]
            near &= count[rows] >= np.arange(begin, end, dtype=np.int32)[:, None]
            row, box = np.divmod(np.flatnonzero(near), left)
            first = boxes[rows][box]
            yield first, first + row + begin
        rows, done = np.flatnonzero(count > stop), stop
        left = len(rows)


def beaten_by(sweep: Sweep, kept: np.ndarray) -> np.ndarray:
    """Find the best of some boxes that overlaps each box by more than the threshold.

    Args:
        sweep: N boxes.
        kept: (K,) positions in ascending order.

    Returns:
        (N,) int64 rank of that box; past every rank where there is none.
    """
    nobody = np.iinfo(np.int64).max
    best = np.full(len(sweep), nobody)
    limit = float32_floor(sweep.threshold)
    begin = np.searchsorted(sweep.x[0], sweep.x[2, kept])
    end = np.searchsorted(sweep.x[0], sweep.x[1, kept])
    for start in range(0, len(kept), NEIGHBOURS):
        few = slice(start, start + NEIGHBOURS)
        here = slice(begin[few].min(), end[few].max())
        iou = columns_iou(sweep.columns[:, kept[few], None], sweep.columns[:, None, here])
        winner, loser = np.divmod(np.flatnonzero(iou > limit), here.stop - here.start)
        winner, loser = kept[few][winner], loser + here.start
        if sweep.groups is not None:
            same = np.flatnonzero(sweep.groups[winner] == sweep.groups[loser])
            winner, loser = winner[same], loser[same]
        np.minimum.at(best, loser, sweep.rank[winner])
    best[kept] = nobody  # each overlaps itself
    return best
