"""What the pages say of each score source: no picture leaves it open where its scores come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """One score source in words."""

    badge: str  # beside each picture
    seeded: bool  # whether the seed counts
    story: str  # what its boxes mean, for the Overview
    scores: str  # what to try on Scores


_SPIKE = (
    "switch the axis to 0 to 1. Random weights say about 0.5 of everything; what is left are small "
    "bumps, one for each ratio."
)
_MODES = (
    "split by match and switch on log counts: background sits near 0, anchors that an object "
    "claims reach up. Then switch the source to random, where both are one spike."
)

SOURCES = {
    "random": Source(
        "random weights, this photo",
        True,
        "These weights are **random**: no training made them look at objects, so the boxes are "
        "noise with the shape of the anchors. That is what an untrained RPN proposes.",
        _SPIKE,
    ),
    "noise": Source(
        "random weights, random features",
        True,
        "Features and weights are **random**, as in the notebook's smoke test: the photo is only a "
        "background, and the boxes are where chance put them.",
        _SPIKE,
    ),
    "planted": Source(
        "planted on the ground truth",
        True,
        "These scores are **planted**: computed from the objects that were drawn by hand, plus "
        "noise. They show what the later steps do when a network is as good as you set it.",
        _MODES,
    ),
    "learned": Source(
        "learned by this project",
        False,
        "These scores are **learned**: a small network that this project trained on other "
        "pictures. It has never seen this one, and it knows no classes, only *object* or *not*.",
        _MODES,
    ),
    "coco": Source(
        "learned on COCO",
        False,
        "These scores are **learned on COCO**: torchvision's Faster R-CNN weights, which the "
        "operator of this server named. They expect torchvision's anchors: pick its preset.",
        _MODES,
    ),
}
