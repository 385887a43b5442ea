"""Who loses to whom: greedy NMS on the CPU, exact, with no step for each box.

The best boxes of all groups meet the others of theirs directly, in blocks that double, as long as
a block removes enough, as it does where boxes crowd around objects. Then a sweep (`sweep.py`) finds
the pairs that are left, and rounds decide them (`greedy.py`).

Shapes: N boxes, G groups side by side, the smaller ones filled up with nobody, R boxes of each that
are left, B boxes of a block, K of them kept.
"""

from collections.abc import Iterator

import numpy as np

from explorer.core.greedy import settle
from explorer.core.sweep import CELLS, columns_iou, find_edges, float32_floor

FIRST_BLOCK, LARGEST_BLOCK = 16, 64
FEW = 128  # boxes at most are one block
SIDE_BY_SIDE = 16  # groups at most, so that their blocks' matrices stay small
# How many boxes a block must remove for each of its own, or else the sweep is faster; tuned on
# uniform and clustered boxes and on the candidates of planted and learned scores.
PAYS = 2
# Past so many edges, 20 bytes each, blocks are better whatever they remove.
MAX_EDGES = 4_000_000
BETTER = np.tri(max(FEW, LARGEST_BLOCK), k=-1, dtype=bool).T  # row ranks before column


@np.errstate(all="ignore")  # IoUs that overflow or are 0/0 are no hits
def find_defeats(columns: np.ndarray, groups: list[np.ndarray], threshold: float) -> np.ndarray:
    """Decide NMS among some boxes.

    Args:
        columns: (5, N + 1) columns, best box first, nobody last.
        groups: the boxes that meet each other, ascending ranks, an array a group.
        threshold: the IoU over which the worse box of a pair goes, in [0, 1].

    Returns:
        (N,) int64 rank of the best kept box that overlaps each box; -1 for a kept one.
    """
    lost_to, left = np.full(columns.shape[1], -1), []
    for batch in _batches(groups, nobody=len(lost_to) - 1):
        left += _beat(columns, batch, threshold, PAYS, lost_to)
    edges = find_edges(columns, left, threshold, MAX_EDGES)
    if edges is None:
        for group in left:
            _beat(columns, group[None], threshold, -LARGEST_BLOCK, lost_to)
    elif len(edges[0]):
        settled = settle(len(lost_to), *edges[:2])
        np.copyto(lost_to, settled, where=settled >= 0)
    return lost_to[:-1]


def _batches(groups: list[np.ndarray], nobody: int) -> Iterator[np.ndarray]:
    """Put groups of similar size side by side: (G, R), at most half of it nobody."""
    groups = sorted((group for group in groups if len(group)), key=len)
    while groups:
        rows = [groups.pop()]
        while groups and len(rows) < SIDE_BY_SIDE and 2 * len(groups[-1]) >= len(rows[0]):
            rows.append(groups.pop())
        batch = np.full((len(rows), len(rows[0])), nobody)
        for row, group in zip(batch, rows, strict=True):
            row[: len(group)] = group
        yield batch


def _beat(
    columns: np.ndarray, left: np.ndarray, threshold: float, pays: int, lost_to: np.ndarray
) -> list[np.ndarray]:
    """Decide the best of (G, R) boxes in blocks, and write down whom they beat.

    Returns:
        The undecided boxes of each group that has any, once a block removes fewer than `pays` for
        each of its own and there are more than a few.
    """
    block, limit, nobody = FIRST_BLOCK, float32_floor(threshold), columns.shape[1] - 1
    while left.size:
        best = left.shape[1] if left.shape[1] <= FEW else block
        _note_defeats(columns, left, best, limit, lost_to)
        before, left = left.size, left[:, best:]
        left = _first(lost_to.take(left) < 0, left, nobody)
        decided = best * len(left)
        if left.shape[1] > FEW and before - decided - left.size < pays * decided:
            break
        block = min(2 * block, LARGEST_BLOCK)
    return [group[group < nobody] for group in left if len(group) and group[0] < nobody]


def _first(chosen: np.ndarray, ranks: np.ndarray, nobody: int) -> np.ndarray:
    """Push the chosen of (G, R) ascending ranks to the front, and cut where there is nobody."""
    if len(ranks) == 1:
        return ranks[chosen][None]
    ranks = np.where(chosen, ranks, nobody)
    ranks.sort(axis=1)
    return ranks[:, : np.count_nonzero(ranks < nobody, axis=1).max(initial=0)]


def _note_defeats(
    columns: np.ndarray, ranks: np.ndarray, best: int, limit: np.float32, lost_to: np.ndarray
) -> None:
    """Decide the `best` first of (G, R) ranked boxes, and write down whom they beat."""
    boxes = columns.take(ranks, axis=1)  # (5, G, R)
    winners, nobody = ranks[:, :best], columns.shape[1] - 1
    start, end = 0, best
    while start < ranks.shape[1]:
        blocks = columns.take(winners, axis=1)[:, :, :, None]
        over = columns_iou(blocks, boxes[:, :, None, start:end]) > limit  # (G, B or K, ...)
        if start == 0:  # the best decide among themselves: from then on those kept are enough
            over &= BETTER[:best, :best]
            kept = _unbeaten(over)
            over &= kept[:, :, None]
        hit = np.flatnonzero(over)[::-1]
        pair = hit // over.shape[2]  # a group and a winner
        place = hit - pair * over.shape[2]
        place += pair // winners.shape[1] * ranks.shape[1] + start
        # Of several winners the last one written, the best.
        lost_to[ranks.take(place)] = winners.take(pair)
        if start == 0:
            winners = _first(kept, winners, nobody)
        start, end = end, end + max(1, CELLS // winners.size)


def _unbeaten(beats: np.ndarray) -> np.ndarray:
    """Take (G, B, B), row beats column if row is kept, to the (G, B) truth of who is kept."""
    kept, before = ~beats.any(axis=1), -1
    # Of two rounds in turn one keeps all that the other does: as many are the same.
    while (count := np.count_nonzero(kept)) != before:
        before, kept = count, ~(beats & kept[:, :, None]).any(axis=1)
    return kept
