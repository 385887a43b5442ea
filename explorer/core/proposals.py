"""From candidates to proposals: the score threshold, suppression, then the cap."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.core.candidates import Candidates, Fate
from explorer.core.nms import suppress_ranked
from explorer.core.overlaps import Overlaps, find_overlaps, pairs_over, suppress_at
from explorer.settings import Filter, Nms

FEW_PAIRS = 50  # a box over the threshold: past that, NMS of the boxes is faster than the list


@dataclass(frozen=True, eq=False)
class Proposals:
    """What the RPN hands to the next stage, and what became of every candidate."""

    boxes: Tensor  # (P, 4) xyxy, pixels, best first
    scores: Tensor  # (P,)
    candidate_index: Tensor  # (P,) int64, rank among the candidates
    anchor_index: Tensor  # (P,) int64
    level: Tensor  # (P,) int64
    survivors: int  # before the cap of post_nms
    fate: Tensor  # (K,) int8, a `Fate` for every candidate
    suppressed_by: Tensor  # (K,) int64, the candidate that won; -1 where none did


def candidate_overlaps(candidates: Candidates, rules: Filter) -> Overlaps | None:
    """Every overlapping pair of candidates, for all thresholds at once.

    None on an accelerator, where one matrix at the threshold is faster than a list of pairs.
    """
    if candidates.boxes.device.type != "cpu":
        return None
    return find_overlaps(candidates.boxes, _ranks(candidates), _groups(candidates, rules))


def propose(
    candidates: Candidates, overlaps: Overlaps | None, rules: Filter, nms: Nms
) -> Proposals:
    """Drop low scores, suppress what overlaps a better candidate, then keep the best `post_nms`.

    What scores low may take part in the suppression all the same: it ranks after all others, so
    it suppresses none of them. A NaN score ranks before all, and is not low.

    Returns:
        The proposals; none where there are no candidates.

    Source: torchvision's score_thresh, which keeps an equal score.
    """
    if overlaps is not None and _few(overlaps, nms.iou_threshold):
        lost_to = suppress_at(overlaps, nms.iou_threshold).suppressed_by
    else:
        lost_to = suppress_ranked(candidates.boxes, nms.iou_threshold, _groups(candidates, rules))
    low = candidates.scores < nms.score_threshold
    passing = candidates.valid & ~low
    survivors = (passing & (lost_to < 0)).nonzero()[:, 0]
    keep = survivors[: nms.post_nms]
    fate = torch.full_like(candidates.level, Fate.SUPPRESSED, dtype=torch.int8)
    fate.masked_fill_(low, Fate.LOW_SCORE).masked_fill_(~candidates.valid, Fate.TOO_SMALL)
    fate.index_fill_(0, survivors, Fate.OVER_CAP).index_fill_(0, keep, Fate.KEPT)
    return Proposals(
        boxes=candidates.boxes.index_select(0, keep),
        scores=candidates.scores.index_select(0, keep),
        candidate_index=keep,
        anchor_index=candidates.anchor_index.index_select(0, keep),
        level=candidates.level.index_select(0, keep),
        survivors=len(survivors),
        fate=fate,
        suppressed_by=lost_to.masked_fill(~passing, -1),
    )


def _few(overlaps: Overlaps, iou_threshold: float) -> bool:
    """Whether the list decides faster than the boxes do."""
    most = FEW_PAIRS * len(overlaps.order)
    return overlaps.complete and pairs_over(overlaps, iou_threshold) <= most


def _ranks(candidates: Candidates) -> Tensor:
    """Candidates stand best first already: their place is their rank, whatever ranked them."""
    return torch.arange(len(candidates.boxes), 0, -1, device=candidates.boxes.device).float()


def _groups(candidates: Candidates, rules: Filter) -> Tensor | None:
    return candidates.level if rules.nms_by_level else None
