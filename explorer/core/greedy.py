"""Who survives: greedy NMS from its edges alone, in rounds instead of box by box.

An edge joins two boxes that overlap by more than the threshold; boxes are named by rank, so the
smaller number wins. In each round every box that no undecided better box challenges is kept, and
what it overlaps is removed. Most inputs take under 10 rounds, but a chain, where each box overlaps
the next alone, takes half as many as it has boxes: past ROUNDS the rest is decided in turn.

Shapes: N boxes, E edges.
"""

import numpy as np

ROUNDS = 24


def settle(count: int, winner: np.ndarray, loser: np.ndarray) -> np.ndarray:
    """Decide every box at one threshold.

    Args:
        count: N, the number of boxes.
        winner: (E,) rank of the better box of each edge.
        loser: (E,) rank of the worse one.

    Returns:
        (N,) int64 rank of the best kept box that overlaps each box; -1 for a kept one.
    """
    removed = np.zeros(count, dtype=bool)
    open_winner, open_loser = winner, loser
    for _ in range(ROUNDS):
        challenged = np.zeros(count, dtype=bool)
        challenged[open_loser] = True
        removed[open_loser[~challenged[open_winner]]] = True
        undecided = np.flatnonzero(~(removed[open_winner] | removed[open_loser]))
        open_winner, open_loser = open_winner[undecided], open_loser[undecided]
        if not len(undecided):
            break
    else:
        _settle_in_turn(removed, open_winner, open_loser, np.ones(len(open_loser), dtype=bool))
    lost_to = np.full(count, count)
    decisive = np.flatnonzero(~removed[winner])
    np.minimum.at(lost_to, loser[decisive], winner[decisive])
    lost_to[~removed] = -1
    return lost_to


def count_removed(
    count: int, winner: np.ndarray, loser: np.ndarray, present: np.ndarray
) -> np.ndarray:
    """Count the boxes that go at each of 64 thresholds, all decided at once.

    Args:
        count: N, the number of boxes.
        winner: (E,) rank of the better box of each edge.
        loser: (E,) rank of the worse one.
        present: (E,) uint64, bit k is set where the edge exceeds threshold k.

    Returns:
        (64,) int64 number of boxes removed at each threshold.
    """
    removed = np.zeros(count, dtype=np.uint64)
    by_loser = np.argsort(loser.astype(np.min_scalar_type(count)), kind="stable")
    winner, loser, edge = winner[by_loser], loser[by_loser], present[by_loser]
    for _ in range(ROUNDS):
        if not len(edge):
            break
        first = np.flatnonzero(np.diff(loser, prepend=-1))  # of each loser's run of edges
        challenged = np.zeros(count, dtype=np.uint64)
        challenged[loser[first]] = np.bitwise_or.reduceat(edge, first)
        wins = edge & ~challenged[winner]
        removed[loser[first]] |= np.bitwise_or.reduceat(wins, first)
        edge &= ~(removed[winner] | removed[loser])
        undecided = np.flatnonzero(edge)
        winner, loser, edge = winner[undecided], loser[undecided], edge[undecided]
    else:
        _settle_in_turn(removed, winner, loser, edge)
    bits = np.unpackbits(removed.astype("<u8").view(np.uint8), bitorder="little")
    return bits.reshape(count, 64).sum(axis=0, dtype=np.int64)


def _settle_in_turn(
    removed: np.ndarray, winner: np.ndarray, loser: np.ndarray, edge: np.ndarray
) -> None:
    """Mark in `removed` what the winners of undecided edges beat, one by one, best first.

    `removed` and `edge` hold truth values, or words with a bit for each threshold.
    """
    by_winner = np.argsort(winner, kind="stable")
    winner, loser, edge = winner[by_winner], loser[by_winner], edge[by_winner]
    first = np.flatnonzero(np.diff(winner, prepend=-1))
    for start, stop in zip(first, np.append(first, len(winner))[1:], strict=True):
        removed[loser[start:stop]] |= edge[start:stop] & ~removed[winner[start]]
