"""Who loses to whom: greedy NMS on the CPU, exact, with no step for each box.

The best boxes meet all others directly, in blocks that double, as long as each block removes a
share of the rest, as it does where boxes crowd around objects. Then a sweep (`sweep.py`) finds the
pairs that are left, and rounds decide them (`greedy.py`).
"""

from collections.abc import Iterator

import numpy as np

from explorer.core.greedy import settle
from explorer.core.sweep import CELLS, columns_iou, find_edges, float32_floor

FIRST_BLOCK, LARGEST_BLOCK = 16, 256
# The least share that a block must remove; tuned, like the blocks, on uniform and clustered boxes.
PAYS = 0.05
# Past so many edges, 20 bytes each, blocks are better whatever they remove.
MAX_EDGES = 4_000_000
BETTER = np.tri(LARGEST_BLOCK, k=-1, dtype=bool).T  # row ranks before column


def find_defeats(
    columns: np.ndarray, left: np.ndarray, threshold: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Decide NMS among some boxes.

    Args:
        columns: (5, N) columns, best box first.
        left: (R,) the boxes to decide, ascending ranks.
        threshold: the IoU over which the worse box of a pair goes, in [0, 1].

    Yields:
        Winners and losers, (P,) ranks each: every box that goes once, with the best kept box that
        overlaps it. The others are kept.
    """
    block, pays, may_sweep = FIRST_BLOCK, True, True
    while len(left):
        columns_left = columns.take(left, axis=1)
        edges = None
        if may_sweep and not pays:
            edges = find_edges(columns_left, threshold, MAX_EDGES)
            may_sweep = edges is not None
        if edges is None:
            decided = min(block, len(left))
            lost = _lost_to_best(columns_left, decided, float32_floor(threshold))
            block = min(2 * block, LARGEST_BLOCK)
        else:
            decided = len(left)
            lost = settle(decided, *edges[:2])
        loser = np.flatnonzero(lost >= 0)
        yield left[lost[loser]], left[loser]
        rest = decided + np.flatnonzero(lost[decided:] < 0)
        pays = len(rest) < (1 - PAYS) * (len(left) - decided)
        left = left[rest]


@np.errstate(all="ignore")  # IoUs that overflow or are 0/0 are no hits
def _lost_to_best(columns: np.ndarray, best: int, limit: np.float32) -> np.ndarray:
    """Decide the `best` first boxes, and what they beat: (N,) position of the winner or -1."""
    lost = np.full(columns.shape[1], -1)
    winners, width = columns[:, :best], max(best, CELLS // best)
    for start in range(0, len(lost), width):
        part = columns[:, None, start : start + width]
        over = columns_iou(winners[:, :, None], part) > limit  # (winners, width)
        if start == 0:  # the best are in the first part: from then on those kept are enough
            over[:, :best] &= BETTER[:best, :best]
            kept = np.flatnonzero(_unbeaten(over[:, :best]))
            winners, over = winners.take(kept, axis=1), over.take(kept, axis=0)
        winner, loser = np.divmod(np.flatnonzero(over)[::-1], over.shape[1])
        lost[start + loser] = kept[winner]  # of several winners the last one written, the best
    return lost


def _unbeaten(beats: np.ndarray) -> np.ndarray:
    """Take an (N, N) matrix, row beats column if row is kept, to the (N,) truth of who is kept."""
    kept, before = ~beats.any(axis=0), -1
    # Of two rounds in turn one keeps all that the other does: as many are the same.
    while (count := np.count_nonzero(kept)) != before:
        before, kept = count, ~beats[kept].any(axis=0)
    return kept
