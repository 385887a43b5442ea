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
        _settle_in_turn(removed, open_winner, open_loser)
    lost_to = np.full(count, count)
    decisive = np.flatnonzero(~removed[winner])
    np.minimum.at(lost_to, loser[decisive], winner[decisive])
    lost_to[~removed] = -1
    return lost_to


def _settle_in_turn(removed: np.ndarray, winner: np.ndarray, loser: np.ndarray) -> None:
    """Mark in `removed` what the winners of undecided edges beat, one by one, best first."""
    by_winner = np.argsort(winner, kind="stable")
    winner, loser = winner[by_winner], loser[by_winner]
    first = np.flatnonzero(np.diff(winner, prepend=-1))
    for start, stop in zip(first, np.append(first, len(winner))[1:], strict=True):
        if not removed[winner[start]]:
            removed[loser[start:stop]] = True
