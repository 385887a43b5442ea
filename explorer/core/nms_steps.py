"""Greedy NMS as the loop of the textbooks: a step picks the best box left and clears around it.

NMS itself decides all boxes in a few vectorised rounds, see `greedy.py`. Who suppressed whom tells
the loop's steps again, without walking them: the survivors, best first, are the winners of steps
1, 2, 3 and so on, and a suppressed box goes at the step of the box that suppressed it.

Shapes: N boxes, best first; S steps; L boxes that lose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from explorer.core.boxes import check_box_list
from explorer.core.candidates import Candidates, Fate
from explorer.core.columns import as_columns, columns_iou
from explorer.core.proposals import Proposals


@dataclass(frozen=True, eq=False)
class NmsSteps:
    """The greedy loop, step by step; boxes are named by rank, from 0."""

    winner: np.ndarray  # (S,) int64, whom step s + 1 picks; rising
    start: np.ndarray  # (S + 1,) int64, where the losers of each step begin
    loser: np.ndarray  # (L,) int64, whom the steps suppress, step by step, best first in each
    iou: np.ndarray  # (L,) float32, of each loser with its winner
    decided_at: (
        np.ndarray
    )  # (N,) int64, the step that picks or suppresses a box; 0: not in the loop

    def losers_of(self, step: int) -> slice:
        """Where in `loser` and `iou` those of a step stand, the first step being 1."""
        return slice(int(self.start[step - 1]), int(self.start[step]))

    def undecided_after(self, step: int) -> int:
        """How many boxes are left once `step` steps are done."""
        in_the_loop = len(self.winner) + len(self.loser)
        return in_the_loop - step - int(self.start[step])


def steps_of(candidates: Candidates, proposals: Proposals) -> NmsSteps:
    """The loop that made the proposals; what scored too low for NMS is not in it."""
    takes_part = proposals.fate != Fate.LOW_SCORE
    takes_part &= candidates.valid
    return nms_steps(candidates.boxes, proposals.suppressed_by, takes_part)


def nms_steps(boxes: Tensor, suppressed_by: Tensor, takes_part: Tensor | None = None) -> NmsSteps:
    """Order what NMS decided as the greedy loop decides it.

    Args:
        boxes: (N, 4) float32 boxes, xyxy, pixels, best first.
        suppressed_by: (N,) the kept box that won; -1 for a survivor.
        takes_part: (N,) bool, False for a box that never entered NMS. None: all did.

    Returns:
        The steps, on the CPU; no steps for no boxes.

    Raises:
        ValueError: if a shape is wrong, or if a box lost to one that was not kept, or not better.
    """
    check_box_list("nms_steps.boxes", boxes)
    if suppressed_by.shape != boxes.shape[:1]:
        raise ValueError(
            f"nms_steps.suppressed_by must have shape ({len(boxes)},), "
            f"got {tuple(suppressed_by.shape)}"
        )
    lost_to = suppressed_by.cpu().numpy()
    loser = np.flatnonzero(lost_to >= 0)
    if (lost_to[loser] >= loser).any() or (lost_to[lost_to[loser]] >= 0).any():
        raise ValueError("nms_steps.suppressed_by must name kept boxes that stand before the loser")
    inside = np.ones(len(boxes), bool) if takes_part is None else takes_part.cpu().numpy()
    winner = np.flatnonzero((lost_to < 0) & inside)
    decided_at = np.zeros(len(boxes), np.int64)
    decided_at[winner] = np.arange(1, len(winner) + 1)
    decided_at[loser] = decided_at[lost_to[loser]]
    loser = loser[np.argsort(decided_at[loser], kind="stable")]
    columns = as_columns(boxes.detach().float().cpu().numpy())
    with np.errstate(all="ignore"):  # as NMS does: what overflows has IoU 0, and loses to nobody
        iou = columns_iou(columns.take(lost_to[loser], axis=1), columns.take(loser, axis=1))
    start = np.searchsorted(decided_at[loser], np.arange(1, len(winner) + 2))
    return NmsSteps(winner, start, loser, iou, decided_at)
