"""What each anchor should have said: task-aligned targets, and the losses against them.

The course's own rule (positive from IoU .7, all alike) leaves most objects a single positive and
ranks a sloppy box as high as a sharp one. Here the anchors whose *decoded* box fits an object best
are its positives, and the fit is the score they should give; so what ranks first is what overlaps
best, and the near-duplicates rank below.

Sources: Feng et al. 2021 (TOOD), section 3.2; Zhang et al. 2021 (VarifocalNet), section 3.2;
Rezatofighi et al. 2019 (GIoU).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.core.boxes import box_area, box_iou
from explorer.core.coder import decode_boxes

POSITIVES = 10  # anchors an object
SCORE_POWER, FIT_POWER = 0.5, 6.0
NEAR = 0.6  # a candidate's IoU as an anchor, as a share of what the object's best anchor has
CANDIDATES = 64
BOX_WEIGHT = 2.0


def pairwise_giou(a: Tensor, b: Tensor) -> Tensor:
    """Generalised IoU of (N, 4) boxes with their (N, 4) partners, in (-1, 1]."""
    overlap = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0)
    hull = torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])
    shared = overlap.prod(1)
    union = box_area(a) + box_area(b) - shared
    hull = hull.prod(1).clamp(min=1e-6)
    return shared / union.clamp(min=1e-6) - (hull - union) / hull


@torch.no_grad()
def find_candidates(anchors: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """The anchors that may answer for each object.

    Args:
        anchors: (N, 4).
        boxes: (G, 4) objects, G at least 1.

    Returns:
        (G, C) anchor indices, and (G, C) True where the anchor is near enough to the best.
    """
    iou = box_iou(boxes, anchors)  # (G, N)
    centres, middles = (anchors[:, :2] + anchors[:, 2:]) / 2, (boxes[:, :2] + boxes[:, 2:]) / 2
    sizes = box_area(boxes).sqrt()[:, None]
    # many anchors hold a small object whole and tie: the central ones first
    central = iou - 0.02 * torch.cdist(middles, centres) / sizes
    index = central.topk(min(CANDIDATES, len(anchors)), dim=1).indices
    fit = iou.gather(1, index)
    return index, (fit >= NEAR * fit.amax(1, keepdim=True)) & (fit > 0)


@torch.no_grad()
def assign(anchors: Tensor, logits: Tensor, decoded: Tensor, boxes: Tensor) -> tuple[Tensor, ...]:
    """Choose the positives of one picture.

    Args:
        anchors: (N, 4).
        logits: (N,).
        decoded: (N, 4), the anchors moved by the network's deltas.
        boxes: (G, 4) objects.

    Returns:
        (P,) anchor indices, (P,) index of each one's object, (P,) target scores in [0, 1].
    """
    if len(boxes) == 0:
        none = torch.zeros(0, dtype=torch.long, device=anchors.device)
        return none, none, none.float()
    index, near = find_candidates(anchors, boxes)  # (G, C)
    fit = _fit(decoded[index], boxes) * near
    merit = logits[index].sigmoid() ** SCORE_POWER * fit**FIT_POWER
    merit, best = merit.topk(min(POSITIVES, merit.shape[1]), dim=1)  # (G, K)
    index, fit = index.gather(1, best), fit.gather(1, best)
    # the best of an object should score what it fits, the others in proportion
    score = merit / merit.amax(1, keepdim=True).clamp(min=1e-12) * fit.amax(1, keepdim=True)
    owner = torch.arange(len(boxes), device=anchors.device)[:, None].expand_as(index)
    score, index, owner = (each.flatten() for each in (score, index, owner))
    # an anchor that two objects want goes to the one that it fits better
    order = score.argsort(descending=True, stable=True)
    first = torch.full((len(anchors),), len(order), device=anchors.device)
    ranks = torch.arange(len(order), device=anchors.device)
    first.scatter_reduce_(0, index[order], ranks, "amin")
    chosen = order[(first[index[order]] == ranks) & (score[order] > 0)]
    return index[chosen], owner[chosen], score[chosen]


def _fit(candidates: Tensor, boxes: Tensor) -> Tensor:
    """(G, C) IoU of each object with its own (G, C, 4) candidates."""
    boxes = boxes[:, None]
    overlap = torch.minimum(candidates[..., 2:], boxes[..., 2:]) - torch.maximum(
        candidates[..., :2], boxes[..., :2]
    )
    shared = overlap.clamp(min=0).prod(-1)
    sides = [(each[..., 2:] - each[..., :2]).prod(-1) for each in (candidates, boxes)]
    return shared / (sides[0] + sides[1] - shared).clamp(min=1e-6)


def detection_loss(
    anchors: Tensor, logits: Tensor, deltas: Tensor, objects: list[Tensor]
) -> tuple[Tensor, Tensor]:
    """Score and box loss of a batch.

    Args:
        anchors: (N, 4), those of every picture.
        logits: (B, N).
        deltas: (B, N, 4).
        objects: (G, 4) boxes of each picture.

    Returns:
        The two losses, each a sum over anchors divided by the sum of the target scores.
    """
    targets = torch.zeros_like(logits)
    predicted, wanted, weights = [], [], []
    for picture, boxes in enumerate(objects):
        decoded = decode_boxes(anchors, deltas[picture].detach())
        index, owner, score = assign(anchors, logits[picture].detach(), decoded, boxes)
        targets[picture, index] = score
        predicted.append(decode_boxes(anchors[index], deltas[picture, index]))
        wanted.append(boxes[owner])
        weights.append(score)
    weight = torch.cat(weights)
    total = weight.sum().clamp(min=1)
    giou = pairwise_giou(torch.cat(predicted), torch.cat(wanted))
    # positives weigh as much as they should score; negatives fade once they score low
    focus = torch.where(targets > 0, targets, 0.75 * logits.detach().sigmoid() ** 2)
    score_loss = (
        focus * F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    ).sum()
    return score_loss / total, BOX_WEIGHT * ((1 - giou) * weight).sum() / total
