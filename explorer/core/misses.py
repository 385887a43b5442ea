"""Why an object was not found: how far along the chain the boxes that reach it came.

A box reaches an object if their IoU is the threshold at least. The object is missed where the last
of those boxes was lost, for it would have been found if that step had let it pass.

Shapes: N anchors, K candidates, P proposals, G objects.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from explorer.core.bands import meetings
from explorer.core.boxes import box_columns, box_iou
from explorer.core.candidates import Candidates, Fate, HeadOutput
from explorer.core.coder import decode_boxes
from explorer.core.evaluation import MISSED, pair_iou
from explorer.core.filtering import clip_boxes, top_n
from explorer.core.layout import AnchorSet, Grid
from explorer.core.proposals import Proposals
from explorer.core.recall import Hits, reach_of
from explorer.settings import Codec, Filter

# Match.low: under it, training calls an anchor background.
ANCHOR_IOU = 0.3


class Reason(IntEnum):
    """The step that lost an object, in the order in which the steps are checked."""

    NO_ANCHOR = 0
    NO_BOX = 1
    TOO_SMALL = 2
    BELOW_TOP_N = 3
    LOW_SCORE = 4
    SUPPRESSED = 5
    OVER_CAP = 6
    TAKEN = 7  # a proposal reaches it, but found another object, which it overlaps more


_REASON = {
    Fate.TOO_SMALL: Reason.TOO_SMALL,
    Fate.BELOW_TOP_N: Reason.BELOW_TOP_N,
    Fate.LOW_SCORE: Reason.LOW_SCORE,
    Fate.SUPPRESSED: Reason.SUPPRESSED,
    Fate.OVER_CAP: Reason.OVER_CAP,
    Fate.KEPT: Reason.TAKEN,
}


_SENTENCES = {
    Reason.NO_ANCHOR: "no anchor overlaps it by IoU {limit:g}: the best has {iou}",
    Reason.NO_BOX: "no anchor's box reaches IoU {limit:g}: the best has {iou}",
    Reason.TOO_SMALL: "every box that reaches it is dropped as too small, under {limit:g} px",
    Reason.BELOW_TOP_N: "scored too low: its best box is #{place:,}, and the first {limit:,} go on",
    Reason.LOW_SCORE: "under the score threshold: its best box, #{place:,}, scores {score}",
    Reason.SUPPRESSED: "suppressed: its best box, #{place:,}, overlaps #{by:,} by IoU {by_iou}",
    Reason.OVER_CAP: "cut by the cap: its best box is #{place:,} after NMS, and {limit:,} are kept",
    Reason.TAKEN: "taken: its best box, #{place:,}, found an object that it overlaps more",
}


@dataclass(frozen=True)
class Miss:
    """Why one object was not found. Ranks count from 0, and from 1 in the sentence."""

    object: int
    reason: Reason
    iou: float  # of the object with its best anchor (NO_ANCHOR), else with its best box
    anchor_index: int  # which anchor that is, or that the box came from; -1 where none touches
    limit: float = 0  # what was fallen short of: an IoU, a side in px, the top-n or the cap
    rank: int = -1  # of the best box before the top-n (among all, or in its level), among the
    # candidates (LOW_SCORE, SUPPRESSED), after NMS (OVER_CAP) or among the proposals (TAKEN)
    by: int = -1  # the candidate that suppressed it, or the object that its proposal found
    by_iou: float = 0.0  # of the two candidates (SUPPRESSED)
    score: float = 0.0  # of its best box (LOW_SCORE)

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return _SENTENCES[self.reason].format(
            limit=self.limit,
            place=self.rank + 1,
            by=self.by + 1,
            iou=_short(self.iou),
            by_iou=_short(self.by_iou),
            score=_short(self.score),
        )


def _short(value: float) -> str:
    """Three decimals, rounded down: what stays under a threshold must not read as reaching it."""
    return f"{math.floor(value * 1000) / 1000:g}"


def explain_misses(
    hits: Hits,
    ground_truth: Tensor,
    best_anchors: tuple[Tensor, Tensor],
    grid: Grid,
    anchors: AnchorSet,
    head: HeadOutput,
    candidates: Candidates,
    proposals: Proposals,
    codec: Codec,
    rules: Filter,
    anchor_iou: float = ANCHOR_IOU,
) -> list[Miss]:
    """One reason for every object that the proposals miss.

    Args:
        hits: of these proposals and objects.
        ground_truth: (G, 4) boxes of the objects, xyxy, pixels.
        best_anchors: of these anchors and objects, from `nearest.best_anchors`.
        grid: where each level starts.
        anchors: (N, 4) anchors.
        head: N logits, scores and deltas.
        candidates: what `select_candidates` made of them.
        proposals: what `propose` made of those.
        codec: how deltas decode.
        rules: of the candidates.
        anchor_iou: an object that no anchor overlaps by this much has no anchor, in [0, 1].

    Returns:
        The misses in the objects' order; empty where all were found.

    Raises:
        ValueError: if the hits are of another number of objects or proposals.
    """
    if (len(hits.kind), len(hits.found_by)) != (len(proposals.boxes), len(ground_truth)):
        raise ValueError(
            f"hits must be of {len(proposals.boxes)} proposals and {len(ground_truth)} objects, "
            f"got {len(hits.kind)} and {len(hits.found_by)}"
        )
    missed = (hits.found_by == MISSED).nonzero()[:, 0].tolist()
    if not missed:
        return []
    story = _Story(hits, grid, anchors, head, candidates, proposals, codec, rules)
    ground_truth = ground_truth.cpu()
    best, index = (part[missed].tolist() for part in best_anchors)
    return [
        Miss(number, Reason.NO_ANCHOR, iou, anchor, anchor_iou)
        if iou < anchor_iou
        else story.explain(number, ground_truth[number])
        for number, iou, anchor in zip(missed, best, index, strict=True)
    ]


class _Story:
    """What became of every anchor's box, from its decoding to its end; on the CPU."""

    def __init__(self, hits, grid, anchors, head, candidates, proposals, codec, rules):
        self.hits, self.grid, self.head, self.rules = hits, grid, head, rules
        self.candidates, self.proposals = candidates, proposals
        deltas, anchor_boxes = head.deltas.cpu(), anchors.boxes.cpu()
        boxes = decode_boxes(anchor_boxes, deltas, codec.weights, codec.max_log_scale)
        self.boxes = clip_boxes(boxes, grid.image_size)  # (N, 4)
        self.valid = candidates.valid.cpu()
        self.anchor_index = candidates.anchor_index.cpu()[self.valid]
        # the same numbers to the last bit, or a box might reach an object here and not there
        self.boxes[self.anchor_index] = candidates.boxes.cpu()[self.valid]
        self.fate = candidates.fate.cpu().clone()  # (N,)
        self.candidate_fate = proposals.fate.cpu()
        self.fate[self.anchor_index] = self.candidate_fate[self.valid]

    @cached_property
    def candidate_of(self) -> Tensor:
        """(N,) int64 the candidate that an anchor became; -1 for none."""
        places = torch.full((len(self.boxes),), -1)
        places[self.anchor_index] = self.valid.nonzero()[:, 0]
        return places

    @cached_property
    def place(self) -> Tensor:
        """(N,) int64 rank of each anchor where the top-n was taken: among all or in its level."""
        ranked_by = getattr(self.head, self.rules.top_n_by).cpu()
        if self.rules.order == "decode first":
            ranked_by = ranked_by.masked_fill(self.fate == Fate.TOO_SMALL, -torch.inf)
        counts = self.grid.counts if self.rules.top_n_by_level else (len(ranked_by),)
        # where each anchor stands in the order: the inverse of a permutation is its argsort
        return torch.cat([top_n(part, len(part)).argsort() for part in ranked_by.split(counts)])

    @cached_property
    def _columns(self) -> np.ndarray:
        return box_columns(self.boxes)

    @np.errstate(over="ignore")  # as in `box_iou`
    def _iou(self, truth: Tensor) -> Tensor:
        """(N,) float32 IoU of an object with every box."""
        iou = np.zeros(len(self.boxes), dtype=np.float32)
        for start, _, part in meetings(box_columns(truth[None]), self._columns):
            iou[start : start + len(part)] = part
        return torch.from_numpy(iou)

    def explain(self, number: int, truth: Tensor) -> Miss:
        """The reason for one object, given as (4,) box, that some anchor overlaps enough."""
        threshold = self.hits.iou_threshold
        iou = self._iou(truth)  # (N,) float32
        near = (iou >= threshold - 1e-3).nonzero()[:, 0]  # whatever the rounding
        exact = torch.from_numpy(pair_iou(self.boxes[near], truth[None])[:, 0])
        reaching = near[exact >= reach_of(threshold)]
        if len(reaching) == 0:
            best = int(iou.argmax())
            return Miss(number, Reason.NO_BOX, float(iou[best]), best, threshold)
        ends = {_REASON[Fate(fate)]: fate for fate in self.fate[reaching].unique().tolist()}
        reason = max(ends)
        last = reaching[self.fate[reaching] == ends[reason]]
        if reason == Reason.TOO_SMALL:
            order = -iou
        else:
            order = self.place if reason == Reason.BELOW_TOP_N else self.candidate_of
        anchor = int(last[order[last].argmin()])
        return Miss(number, reason, float(iou[anchor]), anchor, **self._details(reason, anchor))

    def _details(self, reason: Reason, anchor: int) -> dict[str, float]:
        """The fields of `Miss` that only some reasons have."""
        if reason == Reason.TOO_SMALL:
            return {"limit": self.rules.min_size}
        if reason == Reason.BELOW_TOP_N:
            return {"limit": self.rules.pre_nms, "rank": int(self.place[anchor])}
        candidate = int(self.candidate_of[anchor])
        if reason == Reason.LOW_SCORE:
            return {"rank": candidate, "score": float(self.head.scores[anchor])}
        if reason == Reason.SUPPRESSED:
            by = int(self.proposals.suppressed_by[candidate])
            two = self.candidates.boxes[[candidate, by]].cpu()
            return {"rank": candidate, "by": by, "by_iou": box_iou(two[:1], two[1:]).item()}
        before = self.candidate_fate[:candidate]
        rank = int(((before == Fate.KEPT) | (before == Fate.OVER_CAP)).sum())
        if reason == Reason.OVER_CAP:
            return {"limit": len(self.proposals.boxes), "rank": rank}
        return {"rank": rank, "by": int(self.hits.object[rank])}
