"""Planted scores: what a network would say that knows the objects, and mumbles.

They work with any anchors, so every later stage can be felt without training anything.

Shapes: N anchors, G objects.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from explorer.core.candidates import HeadOutput
from explorer.core.coder import encode_boxes
from explorer.core.matching import Closest, match_boxes

# The logit is 20 * (IoU - 0.5): scores of .00005 off all objects, .02 at IoU .3, .98 at IoU .7.
# So the two thresholds of matching become the two modes that a trained head shows.
SLOPE, MIDDLE = 20.0, 0.5
# Noise of deltas for each logit of noise: at 1, boxes tremble by 2% of their anchor's sides.
TREMBLE = 0.02


@torch.inference_mode()
def draw_noise(anchors: int, seed: int) -> tuple[Tensor, Tensor]:
    """Numbers of N(0, 1) for (N,) logits and (N, 4) deltas, the same for every device."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(shape, generator=generator) for shape in ((anchors,), (anchors, 4)))


@torch.inference_mode()
def full_deltas(
    anchors: Tensor,
    ground_truth: Tensor,
    weights: Sequence[float] = (1, 1, 1, 1),
    closest: Closest | None = None,
) -> Tensor:
    """What turns each anchor into the object that it overlaps most: a regression of 1.

    Args:
        anchors: (N, 4) boxes, xyxy, pixels.
        ground_truth: (G, 4) boxes of the objects, same convention; those of no size count as none.
        weights: the box coder's.
        closest: `find_closest` of the boxes, where it is known.

    Returns:
        (N, 4) float32 deltas, 0 for an anchor that touches no object.

    Raises:
        ValueError: if a shape is not (N, 4) or a weight is not above 0.
    """
    ground_truth = ground_truth.to(anchors.device)
    if not len(ground_truth):
        return torch.zeros_like(anchors, dtype=torch.float32)
    closest = closest or match_boxes(anchors, ground_truth, 1, 0, "none")
    deltas = encode_boxes(anchors, ground_truth.index_select(0, closest.matched), weights)
    return deltas.masked_fill_((closest.best_iou == 0)[:, None], 0)


@torch.inference_mode()
def plant_scores(
    anchors: Tensor,
    ground_truth: Tensor,
    noise: float,
    regression: float,
    seed: int,
    weights: Sequence[float] = (1, 1, 1, 1),
    closest: Closest | None = None,
    drawn: tuple[Tensor, Tensor] | None = None,
    full: Tensor | None = None,
) -> HeadOutput:
    """Derive logits and deltas of all anchors from the ground truth.

    Noise is drawn on the CPU, so that every device plants the same, and at any strength from the
    same numbers, so that moving it scales what is seen and shuffles nothing.

    Args:
        anchors: (N, 4) boxes, xyxy, pixels.
        ground_truth: (G, 4) boxes of the objects, same convention; those of no size count as none.
        noise: standard deviation of the noise on the logits, finite, >= 0.
        regression: how far the deltas go from the anchor, 0, to the object, 1.
        seed: all noise comes from it.
        weights: the box coder's, by which decoding will divide.
        closest: `find_closest` of the boxes, where it is known.
        drawn: `draw_noise` of N and the seed, where it is known.
        full: `full_deltas` of the boxes and the weights, where it is known.

    Returns:
        Logits, scores and deltas on the anchors' device. An anchor that touches no object, as all
        do where G is 0, has the logit -10 and the deltas 0, but for the noise.

    Raises:
        ValueError: if a shape is not (N, 4) or a number is out of its range.
    """
    if not (noise >= 0 and math.isfinite(noise)):
        raise ValueError(f"planted.noise must be finite and >= 0, got {noise}")
    if not 0 <= regression <= 1:
        raise ValueError(f"planted.regression must be in [0, 1], got {regression}")
    ground_truth = ground_truth.to(anchors.device)
    closest = closest or match_boxes(anchors, ground_truth, 1, 0, "none")
    if full is None:
        full = full_deltas(anchors, ground_truth, weights, closest)
    drawn = drawn or draw_noise(len(anchors), seed)
    logits, deltas = ((part * noise).to(anchors.device) for part in drawn)
    logits += SLOPE * (closest.best_iou - MIDDLE)
    deltas *= TREMBLE * torch.tensor(weights, dtype=torch.float32).to(anchors.device)
    deltas += regression * full
    return HeadOutput(logits, logits.sigmoid(), deltas)
