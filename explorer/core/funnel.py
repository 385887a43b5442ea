"""The funnel: how many boxes of each level or ratio leave the chain at each step.

Shapes: N anchors, T steps, P parts (levels or ratios).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.core.candidates import Candidates, Fate, HeadOutput
from explorer.core.coder import decode_boxes
from explorer.core.filtering import clip_boxes, top_n
from explorer.core.layout import AnchorSet, Grid
from explorer.core.proposals import Proposals
from explorer.settings import Codec

ALL = "anchors"  # what enters the first step


@dataclass(frozen=True)
class Step:
    """One step of the chain: what it takes away, and what goes on."""

    fate: Fate  # of those that leave here
    lost: str
    kept: str


TOO_SMALL = Step(Fate.TOO_SMALL, "too small", "large enough")
TOP_N = Step(Fate.BELOW_TOP_N, "below top-n", "pre-NMS top-n")
LOW_SCORE = Step(Fate.LOW_SCORE, "low score", "over score threshold")
NMS = Step(Fate.SUPPRESSED, "suppressed", "survive NMS")
CAP = Step(Fate.OVER_CAP, "over the cap", "proposals")


@dataclass(frozen=True, eq=False)
class Flow:
    """What enters each step and what leaves there, part by part."""

    steps: tuple[Step, ...]  # T, in the order in which they run
    parts: tuple[str, ...]  # P names
    lost: np.ndarray  # (T, P) int64
    entering: np.ndarray  # (T + 1, P) int64; the last row is the proposals

    @property
    def bands(self) -> tuple[str, ...]:
        """Every name of a band, in the order of the chain."""
        return (ALL, *(name for step in self.steps for name in (step.lost, step.kept)))

    def fates(self, band: str) -> list[Fate]:
        """The fates that a band's boxes may meet; none for a band that these steps have not."""
        for number, step in enumerate(self.steps):
            if band == step.lost:
                return [step.fate]
            if band == step.kept:
                return [each.fate for each in self.steps[number + 1 :]] + [Fate.KEPT]
        return list(Fate) if band == ALL else []

    def way(self, fate: Fate) -> list[str]:
        """The bands that a box of a fate went through, from all anchors to its end."""
        bands = [ALL]
        for step in self.steps:
            if step.fate == fate:
                return [*bands, step.lost]
            bands.append(step.kept)
        return bands


def steps_of(order: str, score_threshold: float) -> tuple[Step, ...]:
    """The steps in the order in which the settings run them; no score threshold is no step."""
    filters = (TOO_SMALL, TOP_N) if order == "decode first" else (TOP_N, TOO_SMALL)
    return (*filters, *((LOW_SCORE,) if score_threshold > 0 else ()), NMS, CAP)


def final_fates(candidates: Candidates, proposals: Proposals) -> Tensor:
    """(N,) int8 what became of every anchor in the end; KEPT is a proposal; on the CPU."""
    fates, valid = candidates.fate.cpu().clone(), candidates.valid.cpu()
    fates[candidates.anchor_index.cpu()[valid]] = proposals.fate.cpu()[valid]
    return fates


def trace_flow(
    fates: Tensor, part: np.ndarray, names: tuple[str, ...], steps: tuple[Step, ...]
) -> Flow:
    """Count the boxes of each part at each step.

    Args:
        fates: (N,) from `final_fates`.
        part: (N,) int64, which of the parts each anchor belongs to.
        names: of the P parts.
        steps: from `steps_of`, of the same settings.

    Returns:
        The flow: what enters a step is what leaves there and what enters the next.
    """
    cells = fates.numpy().astype(np.int64) * len(names) + part
    counts = np.bincount(cells, minlength=len(Fate) * len(names)).reshape(len(Fate), -1)
    lost = counts[[step.fate for step in steps]]
    after = np.cumsum(lost[::-1], axis=0)[::-1] + counts[Fate.KEPT]
    return Flow(steps, names, lost, np.concatenate([after, counts[[Fate.KEPT]]]))


def best_of(chosen: np.ndarray, scores: Tensor, count: int) -> np.ndarray:
    """The best of some anchors by score.

    Args:
        chosen: (N,) bool.
        scores: (N,) on the CPU; NaN ranks first, as in `top_n`.
        count: at most so many.

    Returns:
        (K,) int64 anchor numbers, best first; of equal scores the lower number.
    """
    index = torch.from_numpy(np.flatnonzero(chosen))
    return index[top_n(scores[index], count)].numpy()


def boxes_of(
    index: np.ndarray, grid: Grid, anchors: AnchorSet, head: HeadOutput, codec: Codec
) -> np.ndarray:
    """(K,) anchor numbers to their (K, 4) boxes, decoded and clipped, whatever became of them."""
    where = torch.from_numpy(index).to(anchors.boxes.device)
    deltas = head.deltas[where]
    boxes = decode_boxes(anchors.boxes[where], deltas, codec.weights, codec.max_log_scale)
    return clip_boxes(boxes, grid.image_size).cpu().numpy()
