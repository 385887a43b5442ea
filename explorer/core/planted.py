"""Planted scores: being written."""

from explorer.core.candidates import HeadOutput


def plant_scores(anchors, ground_truth, noise: float, regression: float, seed: int) -> HeadOutput:
    """Score anchors by the ground truth."""
    raise NotImplementedError
