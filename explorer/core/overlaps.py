"""Every overlapping pair of boxes, found once: then any NMS threshold is a prefix of the list.

This is numpy on the CPU, wherever the boxes are. An accelerator runs `nms.suppress` at each
threshold instead: one matrix there is faster than a list of pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.core.greedy import count_removed, settle
from explorer.core.nms import Suppression, by_index, check_inputs, check_threshold, rank
from explorer.core.sweep import as_columns, find_edges, float32_floor, meeting_boxes

# Word k has its k lowest bits set.
LOWEST_BITS = np.array([2**k - 1 for k in range(65)], np.uint64)


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
        boxes: (N, 4) float32 boxes, xyxy, pixels.
        scores: (N,) scores or logits; they rank the boxes as `nms.rank` does.
        groups: (N,) integers; boxes of different groups never meet. None: all are one group.
        limit: the most pairs to list, 12 bytes each.

    Returns:
        The pairs, on the CPU; none for no boxes, none and not `complete` where more than `limit`
        boxes overlap.

    Raises:
        ValueError: if a shape is wrong.
    """
    check_inputs(boxes, scores, groups)
    order = rank(scores).cpu()
    columns = as_columns(boxes.detach().float().cpu().numpy().take(order.numpy(), axis=0))
    ranked_groups = None if groups is None else groups.cpu().numpy()[order.numpy()]
    none = np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32)
    pieces, room = [none], limit
    for members in meeting_boxes(columns, ranked_groups):
        edges = find_edges(columns.take(members, axis=1), 0.0, room)
        if edges is None:
            return Overlaps(order, *map(torch.from_numpy, none), complete=False)
        room -= len(edges[2])
        winner, loser = (members[side].astype(np.int32) for side in edges[:2])
        pieces.append((winner, loser, edges[2]))
    winner, loser, iou = (np.concatenate(side) for side in zip(*pieces, strict=True))
    best_first = _descending(iou)
    sides = (torch.from_numpy(side[best_first]) for side in (winner, loser, iou))
    return Overlaps(order, *sides, complete=True)


def _descending(iou: np.ndarray) -> np.ndarray:
    """Order positive floats, largest first: to sort words of (bits, index) is 4 times argsort."""
    words = iou.view(np.uint32).astype(np.uint64) << np.uint64(32)
    words |= np.arange(len(iou), dtype=np.uint64)
    words.sort()
    return (words[::-1] & np.uint64(2**32 - 1)).astype(np.int64)


def suppress_at(overlaps: Overlaps, iou_threshold: float) -> Suppression:
    """Run NMS from the overlaps: the same result as `nms.suppress` of the boxes.

    Args:
        overlaps: complete overlaps.
        iou_threshold: the largest IoU that two kept boxes may have, in [0, 1].

    Returns:
        The survivors and the winner of each other box, on the CPU; both empty for no boxes.

    Raises:
        ValueError: if the threshold is outside [0, 1] or the overlaps are not complete.
    """
    check_threshold(iou_threshold)
    _check_complete(overlaps)
    edges = int(_edges_over(overlaps, float32_floor(iou_threshold)))
    sides = (overlaps.winner, overlaps.loser)
    winner, loser = (side[:edges].numpy().astype(np.int64) for side in sides)
    return by_index(overlaps.order, settle(len(overlaps.order), winner, loser))


def survivors_by_threshold(overlaps: Overlaps, thresholds: Sequence[float] | Tensor) -> Tensor:
    """Count the survivors of NMS at many thresholds, 64 of them at a time.

    Args:
        overlaps: complete overlaps.
        thresholds: T thresholds in [0, 1], in any order.

    Returns:
        (T,) int64 number of boxes kept at each threshold, before any cap.

    Raises:
        ValueError: if a threshold is outside [0, 1] or the overlaps are not complete.
    """
    _check_complete(overlaps)
    values = [float(threshold) for threshold in thresholds]
    for value in values:
        check_threshold(value)
    limits = np.array([float32_floor(value) for value in values], np.float32)
    ascending, count = np.argsort(limits), len(overlaps.order)
    edges = _edges_over(overlaps, limits[ascending])
    survivors = np.empty(len(limits), np.int64)
    for start in range(0, len(limits), 64):
        some = edges[start : start + 64]
        # Each edge is there at the few lowest thresholds; the best edges come first.
        runs = np.diff(some[::-1], prepend=0)
        present = np.repeat(LOWEST_BITS[len(some) : 0 : -1], runs)
        sides = (overlaps.winner, overlaps.loser)
        winner, loser = (side[: some[0]].numpy().astype(np.int64) for side in sides)
        removed = count_removed(count, winner, loser, present)
        survivors[ascending[start : start + 64]] = count - removed[: len(some)]
    return torch.from_numpy(survivors)


def _edges_over(overlaps: Overlaps, limit: np.ndarray | np.float32) -> np.ndarray:
    """How many edges, counted from the best on, exceed each float32 limit."""
    return len(overlaps.iou) - np.searchsorted(overlaps.iou.numpy()[::-1], limit, side="right")


def _check_complete(overlaps: Overlaps) -> None:
    if not overlaps.complete:
        raise ValueError("overlaps.complete must be True, got False: run nms.suppress on the boxes")
