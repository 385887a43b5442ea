"""How many boxes survive NMS at each of many thresholds, with all thresholds decided at once.

Every box holds a bit for each threshold: is it removed there? A better box removes it at the
thresholds at which it is itself kept and which their IoU exceeds: the lowest ones, if thresholds
ascend. So one walk in order of rank decides all. A pair needs a look only where its IoU exceeds the
lowest threshold at which both are still there, and where boxes crowd few pairs do.

Shapes: N boxes, T thresholds, W words of 64 bits for them, B boxes of a block.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from explorer.core.boxes import check_box_list
from explorer.core.columns import CELLS, as_columns, columns_iou, float32_floor, meeting_boxes
from explorer.core.nms import check_threshold

BLOCK = 64
BETTER = np.tri(BLOCK, k=-1, dtype=bool).T  # row ranks before column


def survivors_by_threshold(
    boxes: Tensor, thresholds: Sequence[float], groups: Tensor | None = None
) -> Tensor:
    """Count what NMS keeps at each threshold, before any cap; numpy on the CPU.

    Args:
        boxes: (N, 4) float32 boxes, xyxy, pixels, best first.
        thresholds: T IoU thresholds in [0, 1], in any order.
        groups: (N,) integers; boxes of different groups never meet. None: all are one group.

    Returns:
        (T,) int64 number of boxes kept at each threshold, on the CPU; zeros for no boxes.

    Raises:
        ValueError: if the boxes are not (N, 4) or a threshold is outside [0, 1].
    """
    check_box_list("nms.boxes", boxes)
    for threshold in thresholds:
        check_threshold(threshold)
    if not len(thresholds):
        return torch.empty(0, dtype=torch.int64)
    limits = np.array([float32_floor(threshold) for threshold in thresholds], np.float32)
    ascending = np.argsort(limits)
    columns = as_columns(boxes.detach().float().cpu().numpy())
    removed = np.zeros(len(limits), np.int64)
    for members in meeting_boxes(columns, None if groups is None else groups.cpu().numpy()):
        removed[ascending] += _count_removed(columns.take(members, axis=1), limits[ascending])
    return torch.from_numpy(len(boxes) - removed)


@np.errstate(all="ignore")  # IoUs that overflow are no hits
def _count_removed(columns: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Count the boxes that go at each of (T,) ascending limits, in (5, N) columns, best first."""
    lowest = _lowest_bits(len(limits))
    removed = np.zeros((len(lowest), columns.shape[1]), np.uint64)  # (W, N)
    least = np.append(limits, np.float32(np.inf))  # the IoU that a box's lowest threshold asks
    for start in range(0, columns.shape[1], BLOCK):
        end = min(start + BLOCK, columns.shape[1])
        block = columns[:, start:end]
        _settle_block(block, removed[:, start:end], limits, lowest)
        kept = ~removed[:, start:end]
        asked = least.take(_lowest_bit(kept, len(limits)))[:, None]  # (B, 1)
        for begin in range(end, columns.shape[1], CELLS // BLOCK):
            there = slice(begin, begin + CELLS // BLOCK)
            iou = columns_iou(block[:, :, None], columns[:, None, there])
            still = least.take(_lowest_bit(~removed[:, there], len(limits)))
            hit = np.flatnonzero((iou > np.maximum(asked, still)).T)  # loser by loser
            loser = hit // len(block[0])
            winner = hit - loser * len(block[0])
            exceeded = np.searchsorted(limits, iou[winner, loser])
            beaten = kept.take(winner, axis=1) & lowest.take(exceeded, axis=1)
            first = np.flatnonzero(np.diff(loser, prepend=-1))
            if len(first):
                beaten = np.bitwise_or.reduceat(beaten, first, axis=1)
                removed[:, begin + loser.take(first)] |= beaten
    bits = np.unpackbits(removed.astype("<u8").view(np.uint8), axis=1, bitorder="little")
    counts = bits.reshape(len(lowest), -1, 64).sum(axis=1, dtype=np.int64)
    return counts.ravel()[: len(limits)]


def _settle_block(
    columns: np.ndarray, removed: np.ndarray, limits: np.ndarray, lowest: np.ndarray
) -> None:
    """Add to the (W, B) words of a block what its own boxes remove."""
    count = columns.shape[1]
    iou = columns_iou(columns[:, :, None], columns[:, None])
    hit = np.flatnonzero((iou > limits[0]) & BETTER[:count, :count])
    beats = np.zeros((len(removed), count * count), np.uint64)
    beats[:, hit] = lowest.take(np.searchsorted(limits, iou.take(hit)), axis=1)
    beats = beats.reshape(-1, count, count)
    outside, before = removed.copy(), None
    while before is None or (before != removed).any():
        before = removed.copy()
        removed[:] = outside | np.bitwise_or.reduce(beats & ~before[:, :, None], axis=1)


def _lowest_bits(count: int) -> np.ndarray:
    """(W, T + 1) words of which the k-th column has its k lowest bits set."""
    words = -(-count // 64)
    bits = np.arange(64 * words)[:, None] < np.arange(count + 1)  # (64 * W, T + 1)
    packed = np.packbits(bits.reshape(words, 64, -1), axis=1, bitorder="little")
    return np.ascontiguousarray(packed.transpose(0, 2, 1)).view("<u8")[:, :, 0].astype(np.uint64)


def _lowest_bit(words: np.ndarray, none: int) -> np.ndarray:
    """(W, N) words -> (N,) number of the lowest bit set, at most `none`."""
    lowest = np.full(words.shape[1], none)
    for number in reversed(range(len(words))):
        word = words[number]
        some = np.flatnonzero(word)
        bit = np.log2((word[some] & -word[some]).astype(np.float64))  # exact: powers of 2
        lowest[some] = np.minimum(64 * number + bit.astype(np.int64), none)
    return lowest
