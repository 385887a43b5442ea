"""Every overlapping pair of boxes, found once: then any NMS threshold is a prefix of the list.

This is numpy on the CPU, wherever the boxes are. An accelerator runs `nms.suppress` at each
threshold instead: one matrix there is faster than a list of pairs.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.core.columns import as_columns, float32_floor, meeting_boxes
from explorer.core.greedy import settle
from explorer.core.nms import Suppression, by_index, check_inputs, check_threshold, rank
from explorer.core.sweep import find_edges


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
    edges = find_edges(columns, meeting_boxes(columns, ranked_groups), 0.0, limit)
    if edges is None:
        none = (torch.empty(0, dtype=kind) for kind in (torch.int32, torch.int32, torch.float32))
        return Overlaps(order, *none, complete=False)
    winner, loser, iou = edges[0].astype(np.int32), edges[1].astype(np.int32), edges[2]
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
    if not overlaps.complete:
        raise ValueError("overlaps.complete must be True, got False: run nms.suppress on the boxes")
    count = pairs_over(overlaps, iou_threshold)
    sides = (overlaps.winner, overlaps.loser)
    winner, loser = (side[:count].numpy().astype(np.int64) for side in sides)
    lost_to = settle(len(overlaps.order), winner, loser)
    return by_index(overlaps.order, torch.from_numpy(lost_to))


def pairs_over(overlaps: Overlaps, iou_threshold: float) -> int:
    """How many pairs of the list exceed a threshold: they are its first ones.

    Args:
        overlaps: complete overlaps.
        iou_threshold: an IoU in [0, 1].

    Raises:
        ValueError: if the threshold is outside [0, 1].
    """
    check_threshold(iou_threshold)
    worst_first, limit = overlaps.iou.numpy()[::-1], float32_floor(iou_threshold)
    return len(worst_first) - int(np.searchsorted(worst_first, limit, side="right"))
