"""Which anchor stands for which object: the labels that an RPN learns from.

Shape letters: N anchors, G ground-truth boxes.

Source: Ren et al. 2015, section 3.1.2 (https://arxiv.org/abs/1506.01497), and the matchers of
torchvision, detectron2 and py-faster-rcnn, whose differences are the `allow_low_quality` rules.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.core.bands import meetings
from explorer.core.boxes import box_columns, box_iou, check_box_list

# How many of an object's equally best anchors it may claim.
RULES = {"first": 1, "all": None, "none": 0}


@dataclass(frozen=True, eq=False)
class Closest:
    """Who overlaps whom most: all that matching asks of the boxes, whatever the thresholds."""

    matched: Tensor  # (N,) int64, each anchor's ground truth; 0 where it overlaps none
    best_iou: Tensor  # (N,) float32, IoU with that object
    best_of_object: Tensor  # (G,) float32, the best IoU that any anchor reaches with the object
    reached_by: tuple[Tensor, ...]  # of each object, the anchors that reach its best, ascending


@dataclass(frozen=True, eq=False)
class Matches:
    """What matching decided, anchor by anchor and object by object."""

    labels: Tensor  # (N,) int8, 1 positive, 0 negative, -1 ignored
    matched: Tensor  # (N,) int64, the anchor's ground truth; 0 where it overlaps none
    best_iou: Tensor  # (N,) float32, IoU with that ground truth
    low_quality: Tensor  # (N,) bool, positive only because it is an object's best anchor
    best_of_object: Tensor  # (G,) float32, the best IoU that any anchor reaches with the object


def match_anchors(iou: Tensor, high: float, low: float, allow_low_quality: str | bool) -> Matches:
    """Label every anchor from its IoU with every object.

    An anchor's ground truth is the one it overlaps most (the lower index of equals), also where it
    is positive only as another object's best anchor: the course's code, torchvision, detectron2
    and py-faster-rcnn all do so. An object that no anchor touches claims none.

    Args:
        iou: (N, G) IoU in [0, 1], without NaN.
        high: an anchor is positive from this IoU on, in [0, 1], >= `low`.
        low: an anchor is negative strictly under this IoU, in [0, 1]. Both thresholds are rounded
            to float32, as torch does, so that an IoU of exactly 7/10 reaches a `high` of 0.7.
        allow_low_quality: which of an object's best anchors are positive whatever their IoU:
            "first", the one of lowest index (the course notebook); "all", every one of equal IoU
            (the others), also written True; "none", also written False.

    Returns:
        The matches. Without objects every anchor is negative; without anchors all is empty and
        `best_of_object` 0.

    Raises:
        ValueError: if `iou` is not (N, G), a threshold is out of range, or the rule is unknown.
    """
    if iou.ndim != 2:
        raise ValueError(f"iou must have shape (N, G), got {tuple(iou.shape)}")
    rule = _checked_rule(high, low, allow_low_quality)
    iou = iou.detach().float()
    if iou.numel() == 0:
        return _no_matches(*iou.shape, iou.device)
    best, matched = iou.max(dim=1)
    best_of_object, first = iou.max(dim=0)
    if rule == "first":
        claims = torch.zeros_like(iou, dtype=torch.bool).scatter_(0, first[None], True)  # (N, G)
    else:
        claims = (iou == best_of_object) & (rule == "all")
    # An object that no anchor touches claims with IoU 0, which counts as no claim.
    claimed = (claims & (iou > 0)).any(dim=1)
    return _decide(best, matched, best_of_object, claimed, high, low)


def match_boxes(
    anchors: Tensor, ground_truth: Tensor, high: float, low: float, allow_low_quality: str | bool
) -> Matches:
    """`match_anchors` of `box_iou`, without ever holding the (N, G) matrix on the CPU.

    Args:
        anchors: (N, 4) boxes, xyxy, pixels.
        ground_truth: (G, 4) boxes, same convention, on the same device.
        high: as in `match_anchors`.
        low: as in `match_anchors`.
        allow_low_quality: as in `match_anchors`.

    Returns:
        The same matches, value for value.

    Raises:
        ValueError: if a shape is not (N, 4), a threshold is out of range, or the rule is unknown.
    """
    check_box_list("anchors", anchors)
    check_box_list("ground_truth", ground_truth)
    rule = _checked_rule(high, low, allow_low_quality)
    closest = find_closest(anchors, ground_truth)
    if closest is None:
        return match_anchors(box_iou(anchors, ground_truth), high, low, rule)
    return match_closest(closest, high, low, rule)


def find_closest(anchors: Tensor, ground_truth: Tensor) -> Closest | None:
    """The part of `match_boxes` that no threshold changes; None off the CPU, where it has no part.

    Args:
        anchors: (N, 4) boxes, xyxy, pixels.
        ground_truth: (G, 4) boxes, same convention, on the same device.
    """
    if anchors.device.type != "cpu":
        return None
    parts = _sweep(box_columns(anchors), box_columns(ground_truth))
    return Closest(*map(torch.from_numpy, parts[:3]), tuple(map(torch.from_numpy, parts[3])))


def match_closest(
    closest: Closest, high: float, low: float, allow_low_quality: str | bool
) -> Matches:
    """`match_boxes` of boxes whose `find_closest` is known; arguments and errors are the same."""
    rule = _checked_rule(high, low, allow_low_quality)
    n, g = len(closest.best_iou), len(closest.best_of_object)
    if n == 0 or g == 0:
        return _no_matches(n, g, closest.best_iou.device)
    claimed = torch.zeros(n, dtype=torch.bool)
    for anchors in closest.reached_by:
        claimed[anchors[: RULES[rule]]] = True
    parts = closest.best_iou, closest.matched, closest.best_of_object
    return _decide(*parts, claimed, high, low)


@np.errstate(over="ignore")  # as for the whole matrix of `box_iou`
def _sweep(
    anchors: np.ndarray, objects: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
    """The fields of `Closest`."""
    n, g = anchors.shape[1], objects.shape[1]
    best, matched = np.zeros(n, dtype=np.float32), np.zeros(n, dtype=np.int64)
    best_of_object = np.zeros(g, dtype=np.float32)
    claims = [np.empty(0, dtype=np.int64)] * g
    for start, index, iou in meetings(objects, anchors):
        run = slice(start, start + len(iou))
        np.copyto(matched[run], index, where=iou > best[run])
        np.maximum(best[run], iou, out=best[run])
        top = iou.max()
        if top == 0 or top < best_of_object[index]:  # at 0, reached by every anchor in sight
            continue
        reached = np.flatnonzero(iou == top) + start
        tied = top == best_of_object[index]
        claims[index] = np.concatenate([claims[index], reached]) if tied else reached
        best_of_object[index] = top
    return matched, best, best_of_object, claims


def _decide(
    best: Tensor,
    matched: Tensor,
    best_of_object: Tensor,
    claimed: Tensor,
    high: float,
    low: float,
) -> Matches:
    """Labels from each anchor's best IoU, and from whether an object claims it."""
    low_quality = claimed & (best < high)
    labels = torch.where(best < low, 0, -1).masked_fill((best >= high) | low_quality, 1)
    return Matches(labels.to(torch.int8), matched, best, low_quality, best_of_object)


def _no_matches(n: int, g: int, device: torch.device) -> Matches:
    return Matches(
        labels=torch.zeros(n, dtype=torch.int8, device=device),
        matched=torch.zeros(n, dtype=torch.int64, device=device),
        best_iou=torch.zeros(n, device=device),
        low_quality=torch.zeros(n, dtype=torch.bool, device=device),
        best_of_object=torch.zeros(g, device=device),
    )


def _checked_rule(high: float, low: float, allow_low_quality: str | bool) -> str:
    for name, value in [("high", high), ("low", low)]:
        if not 0 <= value <= 1:
            raise ValueError(f"match.{name} must be in [0, 1], got {value}")
    if low > high:
        raise ValueError(f"match.low must be <= match.high = {high}, got {low}")
    rule = {True: "all", False: "none"}.get(allow_low_quality, allow_low_quality)
    if rule not in RULES:
        raise ValueError(
            f"match.allow_low_quality must be one of {', '.join(RULES)}, got {allow_low_quality}"
        )
    return rule
