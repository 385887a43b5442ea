"""Soft NMS: a box that overlaps a better one sinks, and need not go.

Source: Bodla et al. 2017, "Soft-NMS: Improving Object Detection With One Line of Code", section 3.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.core.boxes import box_columns, row_iou
from explorer.core.columns import float32_floor
from explorer.core.nms import check_inputs, check_threshold

METHODS = ("linear", "gaussian", "hard")


@dataclass(frozen=True, eq=False)
class Softened:
    """What soft NMS left."""

    keep: Tensor  # (K,) int64, in the order in which the loop took them: best remaining score first
    scores: Tensor  # (K,) float32, their scores after sinking


@np.errstate(over="ignore")  # unions past 3.4e38 give IoU 0, and so do tiny sigmas a factor
def soft_nms(
    boxes: Tensor,
    scores: Tensor,
    iou_threshold: float,
    sigma: float,
    score_threshold: float,
    method: str,
    groups: Tensor | None = None,
    most: int | None = None,
) -> Softened:
    """Take the best box, lower the scores of those that overlap it, and go on.

    Args:
        boxes: (N, 4) float32 boxes, xyxy, pixels.
        scores: (N,) scores, finite, at least 0.
        iou_threshold: in [0, 1]. "linear" lowers scores above it by 1 - IoU, "hard" to 0 (the
            greedy NMS); "gaussian" does not read it.
        sigma: of "gaussian", which lowers every score by exp(-IoU² / sigma); above 0.
        score_threshold: a box is taken only while its score is above this; at least 0.
        method: "linear", "gaussian" or "hard".
        groups: (N,) integers; boxes of different groups never meet. None: all are one group.
        most: stop after so many boxes, which are those that the whole loop takes first. None: all.

    Returns:
        The boxes taken, with lowered scores, on the device of `boxes`; none for no boxes. Equal
        scores take the lower index first.

    Raises:
        ValueError: if a shape or a value is wrong.
    """
    _check_values(iou_threshold, sigma, score_threshold, method)
    left = _checked_scores(boxes, scores, groups)
    kinds = None if groups is None else groups.cpu().numpy()
    columns = box_columns(boxes.cpu())
    iou, work = np.empty(len(left), np.float32), np.empty((6, len(left)), np.float32)
    limit = float32_floor(iou_threshold)
    stop = len(left) if most is None else min(most, len(left))
    keep, kept_scores = [], []
    while len(keep) < stop:
        best = int(np.argmax(left))
        if not left[best] > score_threshold:
            break
        keep.append(best)
        kept_scores.append(left[best])
        row_iou(columns[:, best], columns, work, iou)
        if kinds is not None:
            iou[kinds != kinds[best]] = 0
        left *= _decay(iou, limit, sigma, method)
        left[best] = -1  # taken: no factor in [0, 1] brings it above a threshold again
    kept = torch.tensor(keep, dtype=torch.int64, device=boxes.device)
    return Softened(kept, torch.tensor(kept_scores, dtype=torch.float32, device=boxes.device))


def _check_values(iou_threshold: float, sigma: float, score_threshold: float, method: str) -> None:
    check_threshold(iou_threshold)
    if not sigma > 0:
        raise ValueError(f"soft_nms.sigma must be above 0, got {sigma}")
    if not score_threshold >= 0:
        raise ValueError(f"soft_nms.score_threshold must be at least 0, got {score_threshold}")
    if method not in METHODS:
        raise ValueError(f"soft_nms.method must be one of {', '.join(METHODS)}, got {method!r}")


def _checked_scores(boxes: Tensor, scores: Tensor, groups: Tensor | None) -> np.ndarray:
    """A copy of the scores to sink; NaN and infinity would not sink, and hide all others."""
    check_inputs(boxes, scores, groups)
    copy = scores.detach().cpu().float().numpy().copy()
    bad = np.flatnonzero(~((copy >= 0) & (copy < np.inf)))
    if len(bad):
        raise ValueError(f"soft_nms.scores must be finite and at least 0, got {copy[bad[0]]}")
    return copy


def _decay(iou: np.ndarray, limit: np.float32, sigma: float, method: str) -> np.ndarray:
    """(N,) factors in [0, 1] on the scores of the boxes that are left."""
    if method == "gaussian":
        return np.exp(-np.square(iou, dtype=np.float64) / sigma)  # a float32 sigma of 1e-50 is 0
    lowered = np.float32(0) if method == "hard" else 1 - iou
    return np.where(iou > limit, lowered, np.float32(1))
