"""NMS on an accelerator: fixed shapes, and no wait for the host.

One matrix says who overlaps whom by more than the threshold; the survivors are its fixed point,
found by matrix products. Thirty-two of them decide nearly every picture; whether they did is a
tensor too, and the host reads it with the result.

Shapes: N boxes.
"""

import torch
from torch import Tensor

from explorer.core.boxes import broadcast_iou
from explorer.core.sweep import float32_floor

ROWS = 1024  # of the matrix at a time: 12,000 boxes make 48 MB of IoU a step, not 576
ROUNDS = 32


def suppress_on_device(
    boxes: Tensor,
    scores: Tensor,
    iou_threshold: float,
    groups: Tensor | None = None,
    valid: Tensor | None = None,
    rounds: int = ROUNDS,
) -> tuple[Tensor, Tensor, Tensor]:
    """Greedy NMS without a wait for the host.

    Args:
        boxes: (N, 4) float32 boxes, xyxy, pixels, at most some 12,000.
        scores: (N,) scores or logits.
        iou_threshold: the largest IoU that two kept boxes may have, in [0, 1].
        groups: (N,) integers; boxes of different groups never meet.
        valid: (N,) bool, False for fillers: they neither stay nor suppress.
        rounds: matrix products; a chain of that many boxes is decided for sure.

    Returns:
        (N,) bool kept, (N,) int64 index of the best-ranked kept box that overlaps it (-1 for none),
        and a bool tensor without dimensions: False where more rounds are needed. Both lists are
        empty for no boxes.
    """
    count = len(boxes)
    ranked_by = scores if valid is None else scores.masked_fill(~valid, -torch.inf)
    order = torch.sort(ranked_by, descending=True, stable=True).indices
    threshold = float(float32_floor(iou_threshold))
    ranked = boxes.detach()[order].float()
    overlap = _overlap(ranked, None if groups is None else groups[order], threshold)
    if valid is not None:
        overlap &= valid[order][:, None]
    weights = overlap.to(torch.float32 if boxes.device.type == "cpu" else torch.float16)
    kept = before = torch.ones(count, dtype=torch.bool, device=boxes.device)
    for _ in range(rounds):
        before, kept = kept, (kept.to(weights.dtype) @ weights) == 0
    converged = (kept == before).all()  # before fillers go, which `before` still holds
    winner = _first_winner(overlap, kept)
    lost_to = torch.where(winner < count, order[winner.clamp(max=max(count - 1, 0))], -1)
    if valid is not None:
        kept = kept & valid[order]
    back = torch.empty_like(order).scatter_(0, order, torch.arange(count, device=boxes.device))
    return kept[back], lost_to[back], converged


def suppress_exactly(
    boxes: Tensor, scores: Tensor, iou_threshold: float, groups: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """`suppress_on_device` with as many rounds as it takes: the first two of its results."""
    rounds = ROUNDS
    while True:
        kept, lost_to, converged = suppress_on_device(
            boxes, scores, iou_threshold, groups, rounds=rounds
        )
        if converged.item():
            return kept, lost_to
        rounds *= 4


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


def _first_winner(overlap: Tensor, kept: Tensor) -> Tensor:
    """(N,) rank of the best kept box over each one; N where there is none."""
    count = len(kept)
    rank = torch.arange(count, device=kept.device)
    first = torch.full_like(rank, count)
    for start in range(0, count, ROWS):
        part = slice(start, start + ROWS)
        winners = torch.where(overlap[part] & kept[part, None], rank[part, None], count)
        first = torch.minimum(first, winners.amin(dim=0))
    return first
