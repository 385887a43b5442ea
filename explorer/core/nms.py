"""Non-maximum suppression, greedy and exact: the best box wins, what overlaps it too much goes.

On the CPU it is numpy on one thread, since torch's small operators stall where sessions share the
cores: clear what the top boxes suppress while that pays, find the pairs that are left with a sweep
(`sweep.py`), decide them in rounds. Elsewhere it is `device_nms.py`.

Conventions: a box goes where its IoU with a kept, better one is strictly greater than the
threshold; equal scores rank by index, NaN scores first. A box whose area is 0, infinite or NaN
neither suppresses nor is suppressed.

Source: the greedy NMS of Girshick et al. 2014 as torchvision computes it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.core import device_nms
from explorer.core.boxes import check_box_list
from explorer.core.greedy import settle
from explorer.core.sweep import Sweep, as_columns, beaten_by, overlapping_pairs, sweep_boxes

# The best boxes, BLOCK at a time, meet all others directly while windows hold more than DENSE
# partners a box and each block removes a share of at least PAYS; tuned on uniform and on clustered
# boxes. Past MAX_PAIRS blocks go on whether they pay or not, so that the edges fit in memory.
BLOCK, DENSE, PAYS, MAX_PAIRS = 64, 96, 0.05, 16_000_000


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
    sweep = sweep_boxes(columns, ranked_groups, iou_threshold)
    return by_index(order, _greedy(sweep, len(boxes)))


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


def _greedy(sweep: Sweep, count: int) -> np.ndarray:
    """Return the (count,) ranks of the boxes that each box lost to, -1 for survivors."""
    lost_to, cleared = np.full(count, -1), 1.0
    while len(sweep):
        pairs = int(sweep.partners().sum())
        dense = pairs > DENSE * len(sweep) and (cleared > PAYS or pairs > MAX_PAIRS)
        size = min(len(sweep), BLOCK if dense else len(sweep))
        in_block = sweep.rank <= np.partition(sweep.rank, size - 1)[size - 1]
        block = np.flatnonzero(in_block)
        edges = list(overlapping_pairs(sweep.only(block) if dense else sweep))
        if edges:
            winner, loser = (np.concatenate(side) for side in list(zip(*edges, strict=True))[:2])
            np.maximum(lost_to, settle(count, winner, loser), out=lost_to)
        if not dense:
            break
        kept = block[lost_to[sweep.rank[block]] < 0]
        best = beaten_by(sweep, kept)
        beaten = best < count
        lost_to[sweep.rank[beaten & ~in_block]] = best[beaten & ~in_block]
        rest = np.flatnonzero(~(beaten | in_block))
        cleared = 1 - len(rest) / max(1, len(sweep) - len(block))
        sweep = sweep.only(rest)
    return lost_to
