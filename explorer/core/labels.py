"""What matching made of each anchor, and what the positive ones must learn.

Source: Ren et al. 2015, section 3.1.2 and eq. 2 (https://arxiv.org/abs/1506.01497).

Shapes: N anchors, G objects, P positives.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import torch
from torch import Tensor

from explorer.core.coder import encode_boxes
from explorer.core.layout import AnchorSet
from explorer.core.matching import Matches


class Kind(IntEnum):
    """What matching made of an anchor, the many first."""

    NEGATIVE = 0
    IGNORED = 1
    POSITIVE = 2
    LOW_QUALITY = 3  # positive only as the best anchor of an object


def anchor_kinds(matches: Matches) -> np.ndarray:
    """What matching made of each anchor, as one number.

    Args:
        matches: of N anchors.

    Returns:
        (N,) int8, a `Kind`; empty for no anchors.
    """
    labels, low_quality = matches.labels.cpu().numpy(), matches.low_quality.cpu().numpy()
    by_label = np.array([Kind.NEGATIVE, Kind.POSITIVE, Kind.IGNORED], dtype=np.int8)
    kinds = by_label[labels]  # label -1 is the last
    kinds[low_quality] = Kind.LOW_QUALITY
    return kinds


def positive_anchors(matches: Matches, number: int = -1) -> np.ndarray:
    """The positive anchors, all or those of one object, best IoU first.

    Args:
        matches: of N anchors.
        number: of an object; -1 for all.

    Returns:
        (P,) int64 anchor numbers; of equal IoU the lower first.
    """
    chosen = matches.labels.cpu() == 1
    if number >= 0:
        chosen &= matches.matched.cpu() == number
    indices = chosen.nonzero()[:, 0]
    order = matches.best_iou.cpu()[indices].argsort(descending=True, stable=True)
    return indices[order].numpy()


def encode_targets(
    anchors: AnchorSet,
    ground_truth: Tensor,
    matches: Matches,
    positive: np.ndarray,
    weights: tuple[float, ...],
) -> np.ndarray:
    """What the box head should say at some positive anchors.

    Args:
        anchors: N anchors.
        ground_truth: (G, 4) boxes of the objects, xyxy, pixels.
        matches: of both.
        positive: (P,) anchor numbers.
        weights: of the box coder.

    Returns:
        (P, 4) float32 targets dx, dy, dw, dh; (0, 4) for no positives.
    """
    if len(positive) == 0:
        return np.zeros((0, 4), dtype=np.float32)
    index = torch.from_numpy(positive).to(anchors.boxes.device)
    targets = ground_truth[matches.matched[index]]
    return encode_boxes(anchors.boxes[index], targets, weights).cpu().numpy()
