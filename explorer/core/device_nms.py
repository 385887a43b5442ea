"""NMS on an accelerator: fixed shapes, and no wait for the host.

One matrix says who overlaps whom by more than the threshold; the survivors are its fixed point,
found by matrix products. Thirty-two of them decide nearly every picture; whether they did is a
tensor too, and the host reads it with the result.

Shapes: N boxes.
"""

import torch
from torch import Tensor

from explorer.core.boxes import broadcast_iou
from explorer.core.columns import float32_floor

ROWS = 1024  # of the matrix at a time: 12,000 boxes make 48 MB of IoU a step, not 576
ROUNDS = 32


def suppress_ranked(boxes: Tensor, iou_threshold: float, groups: Tensor | None = None) -> Tensor:
    """`settle` with as many rounds as it takes: the first of its results."""
    rounds = ROUNDS
    while True:
        winner, settled = settle(boxes, iou_threshold, groups, rounds=rounds)
        if settled.item():
            return winner
        rounds *= 4


def settle(
    boxes: Tensor, iou_threshold: float, groups: Tensor | None = None, rounds: int = ROUNDS
) -> tuple[Tensor, Tensor]:
    """Greedy NMS without a wait for the host.

    Args:
        boxes: (N, 4) float32 boxes, xyxy, pixels, best first, at most some 12,000.
        iou_threshold: the largest IoU that two kept boxes may have, in [0, 1].
        groups: (N,) integers; boxes of different groups never meet.
        rounds: matrix products; a chain of that many boxes is decided for sure.

    Returns:
        (N,) int64 rank of the best kept box that overlaps each one, -1 for a survivor, empty for no
        boxes; and a bool tensor without dimensions: False where more rounds are needed.
    """
    overlap = _overlap(boxes.detach().float(), groups, float(float32_floor(iou_threshold)))
    weights = overlap.to(torch.float32 if boxes.device.type == "cpu" else torch.float16)
    kept = before = torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    for _ in range(rounds):
        before, kept = kept, (kept.to(weights.dtype) @ weights) == 0
    return _best_winner(overlap, kept), (kept == before).all()


def _overlap(boxes: Tensor, groups: Tensor | None, threshold: float) -> Tensor:
    """(N, N) bool: row i suppresses column j where it ranks better and overlaps enough."""
    rows = []
    for start in range(0, len(boxes), ROWS):
        part = slice(start, start + ROWS)
        over = broadcast_iou(boxes[part], boxes) > threshold
        if groups is not None:
            over &= groups[part, None] == groups
        rows.append(over.triu(diagonal=start + 1))
    return torch.cat(rows) if rows else torch.zeros(0, 0, dtype=torch.bool, device=boxes.device)


def _best_winner(overlap: Tensor, kept: Tensor) -> Tensor:
    """(N,) rank of the best kept box over each one; -1 where there is none."""
    count = len(kept)
    rank = torch.arange(count, device=kept.device)
    best = torch.full_like(rank, count)
    for start in range(0, count, ROWS):
        part = slice(start, start + ROWS)
        winners = torch.where(overlap[part] & kept[part, None], rank[part, None], count)
        best = torch.minimum(best, winners.amin(dim=0))
    return best.masked_fill_(best == count, -1)
