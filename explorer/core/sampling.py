"""The draw of anchors that one training step looks at."""

import torch
from torch import Tensor


def sample_anchors(
    labels: Tensor, batch_size: int, positive_fraction: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Draw a bounded share of positives, and fill up with negatives.

    Args:
        labels: (N,) 1 positive, 0 negative, -1 ignored.
        batch_size: anchors to draw, >= 0.
        positive_fraction: the largest share of positives, in [0, 1]; the count is rounded down.
        generator: the seeded source of randomness; it may live on another device than `labels`.

    Returns:
        The drawn positives' and the drawn negatives' indices, both int64 and ascending. Fewer than
        `batch_size` in all where the negatives run out; both empty for no anchors.

    Raises:
        ValueError: if `labels` is not (N,), or a number is out of its range.

    Source: 256 anchors, at most half positive, Ren et al. 2015, section 3.1.3; the rounding and
    the filling up as torchvision's BalancedPositiveNegativeSampler.
    """
    if labels.ndim != 1:
        raise ValueError(f"labels must have shape (N,), got {tuple(labels.shape)}")
    if batch_size < 0:
        raise ValueError(f"sample_anchors.batch_size must be >= 0, got {batch_size}")
    if not 0 <= positive_fraction <= 1:
        raise ValueError(
            f"sample_anchors.positive_fraction must be in [0, 1], got {positive_fraction}"
        )
    positives = _draw(labels == 1, int(batch_size * positive_fraction), generator)
    negatives = _draw(labels == 0, batch_size - len(positives), generator)
    return positives, negatives


def _draw(mask: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """At most n indices of the mask's true entries, each set equally likely, ascending."""
    indices = mask.nonzero().flatten()
    shuffled = torch.randperm(len(indices), generator=generator, device=generator.device)
    return indices[shuffled[:n].sort().values.to(indices.device)]
