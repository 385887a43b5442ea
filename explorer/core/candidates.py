"""From head outputs to the candidates of NMS, in either order of steps.

    decode first:  decode -> clip -> drop small -> top-n     (course notebook, py-faster-rcnn)
    top-n first:   top-n -> decode -> clip -> drop small     (torchvision, detectron2)

Each anchor that does not get through keeps the reason. Shapes are fixed until the last line: an
accelerator runs all of it without waiting for the host, and `valid` tells what got through.

Shapes: N anchors, K candidates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import torch
from torch import Tensor

from explorer.core.coder import decode_boxes
from explorer.core.filtering import best_n, clip_boxes, large_boxes, top_n
from explorer.core.images import Picture
from explorer.core.layout import AnchorSet, Grid, Unlaid
from explorer.core.nms import rank
from explorer.settings import Codec, Filter


class Fate(IntEnum):
    """What became of an anchor, a candidate or a survivor."""

    KEPT = 0
    BELOW_TOP_N = 1
    TOO_SMALL = 2
    SUPPRESSED = 3
    OVER_CAP = 4
    LOW_SCORE = 5


@dataclass(frozen=True, eq=False)
class HeadOutput:
    """What the network says of every anchor."""

    logits: Tensor  # (N,) objectness before the sigmoid
    scores: Tensor  # (N,) objectness after it, in [0, 1]
    deltas: Tensor  # (N, 4) dx, dy, dw, dh


@dataclass(frozen=True, eq=False)
class Candidates:
    """The boxes that reach NMS, best first as NMS ranks them."""

    boxes: Tensor  # (K, 4) decoded and clipped, xyxy, pixels
    scores: Tensor  # (K,)
    logits: Tensor  # (K,)
    deltas: Tensor  # (K, 4)
    anchor_index: Tensor  # (K,) int64
    level: Tensor  # (K,) int64
    valid: Tensor  # (K,) bool, False for a filler of the fixed shape (never on a CPU)
    fate: Tensor  # (N,) int8, a `Fate` for every anchor; KEPT is a candidate


def decode_all(
    lay: Callable[[], AnchorSet], head: HeadOutput, codec: Codec, order: str
) -> Tensor | None:
    """(N, 4) boxes of all anchors, unclipped; None where the order takes the top-n first.

    `lay` gives the anchors, where they are wanted.
    """
    if order == "top-n first":
        return None
    return decode_boxes(lay().boxes, head.deltas, codec.weights, codec.max_log_scale)


def select_candidates(
    picture: Picture,
    grid: Grid,
    anchors: AnchorSet | Unlaid,
    head: HeadOutput,
    decoded: Tensor | None,
    codec: Codec,
    rules: Filter,
) -> Candidates:
    """Clip, drop small boxes and take the top-n, in the order that `rules` name.

    Args:
        picture: its size clips, its scale converts the minimum size.
        grid: where each level starts.
        anchors: N anchors, or how to lay them.
        head: N logits, scores and deltas.
        decoded: (N, 4) boxes from `decode_all`; None for "top-n first".
        codec: how deltas decode.
        rules: order, top-n and minimum size.

    Returns:
        The candidates; none where every box is too small.
    """
    ranked_by = getattr(head, rules.top_n_by)
    fate = torch.full_like(head.logits, Fate.BELOW_TOP_N, dtype=torch.int8)
    if decoded is None:
        index = _best_of_levels(ranked_by, grid, rules)
        deltas = head.deltas.index_select(0, index)
        boxes = decode_boxes(anchors.at(index), deltas, codec.weights, codec.max_log_scale)
        boxes = clip_boxes(boxes, grid.image_size)
        small = ~_large(boxes, picture, rules)
    else:
        clipped = clip_boxes(decoded, grid.image_size)
        all_small = ~_large(clipped, picture, rules)
        index = _best_of_levels(ranked_by.masked_fill(all_small, -torch.inf), grid, rules)
        deltas = head.deltas.index_select(0, index)
        boxes, small = clipped.index_select(0, index), all_small.index_select(0, index)
        fate.masked_fill_(all_small, Fate.TOO_SMALL)
    taken = torch.full_like(index, Fate.KEPT, dtype=torch.int8)
    fate.scatter_(0, index, taken.masked_fill_(small, Fate.TOO_SMALL))

    valid, may_wait = ~small, _may_wait(index)
    if may_wait and not valid.all():  # a compact result costs no wait here
        index, boxes, deltas, valid = (part[valid] for part in (index, boxes, deltas, valid))
    scores, logits = head.scores.index_select(0, index), head.logits.index_select(0, index)
    # Best first; equal scores by anchor number, which is how they stand; fillers last.
    ranked_by = scores if rules.nms_by == "scores" else logits
    if not may_wait:
        ranked_by = ranked_by.masked_fill(~valid, -torch.inf)
    order = rank(ranked_by)
    parts = (boxes, scores, logits, deltas, index, grid.level_of(index), valid)
    return Candidates(*(part.index_select(0, order) for part in parts), fate=fate)


def best_unfiltered(
    picture: Picture, anchors: AnchorSet, head: HeadOutput, codec: Codec, count: int = 1000
) -> tuple[Tensor, Tensor]:
    """The notebook's own figure: the best by score over all anchors, decoded, clamped to the image.

    Returns:
        (K, 4) boxes and their (K,) anchor numbers, best first, K = min(count, N).
    """
    index = top_n(head.scores, count)
    deltas = head.deltas[index]
    boxes = decode_boxes(anchors.at(index), deltas, codec.weights, codec.max_log_scale)
    return clip_boxes(boxes, picture.image_size), index


def _may_wait(tensor: Tensor) -> bool:
    return tensor.device.type == "cpu"


def _best_of_levels(ranked_by: Tensor, grid: Grid, rules: Filter) -> Tensor:
    """(K,) anchors that the top-n takes, ascending."""
    if not rules.top_n_by_level:
        return best_n(ranked_by, rules.pre_nms)
    levels = zip(ranked_by.split(grid.counts), grid.starts, strict=False)
    return torch.cat([best_n(level, rules.pre_nms) + start for level, start in levels])


def _large(boxes: Tensor, picture: Picture, rules: Filter) -> Tensor:
    if rules.min_size_at == "photo":
        scale_x, scale_y = picture.scale
        sides = torch.stack([boxes[:, 0::2] / scale_x, boxes[:, 1::2] / scale_y], dim=2)
        boxes = sides.flatten(1)  # (N, 4) in pixels of the photo
    return large_boxes(boxes, rules.min_size, rules.keep_equal)
