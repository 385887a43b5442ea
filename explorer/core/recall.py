"""Proposals beside the ground truth: which of them find an object, and what anchors alone can do.

Recall for a number of proposals, and AR, come from `evaluation.py`; this file tells the hits apart,
and `misses.py` says why an object was not found.

Shapes: P proposals, G objects, N anchors.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor

from explorer.core import evaluation
from explorer.core.evaluation import MISSED, pair_iou


class Kind(IntEnum):
    """What a proposal is worth."""

    HIT = 0  # the first to find its object
    DUPLICATE = 1  # reaches only objects that better proposals have found
    MISS = 2  # reaches no object


@dataclass(frozen=True, eq=False)
class Hits:
    """Proposals and objects, matched by COCO's rule at one IoU threshold; all on the CPU."""

    iou_threshold: float
    kind: Tensor  # (P,) int8, a `Kind`
    object: Tensor  # (P,) int64, the object found or, for a duplicate, overlapped most; -1: a miss
    iou: Tensor  # (P,) float64, with that object; for a miss the best with any
    found_by: Tensor  # (G,) int64, the rank of the proposal that finds the object; -1: missed
    best_iou: Tensor  # (G,) float64, the best that any proposal has with the object


def find_hits(proposals: Tensor, ground_truth: Tensor, iou_threshold: float) -> Hits:
    """Tell hits, duplicates and misses apart.

    Args:
        proposals: (P, 4) boxes, xyxy, pixels, best first.
        ground_truth: (G, 4) boxes of the objects, same convention.
        iou_threshold: an object counts as found from this IoU on, in (0, 1].

    Returns:
        The hits. Without objects every proposal is a miss; without proposals every object is
        missed.

    Raises:
        ValueError: if a shape or the threshold is wrong.

    Source: COCO's greedy rule, as `evaluation.find_hits` has it.
    """
    (found_by,) = evaluation.find_hits(proposals, ground_truth, [iou_threshold])
    iou = pair_iou(proposals, ground_truth)  # (P, G)
    best = iou.max(axis=1, initial=0)
    # A proposal that reaches an object and finds none came too late for all that it reaches.
    reaches = best >= reach_of(iou_threshold)
    kind = np.where(reaches, Kind.DUPLICATE, Kind.MISS).astype(np.int8)
    matched = np.full(len(iou), MISSED)
    if iou.size:
        matched[reaches] = iou.argmax(axis=1)[reaches]
    found = np.flatnonzero(found_by.numpy() != MISSED)
    finders = found_by.numpy()[found]
    kind[finders], matched[finders], best[finders] = Kind.HIT, found, iou[finders, found]
    best_of_object = iou.max(axis=0, initial=0)
    arrays = map(torch.from_numpy, (kind, matched, best))
    return Hits(iou_threshold, *arrays, found_by, torch.from_numpy(best_of_object))


def reach_of(iou_threshold: float) -> float:
    """The least float64 IoU that counts, below 1 by a hair, as in `evaluation.find_hits`."""
    return min(iou_threshold, 1 - 1e-10)
