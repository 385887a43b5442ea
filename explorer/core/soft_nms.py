"""Soft NMS: a box that overlaps a better one sinks, and need not go.

Source: Bodla et al. 2017, "Soft-NMS: Improving Object Detection With One Line of Code", section 3.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.core.boxes import box_columns, row_iou
from explorer.core.nms import check_inputs, check_threshold
from explorer.core.sweep import float32_floor

METHODS = ("linear", "gaussian", "hard")


@dataclass(frozen=True, eq=False)
class Softened:
    """What soft NMS left."""

    keep: Tensor  # (K,) int64, in the order in which the loop took them: best remaining score first
    scores: Tensor  # (K,) float32, their scores after sinking


def soft_nms(
    boxes: Tensor,
    scores: Tensor,
    iou_threshold: float,
    sigma: float,
    score_threshold: float,
    method: str,
) -> Softened:
    """Take the best box, lower the scores of those that overlap it, and go on.

    Args:
        boxes: (N, 4) float32 boxes, xyxy, pixels.
        scores: (N,) scores, at least 0.
        iou_threshold: in [0, 1]. "linear" lowers scores above it by 1 - IoU, "hard" to 0 (the
            greedy NMS); "gaussian" does not read it.
        sigma: of "gaussian", which lowers every score by exp(-IoU² / sigma); above 0.
        score_threshold: a box is taken only while its score is above this; at least 0.
        method: "linear", "gaussian" or "hard".

    Returns:
        The boxes taken, with lowered scores; none for no boxes. Equal scores take the lower index
        first.

    Raises:
        ValueError: if a shape or a value is wrong.
    """
    check_inputs(boxes, scores)
    check_threshold(iou_threshold)
    if not sigma > 0:
        raise ValueError(f"soft_nms.sigma must be above 0, got {sigma}")
    if not score_threshold >= 0:
        raise ValueError(f"soft_nms.score_threshold must be at least 0, got {score_threshold}")
    if method not in METHODS:
        raise ValueError(f"soft_nms.method must be one of {', '.join(METHODS)}, got {method!r}")
    columns = box_columns(boxes.cpu())
    left = scores.detach().cpu().float().numpy().copy()
    iou, work = np.empty(len(left), np.float32), np.empty((6, len(left)), np.float32)
    limit = float32_floor(iou_threshold)
    keep, kept_scores = [], []
    while len(left):
        best = int(np.argmax(left))
        if not left[best] > score_threshold:
            break
        keep.append(best)
        kept_scores.append(left[best])
        row_iou(columns[:, best], columns, work, iou)
        left *= _decay(iou, limit, sigma, method)
        left[best] = -1  # taken: no factor in [0, 1] brings it above a threshold again
    kept = torch.tensor(keep, dtype=torch.int64)
    return Softened(kept, torch.tensor(np.array(kept_scores, np.float32)))


def _decay(iou: np.ndarray, limit: np.float32, sigma: float, method: str) -> np.ndarray:
    """(N,) factors in [0, 1] on the scores of the boxes that are left."""
    if method == "gaussian":
        return np.exp(-(iou * iou) / np.float32(sigma))
    lowered = np.float32(0) if method == "hard" else 1 - iou
    return np.where(iou > limit, lowered, np.float32(1))
