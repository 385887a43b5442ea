"""The box coder: how four numbers say where an object lies relative to an anchor.

Source: Ren et al. 2015, eq. 2 (https://arxiv.org/abs/1506.01497); the weights and the upper clamp
follow torchvision's and detectron2's coders.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from explorer.core.boxes import check_boxes


def encode_boxes(
    anchors: Tensor, targets: Tensor, weights: Sequence[float] = (1, 1, 1, 1)
) -> Tensor:
    """Deltas that move each anchor onto its target; computed in float32, even under autocast.

    Args:
        anchors: (*, 4) boxes, xyxy, pixels, sides > 0.
        targets: (*, 4) boxes, one for each anchor, sides > 0 (a side of 0 gives -inf).
        weights: factors of (dx, dy, dw, dh), each > 0.

    Returns:
        (*, 4) float32 (dx, dy, dw, dh): shifts in units of the anchor's sides, and log-scales.
        (0, 4) for no anchors.

    Raises:
        ValueError: if a shape is not (*, 4), the two differ, or a weight is not above 0.
    """
    _check("targets", anchors, targets, weights)
    ax, ay, aw, ah = _centre_form(anchors)
    tx, ty, tw, th = _centre_form(targets)
    wx, wy, ww, wh = weights
    return torch.stack(
        [
            wx * (tx - ax) / aw,
            wy * (ty - ay) / ah,
            ww * torch.log(tw / aw),
            wh * torch.log(th / ah),
        ],
        dim=-1,
    )


def decode_boxes(
    anchors: Tensor,
    deltas: Tensor,
    weights: Sequence[float] = (1, 1, 1, 1),
    max_log_scale: float | None = 4.0,
) -> Tensor:
    """Boxes that the deltas make of the anchors, the inverse of `encode_boxes`.

    Computed in float32, even under autocast. Nothing is clipped to the picture.

    Args:
        anchors: (*, 4) boxes, xyxy, pixels.
        deltas: (*, 4) (dx, dy, dw, dh), one row for each anchor.
        weights: what `encode_boxes` multiplied by, each > 0.
        max_log_scale: upper clamp on dw and dh, >= 0, so that no side grows beyond e^4 = 54.6
            times its anchor; nothing bounds how far a side shrinks. None: no clamp.

    Returns:
        (*, 4) float32 boxes, xyxy, pixels; (0, 4) for no anchors.

    Raises:
        ValueError: if a shape is not (*, 4), the two differ, a weight is not above 0, or the clamp
            is negative or NaN.

    Source: the clamp is 4.0 in the course notebook, ln(1000 / 16) in torchvision and detectron2,
    absent in py-faster-rcnn.
    """
    _check("deltas", anchors, deltas, weights)
    if max_log_scale is not None and not max_log_scale >= 0:
        raise ValueError(f"decode_boxes.max_log_scale must be None or >= 0, got {max_log_scale}")
    ax, ay, aw, ah = _centre_form(anchors)
    dx, dy, dw, dh = (d / w for d, w in zip(deltas.float().unbind(-1), weights, strict=True))
    if max_log_scale is not None:
        dw, dh = dw.clamp(max=max_log_scale), dh.clamp(max=max_log_scale)
    x, y = dx * aw + ax, dy * ah + ay
    half_w, half_h = 0.5 * (torch.exp(dw) * aw), 0.5 * (torch.exp(dh) * ah)
    return torch.stack([x - half_w, y - half_h, x + half_w, y + half_h], dim=-1)


def _centre_form(boxes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    x1, y1, x2, y2 = boxes.float().unbind(-1)
    w, h = x2 - x1, y2 - y1
    return x1 + 0.5 * w, y1 + 0.5 * h, w, h


def _check(name: str, anchors: Tensor, other: Tensor, weights: Sequence[float]) -> None:
    check_boxes("anchors", anchors)
    check_boxes(name, other)
    if anchors.shape != other.shape:
        raise ValueError(
            f"{name} must have the anchors' shape {tuple(anchors.shape)}, got {tuple(other.shape)}"
        )
    if len(weights) != 4 or not all(w > 0 and math.isfinite(w) for w in weights):
        raise ValueError(f"weights must be four numbers above 0, got {tuple(weights)}")
