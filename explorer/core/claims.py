"""Who claims each object: its positive anchors, level by level, or why no anchor matches it.

Source: Ren et al. 2015, section 3.1.2 (https://arxiv.org/abs/1506.01497).

Shapes: N anchors, G objects, L levels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from torch import Tensor

from explorer.core.boxes import box_iou
from explorer.core.layout import AnchorSet, Grid
from explorer.core.matching import Matches
from explorer.core.offers import Offer, find_offer


class Verdict(IntEnum):
    """Whether anchors reach an object, or why none does."""

    MATCHED = 0  # an anchor reaches the threshold and overlaps no other object more
    TAKEN = 1  # anchors reach it, but each overlaps another object more
    NO_PLACE = 2  # a shape would reach it, but no anchor of it lies close enough
    NO_SHAPE = 3  # no shape reaches it, wherever it lies


@dataclass(frozen=True)
class Claim:
    """The anchors of one object."""

    object: int
    sides: tuple[float, float]  # width and height, pixels
    by_level: tuple[int, ...]  # L counts of positive anchors whose ground truth it is
    by_rule: int  # how many of these are positive only as the best anchor of an object
    best_iou: float  # with any anchor
    offer: Offer
    verdict: Verdict
    high: float  # the IoU from which an anchor is positive
    step: float  # distance of the cells where the offered shape lies, pixels
    takers: tuple[int, ...] = ()  # the objects that its anchors overlap more

    @property
    def count(self) -> int:
        """All its positive anchors."""
        return sum(self.by_level)

    def who(self, level_names: tuple[str, ...]) -> str:
        """Which levels claim it, in words."""
        parts = [f"{n} of {level_names[i]}" for i, n in enumerate(self.by_level) if n]
        best = f"best IoU {short_iou(self.best_iou)}"
        if not parts:
            return f"No anchor claims it; {best}."
        rule = f", {self.by_rule} by the best-anchor rule" if self.by_rule else ""
        rule = ", by the best-anchor rule alone" if self.by_rule == self.count else rule
        anchors, claim = ("anchor", "claims") if self.count == 1 else ("anchors", "claim")
        first = parts[0].replace(" ", f" {anchors} ", 1)
        return f"{' and '.join([first, *parts[1:]])} {claim} it{rule}; {best}."

    def reason(self, level_names: tuple[str, ...]) -> str:
        """Why no anchor reaches it, in numbers; empty where one does."""
        width, height = self.sides
        shape = f"{level_names[self.offer.level]}'s {_sides(self.offer.sides)}"
        best, offered = short_iou(self.best_iou), short_iou(self.offer.iou)
        here = f"The best anchor here has {best}."
        if self.verdict == Verdict.NO_SHAPE:
            misfit = self.offer.misfit
            how = f"is {misfit} than any anchor" if misfit else "falls between the anchors' shapes"
            return (
                f"{width:.0f} x {height:.0f} px {how}: right on it, the best, {shape}, would have "
                f"IoU {offered}, under {self.high:g}. {here}"
            )
        if self.verdict == Verdict.NO_PLACE:
            return (
                f"{shape} would have IoU {offered} right on it, but the cells of that level are "
                f"{self.step:g} px apart. {here}"
            )
        if self.verdict == Verdict.TAKEN:
            numbers = ", ".join(str(taker + 1) for taker in self.takers)
            return (
                f"Every anchor that reaches it counts for object {numbers}, which it overlaps as "
                f"much or more. {here}"
            )
        return ""


def tell_claims(
    matches: Matches, grid: Grid, anchors: AnchorSet, ground_truth: Tensor, high: float
) -> list[Claim]:
    """Count the anchors of each object, and say why none reaches it.

    An anchor belongs to the object that it overlaps most, also where it is positive as the best
    anchor of another one.

    Args:
        matches: of these anchors and objects.
        grid: where each level starts.
        anchors: the anchors and the shapes of every level.
        ground_truth: (G, 4) boxes of the objects, xyxy, pixels, sides > 0.
        high: from which IoU an anchor is positive, as the matches were made.

    Returns:
        One claim an object, in order; empty for no objects.

    Raises:
        ValueError: if the matches are of another number of objects.
    """
    if len(matches.best_of_object) != len(ground_truth):
        raise ValueError(
            f"matches must be of {len(ground_truth)} objects, got {len(matches.best_of_object)}"
        )
    boxes, best = ground_truth.cpu().numpy(), matches.best_of_object.cpu().numpy()
    counts, by_rule = _count(matches, grid, len(boxes))
    claims = []
    for number, (x1, y1, x2, y2) in enumerate(boxes.tolist()):
        offer = find_offer(x2 - x1, y2 - y1, anchors.shapes)
        verdict, takers = Verdict.MATCHED, ()
        if counts[number].sum() == by_rule[number]:
            verdict = _verdict(best[number], offer, high)
            if verdict == Verdict.TAKEN:
                takers = _takers(matches, anchors, ground_truth[number], high)
        claims.append(
            Claim(
                object=number,
                sides=(x2 - x1, y2 - y1),
                by_level=tuple(counts[number].tolist()),
                by_rule=int(by_rule[number]),
                best_iou=float(best[number]),
                offer=offer,
                verdict=verdict,
                high=high,
                step=max(grid.strides[offer.level]),
                takers=takers,
            )
        )
    return claims


def short_iou(iou: float) -> str:
    """An IoU with three decimals, rounded down: what is under a threshold must not read as on it.

    Args:
        iou: in [0, 1].
    """
    return f"{math.floor(iou * 1000) / 1000:g}"


def _count(matches: Matches, grid: Grid, objects: int) -> tuple[np.ndarray, np.ndarray]:
    """(G, L) positives of each object by level, and (G,) how many the rule alone made positive."""
    positive = (matches.labels == 1).nonzero()[:, 0]
    matched = matches.matched[positive].cpu().numpy()
    levels = len(grid.cells)
    level = grid.level_of(positive).cpu().numpy()
    counts = np.bincount(matched * levels + level, minlength=objects * levels)
    low_quality = matches.low_quality[positive].cpu().numpy()
    by_rule = np.bincount(matched[low_quality], minlength=objects)
    return counts.reshape(-1, levels), by_rule


def _verdict(best: np.float32, offer: Offer, high: float) -> Verdict:
    if best >= np.float32(high):  # as matching compares
        return Verdict.TAKEN
    return Verdict.NO_SHAPE if offer.iou < high else Verdict.NO_PLACE


def _takers(matches: Matches, anchors: AnchorSet, box: Tensor, high: float) -> tuple[int, ...]:
    """Which objects the anchors that reach a box overlap more."""
    iou = box_iou(anchors.boxes, box[None])[:, 0]
    return tuple(matches.matched[iou >= high].unique().tolist())


def _sides(sides: tuple[float, float]) -> str:
    return f"{sides[0]:.0f} x {sides[1]:.0f} px"
