"""The life of one box: from its anchor through the decoding to the step that kept or dropped it.

Any anchor may be asked, also one whose box never became a candidate. `endings.py` tells the end
in words.

Shapes: N anchors, K candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.core.arithmetic import Arithmetic, Four, decode_one
from explorer.core.boxes import box_iou
from explorer.core.candidates import Candidates, Fate, HeadOutput
from explorer.core.images import Picture
from explorer.core.layout import AnchorSet, Grid
from explorer.core.proposals import Proposals
from explorer.settings import Codec, Filter


@dataclass(frozen=True)
class Place:
    """Where something stands among others, best first."""

    rank: int  # from 0
    of: int


@dataclass(frozen=True)
class Winner:
    """The kept box that suppressed another."""

    anchor_index: int
    candidate: int  # its rank among the candidates
    score: float
    box: Four  # xyxy, pixels
    iou: float  # with the box that it suppressed


@dataclass(frozen=True)
class Biography:
    """What became of one anchor, and every number on the way."""

    anchor_index: int
    level: int
    row: int
    column: int
    shape: int  # number within the cell
    arithmetic: Arithmetic
    box: Four  # decoded and clipped, xyxy, pixels
    logit: float
    score: float
    in_level: Place  # by score among the level's anchors
    in_all: Place  # by score among all anchors
    in_top_n: Place | None  # where the top-n counted; None: it was dropped before
    in_candidates: Place | None  # as NMS ranks them; None: it was dropped before
    in_survivors: Place | None  # after NMS, before the cap; None: it was dropped before
    fate: Fate
    shorter_side: float  # as the minimum size counts it, in pixels of the input or of the photo
    winner: Winner | None  # for a suppressed box


def trace_box(
    anchor_index: int,
    picture: Picture,
    grid: Grid,
    anchors: AnchorSet,
    head: HeadOutput,
    candidates: Candidates,
    proposals: Proposals,
    codec: Codec,
    rules: Filter,
) -> Biography:
    """Follow one anchor through the chain.

    Args:
        anchor_index: its number, in [0, N).
        picture: its scale converts the minimum size.
        grid: where each level starts; its picture's size clips.
        anchors: (N, 4) anchors.
        head: N logits, scores and deltas.
        candidates: what `select_candidates` made of them under `codec` and `rules`.
        proposals: what `propose` made of those.
        codec: how deltas decode.
        rules: order, top-n and minimum size.

    Raises:
        ValueError: if there is no such anchor.
    """
    total = grid.starts[-1]
    if not 0 <= anchor_index < total:
        raise ValueError(f"anchor_index must be in [0, {total - 1:,}], got {anchor_index:,}")
    arithmetic = decode_one(
        anchors.boxes[anchor_index],
        head.deltas[anchor_index],
        codec.weights,
        codec.max_log_scale,
        grid.image_size,
    )
    cell = {name: int(number) for name, number in grid.place_of(np.array(anchor_index)).items()}
    start, end = grid.starts[cell["level"] : cell["level"] + 2]
    span = (start, end) if rules.top_n_by_level else (0, total)
    ranked_by, fate = getattr(head, rules.top_n_by), Fate(int(candidates.fate[anchor_index]))
    candidate, in_candidates, in_survivors, winner = None, None, None, None
    if fate == Fate.KEPT:
        found = (candidates.anchor_index == anchor_index) & candidates.valid
        candidate = int(found.nonzero()[0])
        in_candidates = Place(candidate, int(candidates.valid.sum()))
        fate = Fate(int(proposals.fate[candidate]))
    if fate in {Fate.KEPT, Fate.OVER_CAP}:
        before = proposals.fate[:candidate]
        ahead = int(((before == Fate.KEPT) | (before == Fate.OVER_CAP)).sum())
        in_survivors = Place(ahead, proposals.survivors)
    if fate == Fate.SUPPRESSED:
        winner = _winner(candidate, candidates, proposals)
    box = arithmetic.clipped if candidate is None else tuple(candidates.boxes[candidate].tolist())
    return Biography(
        anchor_index=anchor_index,
        **cell,
        arithmetic=arithmetic,
        box=box,
        logit=float(head.logits[anchor_index]),
        score=float(head.scores[anchor_index]),
        in_level=place_among(ranked_by[start:end], anchor_index - start),
        in_all=place_among(ranked_by, anchor_index),
        in_top_n=_place_in_top_n(anchor_index, ranked_by, candidates.fate, rules, span),
        in_candidates=in_candidates,
        in_survivors=in_survivors,
        fate=fate,
        shorter_side=_shorter_side(box, picture, rules),
        winner=winner,
    )


def place_among(ranked_by: Tensor, index: int) -> Place:
    """Where one score stands among all, as `top_n` orders them: NaN first, equals by index.

    Args:
        ranked_by: (N,) scores or logits.
        index: which of them.

    Returns:
        How many stand before it, and N.
    """
    value = ranked_by[index]
    is_nan = ranked_by.isnan()
    if bool(value.isnan()):
        ahead = is_nan[:index].sum()
    else:
        ahead = (is_nan | (ranked_by > value)).sum() + (ranked_by[:index] == value).sum()
    return Place(int(ahead), len(ranked_by))


def _place_in_top_n(
    anchor_index: int, ranked_by: Tensor, fates: Tensor, rules: Filter, span: tuple[int, int]
) -> Place | None:
    """Among those of `span`, first and last anchor, that were still there."""
    if rules.order == "top-n first":
        there = torch.ones_like(fates, dtype=torch.bool)
    else:
        there = fates != Fate.TOO_SMALL
    if not bool(there[anchor_index]):
        return None
    start, end = span
    there, ranked_by = there[start:end], ranked_by[start:end]
    return place_among(ranked_by[there], int(there[: anchor_index - start].sum()))


def _winner(candidate: int, candidates: Candidates, proposals: Proposals) -> Winner:
    by = int(proposals.suppressed_by[candidate])
    two = candidates.boxes[[candidate, by]]
    return Winner(
        anchor_index=int(candidates.anchor_index[by]),
        candidate=by,
        score=float(candidates.scores[by]),
        box=tuple(two[1].tolist()),
        iou=box_iou(two[:1], two[1:]).item(),
    )


def _shorter_side(box: Four, picture: Picture, rules: Filter) -> float:
    """In float32, as `large_boxes` compares it."""
    x1, y1, x2, y2 = torch.tensor(box)
    scale_x, scale_y = picture.scale if rules.min_size_at == "photo" else (1, 1)
    return float(torch.minimum(x2 / scale_x - x1 / scale_x, y2 / scale_y - y1 / scale_y))
