"""Non-maximum suppression, greedy and exact: the best box wins, what overlaps it too much goes.

On the CPU it is numpy on one thread, since torch's small operators stall where sessions share the
cores: clear what the best boxes suppress while that pays, find the pairs that are left with a sweep
(`sweep.py`), decide them in rounds (`greedy.py`). Elsewhere it is `device_nms.py`.

Conventions: a box goes where its IoU with a kept, better one is strictly greater than the
threshold; equal scores rank by index, NaN scores first. A box whose area is 0, infinite or NaN
neither suppresses nor is suppressed.

Source: the greedy NMS of Girshick et al. 2014 as torchvision computes it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.core import device_nms
from explorer.core.boxes import check_box_list
from explorer.core.greedy import settle
from explorer.core.sweep import (
    CELLS,
    as_columns,
    columns_iou,
    find_edges,
    float32_floor,
    meeting_boxes,
)

# The best boxes meet all others directly, block by block, as long as each block removes a share of
# at least PAYS, as it does where boxes crowd around objects; then a sweep finds the pairs of the
# rest. Past MAX_EDGES, 20 bytes each, blocks are better whatever they remove.
BLOCK, PAYS, MAX_EDGES = 64, 0.05, 4_000_000


@dataclass(frozen=True, eq=False)
class Suppression:
    """What NMS decided, box by box."""

    keep: Tensor  # (K,) int64, survivors, best score first
    suppressed_by: Tensor  # (N,) int64, the best-ranked kept box that overlaps it; -1: survivor


def rank(scores: Tensor) -> Tensor:
    """Order boxes by score, best first; equal scores by index, NaN first as torch sorts.

    Args:
        scores: (N,) scores or logits.

    Returns:
        (N,) int64, rank -> index; empty for no scores.
    """
    return torch.sort(scores.detach(), descending=True, stable=True).indices


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Keep the boxes that overlap no better kept box by more than the threshold.

    Args:
        boxes: (N, 4) float32 boxes, xyxy, pixels.
        scores: (N,) scores or logits.
        iou_threshold: the largest IoU that two kept boxes may have, in [0, 1].

    Returns:
        (K,) int64 indices of the kept boxes, best score first; empty for no boxes.

    Raises:
        ValueError: if a shape or the threshold is wrong.
    """
    return suppress(boxes, scores, iou_threshold).keep


def batched_nms(boxes: Tensor, scores: Tensor, groups: Tensor, iou_threshold: float) -> Tensor:
    """Run `nms` in each group by itself: boxes of different groups never meet.

    Args:
        boxes: (N, 4) float32 boxes, xyxy, pixels.
        scores: (N,) scores or logits.
        groups: (N,) integers, the level or class of each box.
        iou_threshold: the largest IoU that two kept boxes of a group may have, in [0, 1].

    Returns:
        (K,) int64 indices of the kept boxes of all groups, best score first; empty for no boxes.

    Raises:
        ValueError: if a shape or the threshold is wrong.
    """
    return suppress(boxes, scores, iou_threshold, groups).keep


def suppress(
    boxes: Tensor, scores: Tensor, iou_threshold: float, groups: Tensor | None = None
) -> Suppression:
    """Run NMS and tell, for every box that went, which kept box it lost to.

    Args:
        boxes: (N, 4) float32 boxes, xyxy, pixels.
        scores: (N,) scores or logits.
        iou_threshold: the largest IoU that two kept boxes may have, in [0, 1].
        groups: (N,) integers; boxes of different groups never meet. None: all are one group.

    Returns:
        The survivors and the winner of each other box; both empty for no boxes.

    Raises:
        ValueError: if a shape or the threshold is wrong.
    """
    check_inputs(boxes, scores, groups)
    check_threshold(iou_threshold)
    order = rank(scores)
    if boxes.device.type != "cpu":
        kept, suppressed_by = device_nms.suppress_exactly(boxes, scores, iou_threshold, groups)
        return Suppression(order[kept[order]], suppressed_by)
    columns = as_columns(boxes.detach().float().numpy().take(order.numpy(), axis=0))
    ranked_groups = None if groups is None else groups[order].numpy()
    lost_to = np.full(len(boxes), -1)
    for members in meeting_boxes(columns, ranked_groups):
        for winner, loser in _defeats(columns, members, iou_threshold):
            lost_to[loser] = winner
    return by_index(order, lost_to)


