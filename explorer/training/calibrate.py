"""Make a score say how likely its box is right.

The targets rank boxes, but their sharp fall-off leaves every score low. After training the logits
are scaled and shifted, which no ranking notices, until a score is the chance that the anchor's
decoded box overlaps an object by half at least.

Source: Platt 1999, by Newton's method.
"""

import numpy as np
import torch
from torch import Tensor

from explorer.core.anchor_generator import AnchorGenerator
from explorer.core.boxes import box_iou
from explorer.core.coder import decode_boxes
from explorer.core.images import MEAN, STD
from explorer.core.learned import LearnedNetwork
from explorer.training.dataset import Dataset
from explorer.training.loop import flatten

RIGHT = 0.5  # IoU
PICTURES, SIDE = 60, 384


def fit_logistic(logits: Tensor, right: Tensor, rounds: int = 30) -> tuple[float, float]:
    """The scale and shift under which sigmoid(scale * logit + shift) fits the labels best.

    Args:
        logits: (N,).
        right: (N,) bool, of both kinds.
        rounds: of Newton's method.

    Returns:
        Scale and shift.

    Raises:
        ValueError: if all labels are alike, or better logits are not more often right.
    """
    if bool(right.all()) or not bool(right.any()):
        raise ValueError("labels must be of both kinds to calibrate scores, got one")
    x = torch.stack([logits.double(), torch.ones(len(logits), dtype=torch.float64)], dim=1)
    y = right.double()
    weights = torch.tensor([1.0, 0.0], dtype=torch.float64)
    for _ in range(rounds):
        score = (x @ weights).sigmoid()
        slope = x.T @ (score - y)
        bend = (x * (score * (1 - score))[:, None]).T @ x + 1e-6 * torch.eye(2).double()
        step = torch.linalg.solve(bend, slope)
        weights -= step * min(1.0, 2.0 / float(step.abs().max().clamp(min=1e-12)))
    scale, shift = weights.tolist()
    if scale <= 0:
        raise ValueError(f"better logits must be right more often, got a scale of {scale:.3f}")
    return scale, shift


@torch.no_grad()
def calibrate(network: LearnedNetwork, dataset: Dataset, seed: int) -> tuple[float, float]:
    """Fold into the head's last layer what makes its scores chances.

    Args:
        network: changed in place.
        dataset: of the training pictures.
        seed: of the pictures drawn.

    Returns:
        The scale and shift of the logits.
    """
    all_logits, all_right = [], []
    for number in range(PICTURES):
        rng = np.random.default_rng((seed, 1, number))
        pixels, (objects,) = dataset.batch(1, SIDE, rng)
        image = (pixels / 255 - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(
            1, 3, 1, 1
        )
        outputs = network(image)
        logits, deltas = flatten(*outputs)
        anchors = AnchorGenerator()(outputs[0], (SIDE, SIDE))
        right = torch.zeros(len(anchors), dtype=torch.bool)
        if len(objects):
            right = (box_iou(objects, decode_boxes(anchors, deltas[0])) >= RIGHT).any(dim=0)
        all_logits.append(logits[0])
        all_right.append(right)
    scale, shift = fit_logistic(torch.cat(all_logits), torch.cat(all_right))
    network.head.cls.weight.mul_(scale)
    network.head.cls.bias.mul_(scale).add_(shift)
    return scale, shift
