"""How many objects the proposals find: recall as COCO defines it.

Proposals are taken best first. Each claims, among the objects that are still free, the one that it
overlaps most, if by the threshold at least; so a proposal finds one object at most, and what an
object's first k proposals find does not depend on the others. One pass thus gives the recall for
every number of proposals.

Source: Lin et al. 2014 (COCO) and its evaluation code; checked against pycocotools in the tests.

Shapes: N proposals, G objects, T thresholds.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

COCO_THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
MISSED = -1
# COCO's areas in pixels of the picture; both ends belong to the range, as in its code
SIZES = {"small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, float("inf"))}


def find_hits(
    proposals: Tensor, truths: Tensor, thresholds: Sequence[float] = COCO_THRESHOLDS
) -> Tensor:
    """The rank of the proposal that finds each object.

    Args:
        proposals: (N, 4) boxes, xyxy, pixels, best first.
        truths: (G, 4) boxes of the objects, same convention.
        thresholds: IoUs from which on an object counts as found, each in (0, 1].

    Returns:
        (T, G) int64 ranks from 0; -1 where no proposal finds the object.

    Raises:
        ValueError: if a shape or a threshold is wrong.
    """
    for name, boxes in (("proposals", proposals), ("truths", truths)):
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ValueError(f"evaluation.{name} must be (N, 4), got {tuple(boxes.shape)}")
    for threshold in thresholds:
        if not 0 < threshold <= 1:
            raise ValueError(f"evaluation.iou_threshold must be in (0, 1], got {threshold}")
    iou = pair_iou(proposals, truths)
    # below 1 by a hair, since rounding can leave identical boxes just short of 1: COCO's own rule
    found = [_claim(iou, min(threshold, 1 - 1e-10)) for threshold in thresholds]
    return torch.tensor(found, dtype=torch.int64).reshape(len(thresholds), len(truths))


def pair_iou(proposals: Tensor, truths: Tensor) -> np.ndarray:
    """(N, G) IoU in float64, as COCO computes it; 0 where it is not defined."""
    x1, y1, x2, y2 = proposals.detach().cpu().double().numpy().T[:, :, None]  # (N, 1) each
    u1, v1, u2, v2 = truths.detach().cpu().double().numpy().T[:, None]  # (1, G) each
    width = np.minimum(x2, u2) - np.maximum(x1, u1)
    height = np.minimum(y2, v2) - np.maximum(y1, v1)
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    union = (x2 - x1) * (y2 - y1) + (u2 - u1) * (v2 - v1) - shared
    # `where` leaves out NaN boxes too: nothing they are compared with is true
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _claim(iou: np.ndarray, threshold: float) -> list[int]:
    """The rank that claims each of the G objects.

    Only the first proposal over an object that is still free can claim it, so it is enough to
    walk from one such proposal to the next.
    """
    over = np.ascontiguousarray((iou >= threshold).T)  # (G, N)
    claimed = [MISSED] * len(over)
    if over.size == 0:
        return claimed
    some, first = over.any(axis=1).tolist(), over.argmax(axis=1).tolist()
    waiting = {g: first[g] for g in range(len(over)) if some[g]}
    while waiting:
        rank = min(waiting.values())
        rivals = [g for g, next_rank in waiting.items() if next_rank == rank]
        # the later of equals: COCO's code moves on while the IoU is not smaller
        winner = rivals[0] if len(rivals) == 1 else max(rivals, key=lambda g: (iou[rank, g], g))
        claimed[winner] = rank
        del waiting[winner]
        for loser in rivals:
            if loser != winner:
                ahead = over[loser, rank + 1 :]
                step = int(ahead.argmax()) if len(ahead) else 0
                if len(ahead) and ahead[step]:
                    waiting[loser] = rank + 1 + step
                else:
                    del waiting[loser]
    return claimed


def recall_at(hits: Tensor, counts: Sequence[int]) -> Tensor:
    """The share of the objects that the first k proposals find.

    Args:
        hits: (T, G) of `find_hits`; of several pictures, joined along the objects.
        counts: numbers of proposals, k.

    Returns:
        (T, len(counts)) in [0, 1]; NaN where there is no object.
    """
    limits = torch.tensor(list(counts), dtype=torch.int64)
    found = (hits[:, None] != MISSED) & (hits[:, None] < limits[:, None])  # (T, counts, G)
    return found.double().mean(dim=2)


def average_recall(hits: Tensor, counts: Sequence[int] = (10, 100, 1000)) -> Tensor:
    """COCO's AR: recall averaged over IoUs .5 to .95.

    Args:
        hits: (10, G) of `find_hits` at `COCO_THRESHOLDS`; pictures joined along the objects.
        counts: numbers of proposals.

    Returns:
        (len(counts),) in [0, 1]; NaN where there is no object.
    """
    return recall_at(hits, counts).mean(dim=0)


def find_hits_by_size(
    proposals: Tensor, truths: Tensor, thresholds: Sequence[float] = COCO_THRESHOLDS
) -> dict[str, Tensor]:
    """`find_hits` among the small, the medium and the large objects, each by themselves.

    Args:
        proposals: (N, 4) boxes, xyxy, pixels, best first.
        truths: (G, 4) boxes of the objects.
        thresholds: IoUs.

    Returns:
        (T, G') ranks for each of `SIZES`. An object of exactly 32 x 32 is small and medium, as in
        COCO, and a proposal that finds a large object may find a small one too.
    """
    area = (truths[:, 2:] - truths[:, :2]).double().prod(dim=1)
    return {
        name: find_hits(proposals, truths[(area >= least) & (area <= most)], thresholds)
        for name, (least, most) in SIZES.items()
    }


def bootstrap_interval(
    found: Tensor, objects: Tensor, generator: torch.Generator, draws: int = 2000
) -> tuple[float, float]:
    """The 95% range of a recall pooled over pictures, by drawing pictures with replacement.

    Args:
        found: (P,) objects found in each picture.
        objects: (P,) objects in each picture.
        generator: all chance.
        draws: how many times to draw P pictures.

    Returns:
        The 2.5% and 97.5% quantiles; NaN twice where there is no object.
    """
    if len(objects) == 0 or not bool(objects.sum() > 0):
        return float("nan"), float("nan")
    picks = torch.randint(len(objects), (draws, len(objects)), generator=generator)
    totals = objects.double()[picks].sum(dim=1)
    recalls = (found.double()[picks].sum(dim=1) / totals)[totals > 0]
    low, high = torch.quantile(recalls, torch.tensor([0.025, 0.975], dtype=torch.float64))
    return float(low), float(high)
