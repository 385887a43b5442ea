"""The two losses of an RPN, over the sampled anchors.

Source: torchvision's RegionProposalNetwork.compute_loss. Ren et al. 2015, eq. 1, divide the box
loss by the number of anchor locations; torchvision by the number of sampled anchors, as we do.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.core.boxes import check_box_list


def rpn_loss(
    logits: Tensor,
    deltas: Tensor,
    targets: Tensor,
    positive: Tensor,
    negative: Tensor,
    beta: float = 1 / 9,
) -> dict[str, Tensor]:
    """Objectness and box loss of one image, or of a batch whose anchors are concatenated.

    Args:
        logits: (N,) objectness logits of all anchors.
        deltas: (N, 4) predicted deltas of all anchors.
        targets: (P, 4) `encode_boxes` of the positive anchors alone, row i for `positive[i]`.
        positive: (P,) int64 indices of the sampled positives.
        negative: (Q,) int64 indices of the sampled negatives.
        beta: where smooth L1 turns from quadratic to linear, >= 0; 0 makes it L1.

    Returns:
        "rpn_cls": mean binary cross-entropy over the P + Q sampled anchors; "rpn_box": smooth L1
        summed over the positives' coordinates, divided by P + Q. Both are float32 scalars, always
        differentiable, and exactly 0, never NaN, where there is nothing to average.

    Raises:
        ValueError: if a shape does not fit, or `beta` is negative or NaN.
    """
    _check(logits, deltas, targets, positive, negative, beta)
    # Dividing sums by hand: a mean over no anchors would be NaN.
    sampled = max(1, len(positive) + len(negative))
    chosen = torch.cat([logits[positive], logits[negative]]).float()  # (P + Q,)
    truth = torch.zeros_like(chosen)
    truth[: len(positive)] = 1
    objectness = F.binary_cross_entropy_with_logits(chosen, truth, reduction="sum")
    box = F.smooth_l1_loss(deltas[positive].float(), targets.float(), beta=beta, reduction="sum")
    return {"rpn_cls": objectness / sampled, "rpn_box": box / sampled}


def _check(
    logits: Tensor, deltas: Tensor, targets: Tensor, positive: Tensor, negative: Tensor, beta: float
) -> None:
    for name, tensor in [("logits", logits), ("positive", positive), ("negative", negative)]:
        if tensor.ndim != 1:
            raise ValueError(f"{name} must have shape (N,), got {tuple(tensor.shape)}")
    check_box_list("deltas", deltas)
    check_box_list("targets", targets)
    if len(deltas) != len(logits):
        raise ValueError(f"deltas must have one row a logit, {len(logits)}, got {len(deltas)}")
    if len(targets) != len(positive):
        raise ValueError(
            f"targets must have one row a sampled positive, {len(positive)}, got {len(targets)}"
        )
    if not beta >= 0:
        raise ValueError(f"rpn_loss.beta must be >= 0, got {beta}")
