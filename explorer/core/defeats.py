"""Who loses to whom: greedy NMS on the CPU, exact, with no step for each box.

A block of the best of each group is decided, side by side, and those kept meet the others of their
group: block by block, as long as one removes enough, as it does where boxes crowd around objects.
Then a sweep (`sweep.py`) finds the pairs that are left, and rounds decide them (`greedy.py`).

Shapes: N boxes, G groups side by side, B boxes of a block, K of them kept, R others of the group.
"""

import numpy as np

from explorer.core.columns import CELLS, columns_iou, float32_floor
from explorer.core.greedy import settle
from explorer.core.sweep import find_edges

BLOCK = 64
FEW = 96  # boxes at most are one block
# How many boxes a block must remove for each of its own, or else the sweep is faster; tuned on
# uniform and clustered boxes and on the candidates of planted and learned scores.
PAYS = 2
# Past so many edges, 20 bytes each, blocks are better whatever they remove.
MAX_EDGES = 4_000_000
BETTER = np.tri(FEW, k=-1, dtype=bool).T  # row ranks before column


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
    lost_to = np.full(columns.shape[1], -1)
    left = _beat(columns, groups, threshold, PAYS, lost_to)
    edges = find_edges(columns, left, threshold, MAX_EDGES)
    if edges is None:
        _beat(columns, left, threshold, 0, lost_to)
    elif len(edges[0]):
        settled = settle(len(lost_to), *edges[:2])
        np.copyto(lost_to, settled, where=settled >= 0)
    return lost_to[:-1]


def _beat(
    columns: np.ndarray,
    groups: list[np.ndarray],
    threshold: float,
    pays: int,
    lost_to: np.ndarray,
) -> list[np.ndarray]:
    """Decide the best boxes of each group in blocks, and write down whom they beat.

    Returns:
        What is undecided of each group once a block removes fewer than `pays` for each of its own
        and leaves more than a few, or is not likely to remove an eighth of that.
    """
    limit, few, undecided = float32_floor(threshold), [], []
    while groups:
        few += [group for group in groups if len(group) <= FEW]
        groups = [group for group in groups if len(group) > FEW]
        winners = _decide(columns, [group[:BLOCK] for group in groups], limit, lost_to)
        blocks, groups = zip(groups, winners, strict=True), []
        for group, best in blocks:
            others = group[BLOCK:]
            likely = (1 - len(best) / BLOCK) * len(others)  # to go, if others fare as the block did
            if likely < pays * BLOCK / 8:  # tuned as PAYS; so few are not worth measuring
                undecided.append(group)
                continue
            left = _remove_beaten(columns, best, others, limit, lost_to)
            paid = len(left) <= FEW or len(others) - len(left) >= pays * BLOCK
            (groups if paid else undecided).append(left)
    _decide(columns, sorted(few, key=len, reverse=True), limit, lost_to)
    return undecided


def _decide(
    columns: np.ndarray, groups: list[np.ndarray], limit: np.float32, lost_to: np.ndarray
) -> list[np.ndarray]:
    """Decide small groups, largest first, side by side, and return who is kept of each."""
    winners = []
    while groups:
        size = max(1, len(groups[0]))
        some = groups[: max(1, CELLS // size**2)]
        some = [group for group in some if 2 * len(group) >= len(some[0])]  # most is somebody
        groups = groups[len(some) :]
        ranks = np.full((len(some), size), columns.shape[1] - 1)  # filled up with nobody
        for row, group in zip(ranks, some, strict=True):
            row[: len(group)] = group
        boxes = columns.take(ranks, axis=1)  # (5, G, B)
        over = columns_iou(boxes[..., None], boxes[:, :, None]) > limit  # (G, B, B)
        over &= BETTER[:size, :size]
        kept = _unbeaten(over)
        over &= kept[:, :, None]
        hit = np.flatnonzero(over)[::-1]  # of several winners the last one written, the best
        pair = hit // size  # a group and a winner
        place = hit - pair * size
        place += pair // size * size
        lost_to[ranks.take(place)] = ranks.take(pair)
        winners += [row[stays] for row, stays in zip(ranks, kept, strict=True)]
    return winners


def _remove_beaten(
    columns: np.ndarray,
    winners: np.ndarray,
    others: np.ndarray,
    limit: np.float32,
    lost_to: np.ndarray,
) -> np.ndarray:
    """Write down whom (K,) kept boxes beat of (R,) others, and return those they do not."""
    best, boxes = columns.take(winners, axis=1), columns.take(others, axis=1)
    step = max(1, CELLS // len(winners))
    for start in range(0, len(others), step):
        over = columns_iou(best[:, :, None], boxes[:, None, start : start + step]) > limit
        hit = np.flatnonzero(over)[::-1]
        winner = hit // over.shape[1]
        place = hit - winner * over.shape[1]
        place += start
        lost_to[others.take(place)] = winners.take(winner)
    return others[lost_to.take(others) < 0]


def _unbeaten(beats: np.ndarray) -> np.ndarray:
    """Take (G, B, B), row beats column if row is kept, to the (G, B) truth of who is kept."""
    kept, before = ~beats.any(axis=1), -1
    # Of two rounds in turn one keeps all that the other does: as many are the same.
    while (count := np.count_nonzero(kept)) != before:
        before, kept = count, ~(beats & kept[:, :, None]).any(axis=1)
    return kept