def by_index(order: Tensor, lost_to: np.ndarray) -> Suppression:
    """Translate (N,) ranks of winners, -1 for survivors, to indices of the input."""
    index = order.numpy()
    suppressed_by = np.full(len(index), -1)
    gone = np.flatnonzero(lost_to >= 0)
    suppressed_by[index[gone]] = index[lost_to[gone]]
    keep = index[lost_to < 0]
    return Suppression(torch.from_numpy(keep), torch.from_numpy(suppressed_by))


def check_inputs(boxes: Tensor, scores: Tensor, groups: Tensor | None = None) -> None:
    """Raise a ValueError unless there are N boxes, N scores and, where given, N groups."""
    check_box_list("nms.boxes", boxes)
    for name, values in (("scores", scores), ("groups", groups)):
        if values is not None and values.shape != boxes.shape[:1]:
            raise ValueError(
                f"nms.{name} must have shape ({len(boxes)},), got {tuple(values.shape)}"
            )


def check_threshold(iou_threshold: float) -> None:
    """Raise a ValueError unless the threshold is in [0, 1]."""
    if not 0 <= iou_threshold <= 1:
        raise ValueError(f"nms.iou_threshold must be in [0, 1], got {iou_threshold}")


def _defeats(
    columns: np.ndarray, left: np.ndarray, threshold: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield winners and losers among the boxes `left`, ascending ranks, until all is decided."""
    pays, may_sweep = True, True
    while len(left):
        columns_left = columns.take(left, axis=1)
        edges = None
        if may_sweep and not pays:
            edges = find_edges(columns_left, threshold, MAX_EDGES)
            may_sweep = edges is not None
        if edges is None:
            decided = min(BLOCK, len(left))
            lost = _lost_to_block(columns_left, float32_floor(threshold))
        else:
            decided = len(left)
            lost = settle(decided, *edges[:2])
        loser = np.flatnonzero(lost >= 0)
        yield left[lost[loser]], left[loser]
        rest = decided + np.flatnonzero(lost[decided:] < 0)
        pays = len(rest) < (1 - PAYS) * (len(left) - decided)
        left = left[rest]


@np.errstate(all="ignore")  # IoUs that overflow or are 0/0 are no hits
def _lost_to_block(columns: np.ndarray, limit: np.float32) -> np.ndarray:
    """Decide the BLOCK first boxes, and what they beat: (N,) position of the winner or -1."""
    lost = np.full(columns.shape[1], -1)
    rows, width = np.arange(min(BLOCK, len(lost))), CELLS // BLOCK
    for start in range(0, len(lost), width):
        part = columns[:, None, start : start + width]
        over = columns_iou(columns[:, rows, None], part) > limit  # (rows, width)
        if start == 0:  # the block is in the first part: from then on its kept boxes are enough
            over[:, : len(rows)] &= rows[:, None] < rows
            kept = _unbeaten(over[:, : len(rows)])
            rows, over = rows[kept], over[kept]
        winner, loser = np.divmod(np.flatnonzero(over)[::-1], over.shape[1])
        lost[start + loser] = rows[winner]  # of several winners the last one written, the best
    return lost


def _unbeaten(beats: np.ndarray) -> np.ndarray:
    """Take an (N, N) matrix, row beats column if row is kept, to the N boxes that are kept."""
    kept, settled = np.ones(len(beats), dtype=bool), False
    while not settled:  # each round decides at least the best box that was undecided
        before, kept = kept, ~beats[kept].any(axis=0)
        settled = np.array_equal(before, kept)
    return kept
