"""Every overlapping pair of boxes, found once: then any NMS threshold is a prefix of the list."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.core.greedy import count_removed, settle
from explorer.core.nms import (
    Suppression,
    by_index,
    check_inputs,
    check_threshold,
    rank,
)
from explorer.core.sweep import as_columns, can_overlap, find_edges, float32_floor


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Every overlapping pair of ranked boxes, best IoU first."""

    order: Tensor  # (N,) int64, rank -> box index
    winner: Tensor  # (E,) int32, rank of the better box
    loser: Tensor  # (E,) int32, rank of the worse one
    iou: Tensor  # (E,) float32, descending
    complete: bool  # False past the limit: then the three are empty, and NMS runs directly


def find_overlaps(
    boxes: Tensor, scores: Tensor, groups: Tensor | None = None, limit: int = 5_000_000
) -> Overlaps:
    """List every pair of boxes with IoU > 0 once, best IoU first.

    Args:
        boxes: (N, 4) float32 boxes, xyxy, pixels, on the CPU.
        scores: (N,) scores or logits; they rank the boxes as `nms.rank` does.
        groups: (N,) integers; boxes of different groups never meet. None: all are one group.
        limit: the most pairs to list, 12 bytes each.

    Returns:
        The pairs; none for no boxes, none and not `complete` where more than `limit` overlap.

    Raises:
        ValueError: if a shape is wrong.
    """
    check_inputs(boxes, scores, groups)
    order = rank(scores)
    columns = as_columns(boxes.detach()[order].float().numpy())
    left = can_overlap(columns)
    groups_left = None if groups is None else groups[order].numpy()[left]
    with np.errstate(all="ignore"):
        edges = find_edges(columns.take(left, axis=1), groups_left, 0.0, limit)
    if edges is None:
        none = torch.empty(0, dtype=torch.int32)
        return Overlaps(order, none, none, none.float(), complete=False)
    winner, loser, iou = edges
    best_first = _descending(iou)
    winner, loser = (left[side[best_first]].astype(np.int32) for side in (winner, loser))
    return Overlaps(order, *map(torch.from_numpy, (winner, loser, iou[best_first])), complete=True)


def _descending(iou: np.ndarray) -> np.ndarray:
    """Order positive floats, largest first: sorting words of (bits, index) is 4 times argsort."""
    words = iou.view(np.uint32).astype(np.uint64) << np.uint64(32)
    words |= np.arange(len(iou), dtype=np.uint64)
    words.sort()
    return (words[::-1] & np.uint64(0xFFFFFFFF)).astype(np.int64)


def suppress_at(overlaps: Overlaps, iou_threshold: float) -> Suppression:
    """Run NMS from the overlaps: the same result as `nms.suppress` of the boxes.

    Args:
        overlaps: complete overlaps.
        iou_threshold: the largest IoU that two kept boxes may have, in [0, 1].

    Returns:
        The survivors and the winner of each other box.

    Raises:
        ValueError: if the threshold is outside [0, 1] or the overlaps are not complete.
    """
    check_threshold(iou_threshold)
    _check_complete(overlaps)
    edges = len(overlaps.iou) - np.searchsorted(overlaps.iou.numpy()[::-1], float32_floor(iou_threshold), side="right")
    winner, loser = (side[:edges].numpy().astype(np.int64) for side in (overlaps.winner, overlaps.loser))
    return by_index(overlaps.order, settle(len(overlaps.order), winner, loser))


def survivors_by_threshold(overlaps: Overlaps, thresholds: Sequence[float] | Tensor) -> Tensor:
    """Count the survivors of NMS at many thresholds, 64 of them at once.

    Args:
        overlaps: complete overlaps.
        thresholds: T thresholds in [0, 1], in any order.

    Returns:
        (T,) int64 number of boxes kept at each threshold, before any cap.

    Raises:
        ValueError: if a threshold is outside [0, 1] or the overlaps are not complete.
    """
    _check_complete(overlaps)
    thresholds = np.asarray(thresholds, dtype=np.float64)
    for threshold in thresholds:
        check_threshold(threshold)
    count = len(overlaps.order)
    limits = np.array([float32_floor(t) for t in thresholds], np.float32)
    ascending = np.argsort(limits)
    iou = overlaps.iou.numpy()
    survivors = np.full(len(limits), count)
    by_loser = np.argsort(overlaps.loser.numpy().astype(np.uint16 if count < 65536 else np.int32), kind="stable")
    winner, loser = overlaps.winner.numpy()[by_loser].astype(np.int64), overlaps.loser.numpy()[by_loser].astype(np.int64)
    strength = np.searchsorted(limits[ascending], iou)[by_loser]
    for start in range(0, len(limits), 64):
        some = np.flatnonzero(strength > start)
        removed = count_removed(count, winner[some], loser[some], np.minimum(strength[some] - start, 64))
        part = ascending[start : start + 64]
        survivors[part] -= removed[: len(part)]
    return torch.from_numpy(survivors)


def _check_complete(overlaps: Overlaps) -> None:
    if not overlaps.complete:
        raise ValueError("overlaps.complete must be True, got False: run nms.suppress on the boxes")
