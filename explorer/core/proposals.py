"""From candidates to proposals: suppression, then the cap."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.core.candidates import Candidates, Fate
from explorer.core.nms import suppress
from explorer.core.overlaps import Overlaps, find_overlaps, suppress_at
from explorer.settings import Filter, Nms


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
    """Suppress what overlaps a better candidate, then keep the best `post_nms`.

    Returns:
        The proposals; none where there are no candidates.
    """
    if overlaps is not None and overlaps.complete:
        suppression = suppress_at(overlaps, nms.iou_threshold)
    else:
        groups = _groups(candidates, rules)
        suppression = suppress(candidates.boxes, _ranks(candidates), nms.iou_threshold, groups)
    survivors = suppression.keep
    survivors = survivors[candidates.valid[survivors]]
    keep = survivors[: nms.post_nms]
    fate = torch.full_like(candidates.level, Fate.SUPPRESSED, dtype=torch.int8)
    fate.masked_fill_(~candidates.valid, Fate.TOO_SMALL)
    fate[survivors] = Fate.OVER_CAP
    fate[keep] = Fate.KEPT
    return Proposals(
        boxes=candidates.boxes[keep],
        scores=candidates.scores[keep],
        candidate_index=keep,
        anchor_index=candidates.anchor_index[keep],
        level=candidates.level[keep],
        survivors=len(survivors),
        fate=fate,
        suppressed_by=suppression.suppressed_by.masked_fill(~candidates.valid, -1),
    )


def _ranks(candidates: Candidates) -> Tensor:
    """Candidates stand best first already: their place is their rank, whatever ranked them."""
    return torch.arange(len(candidates.boxes), 0, -1, device=candidates.boxes.device).float()


def _groups(candidates: Candidates, rules: Filter) -> Tensor | None:
    return candidates.level if rules.nms_by_level else None
