"""Non-maximum suppression, greedy and exact: the best box wins, what overlaps it too much goes.

On the CPU it is numpy on one thread, since torch's small operators stall where sessions share the
cores: `defeats.py` says how. Elsewhere it is `device_nms.py`.

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
from explorer.core.columns import as_columns, meeting_boxes
from explorer.core.defeats import find_defeats


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
    if scores.device.type == "cpu" and scores.dtype == torch.float32:
        return torch.from_numpy(_rank_float32(scores.detach().numpy()))
    return torch.sort(scores.detach(), descending=True, stable=True).indices


def _rank_float32(scores: np.ndarray) -> np.ndarray:
    """Sort words of (falling score, index): numpy does that 5 times as fast as a stable argsort."""
    bits = (scores + np.float32(0)).view(np.int32)  # + 0: both zeros are equal
    bits ^= (bits >> 31) & 0x7FFFFFFF  # whole numbers that rise with the score
    bits[np.isnan(scores)] = 0x7FFFFFFF
    words = (~bits).astype(np.int64) << 32
    words |= np.arange(len(scores))
    words.sort()
    return words & 0xFFFFFFFF


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
    order = rank(scores)
    ranked_groups = None if groups is None else groups.index_select(0, order)
    return by_index(
        order, suppress_ranked(boxes.index_select(0, order), iou_threshold, ranked_groups)
    )


def suppress_ranked(boxes: Tensor, iou_threshold: float, groups: Tensor | None = None) -> Tensor:
    """Run NMS on boxes that stand best first already, whatever ranked them.

    Args:
        boxes: (N, 4) float32 boxes, xyxy, pixels, best first.
        iou_threshold: the largest IoU that two kept boxes may have, in [0, 1].
        groups: (N,) integers; boxes of different groups never meet. None: all are one group.

    Returns:
        (N,) int64, the best kept box that overlaps each one; -1 for a survivor.

    Raises:
        ValueError: if the threshold is wrong.
    """
    check_threshold(iou_threshold)
    if boxes.device.type != "cpu":
        return device_nms.suppress_ranked(boxes, iou_threshold, groups)
    columns = as_columns(boxes.detach().float().numpy())
    meeting = meeting_boxes(columns, None if groups is None else groups.numpy())
    return torch.from_numpy(find_defeats(columns, meeting, iou_threshold))


def by_index(order: Tensor, lost_to: Tensor) -> Suppression:
    """Translate (N,) ranks of winners, -1 for survivors, to indices of the input."""
    if order.device.type == "cpu":
        index, winner = order.numpy(), lost_to.numpy()
        suppressed_by, gone = np.full(len(index), -1), np.flatnonzero(winner >= 0)
        suppressed_by[index.take(gone)] = index.take(winner.take(gone))
        keep = index.take(np.flatnonzero(winner < 0))
        return Suppression(torch.from_numpy(keep), torch.from_numpy(suppressed_by))
    survives = lost_to < 0
    winner = order.index_select(0, lost_to.clamp(min=0)).masked_fill_(survives, -1)
    return Suppression(order[survives], torch.empty_like(order).scatter_(0, order, winner))


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
