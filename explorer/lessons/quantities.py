"""Numbers of the live state that a lesson may ask for, each computed by the core when asked."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from explorer.core.candidates import Fate
from explorer.core.coder import decode_boxes
from explorer.core.nms import suppress
from explorer.settings import Settings

Stage = Callable[[str], Any]  # the name of a stage to its result under the settings in force


@dataclass(frozen=True)
class Quantity:
    """A number that has a name."""

    words: str
    value: Callable[[Settings, Stage], float]
    unit: str = ""
    decimals: int = 0

    def text(self, value: float) -> str:
        """The number as a reader sees it."""
        return f"{value:,.{self.decimals}f} {self.unit}".rstrip()


def _anchors(_: Settings, stage: Stage) -> int:
    return stage("grid").starts[-1]


def _anchors_of(level: int) -> Callable[[Settings, Stage], int]:
    def count(_: Settings, stage: Stage) -> int:
        counts = stage("grid").counts
        return counts[level] if level < len(counts) else 0

    return count


def _finest_share(_: Settings, stage: Stage) -> float:
    grid = stage("grid")
    return 100 * grid.counts[0] / grid.starts[-1]


def _candidates(_: Settings, stage: Stage) -> int:
    return int(stage("candidates").valid.sum())


def _survivors(_: Settings, stage: Stage) -> int:
    return stage("proposals").survivors


def _survivors_at(threshold: float) -> Callable[[Settings, Stage], int]:
    def count(settings: Settings, stage: Stage) -> int:
        candidates = stage("candidates")
        ranks = torch.arange(len(candidates.boxes), 0, -1.0)
        groups = candidates.level.cpu() if settings.filter.nms_by_level else None
        return len(suppress(candidates.boxes.cpu(), ranks, threshold, groups).keep)

    return count


def _left_at_a_stricter_threshold(settings: Settings, stage: Stage) -> float:
    strict, mild = (_survivors_at(threshold)(settings, stage) for threshold in (0.3, 0.7))
    return 100 * strict / max(mild, 1)


def _proposals(_: Settings, stage: Stage) -> int:
    return len(stage("proposals").boxes)


def _cut_by_cap(_: Settings, stage: Stage) -> int:
    return int((stage("proposals").fate == Fate.OVER_CAP).sum())


def _score_spread(_: Settings, stage: Stage) -> float:
    scores = stage("head_output").scores
    return float(scores.max() - scores.min())


def _score_deviation(_: Settings, stage: Stage) -> float:
    return float(stage("head_output").scores.std())


def _found(_: Settings, stage: Stage) -> int:
    return int((stage("recall").hits.found_by >= 0).sum())


def _positives(_: Settings, stage: Stage) -> int:
    return int((stage("matches").labels == 1).sum())


def _unmatched_objects(settings: Settings, stage: Stage) -> int:
    truth = stage("truth")
    if len(truth.boxes) == 0:
        return 0
    best, _ = stage("best_anchors")
    return int((best < settings.match.high).sum())


def _best_iou_of_tiny(_: Settings, stage: Stage) -> float:
    """Of an object of 18 x 9 pixels, wherever its centre is: the best that any shape can offer."""
    best = 0.0
    for shapes in stage("anchors").shapes:
        for x1, y1, x2, y2 in shapes.tolist():
            width, height = x2 - x1, y2 - y1
            shared = min(width, 18) * min(height, 9)
            best = max(best, shared / (width * height + 18 * 9 - shared))
    return best


def _decoded(side: int) -> Callable[[Settings, Stage], float]:
    """Width (0) or height (1) of the Decoding page's box over its anchor's."""

    def factor(settings: Settings, _: Stage) -> float:
        deltas = settings.decoding
        unit = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
        clamp = {"none": None, "4": 4.0}.get(deltas.clamp, math.log(1000 / 16))
        moved = torch.tensor([[deltas.dx, deltas.dy, deltas.dw, deltas.dh]])
        box = decode_boxes(unit, moved, max_log_scale=clamp)[0]
        return float(box[2 + side] - box[side])

    return factor


def _shape_of_second_ratio(settings: Settings, _: Stage) -> float:
    """Width over height of the last ratio's anchor."""
    ratio = settings.anchors.ratios[-1]
    return ratio if settings.anchors.ratio == "w/h" else 1 / ratio


def _last_stride(_: Settings, stage: Stage) -> float:
    return stage("grid").strides[-1][1]


QUANTITIES: dict[str, Quantity] = {
    "anchors": Quantity("anchors in all", _anchors),
    **{
        f"anchors of level {i}": Quantity(f"anchors of level {i + 1}", _anchors_of(i))
        for i in range(5)
    },
    "share of the finest level": Quantity("share of the finest level", _finest_share, "%", 1),
    "candidates": Quantity("candidates", _candidates),
    "survivors": Quantity("boxes that survive NMS", _survivors),
    "left at 0.3 of 100 at 0.7": Quantity(
        "of 100 that survive at 0.7, left at 0.3", _left_at_a_stricter_threshold, "boxes"
    ),
    "proposals": Quantity("proposals", _proposals),
    "cut by the cap": Quantity("boxes that the cap cuts", _cut_by_cap),
    "score spread": Quantity("highest score minus lowest", _score_spread, decimals=3),
    "score deviation": Quantity("standard deviation of the scores", _score_deviation, decimals=4),
    "objects found": Quantity("objects found", _found),
    "positive anchors": Quantity("positive anchors", _positives),
    "objects without a good anchor": Quantity("objects without a good anchor", _unmatched_objects),
    "best iou of 18 x 9": Quantity("best IoU of an 18 x 9 object", _best_iou_of_tiny, "", 2),
    "decoded width factor": Quantity("times the anchor's width", _decoded(0), "times", 2),
    "decoded height factor": Quantity("times the anchor's height", _decoded(1), "times", 2),
    "width over height of the last ratio": Quantity(
        "width over height of the last ratio", _shape_of_second_ratio, "", 2
    ),
    "last stride": Quantity("pixels between the last level's anchors", _last_stride, "px"),
}
