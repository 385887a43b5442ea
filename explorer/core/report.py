"""What the proposals are worth beside the ground truth: one result for the Recall page.

Shapes: G objects, P proposals, C points of the curve.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from explorer.core.candidates import Candidates, HeadOutput
from explorer.core.evaluation import SIZES, average_recall, find_hits, find_hits_by_size, recall_at
from explorer.core.layout import AnchorSet, Grid
from explorer.core.misses import Miss, explain_misses
from explorer.core.proposals import Proposals
from explorer.core.recall import Hits
from explorer.core.recall import find_hits as tell_hits
from explorer.core.truth import GroundTruth
from explorer.settings import Codec, Filter, Recall

COUNTS = np.unique(np.geomspace(1, 1000, 60).round().astype(np.int64))  # the curve's points
AR_COUNTS = (10, 100, 1000)


@dataclass(frozen=True, eq=False)
class RecallReport:
    """Hits, misses with their reasons, and recall in numbers; all on the CPU."""

    hits: Hits
    misses: tuple[Miss, ...]
    best_anchor: Tensor  # (G,) float32, what no head that stands still exceeds
    curve: np.ndarray  # (C,) recall at the report's IoU after `COUNTS` proposals; NaN for G = 0
    ceiling: float  # share of the objects that some anchor reaches at that IoU; NaN for G = 0
    average: tuple[float, ...]  # AR at `AR_COUNTS`
    by_size: dict[str, tuple[int, float]]  # small, medium, large: objects, and recall at that IoU


def report_recall(
    grid: Grid,
    anchors: AnchorSet,
    truth: GroundTruth,
    best_anchors: tuple[Tensor, Tensor],
    head: HeadOutput,
    candidates: Candidates,
    proposals: Proposals,
    codec: Codec,
    rules: Filter,
    recall: Recall,
) -> RecallReport:
    """Match the proposals with the objects, and tell why the others were missed.

    Returns:
        The report; for a picture without objects every rate is NaN.

    Source: COCO's evaluation of proposals (AR at 10, 100 and 1000; IoU .5 to .95; its sizes).
    """
    boxes, objects = proposals.boxes.cpu(), truth.boxes.cpu()
    hits = tell_hits(boxes, objects, recall.iou)
    at_iou = find_hits(boxes, objects, [recall.iou])
    best_anchor, _ = best_anchors
    parts = (grid, anchors, head, candidates, proposals, codec, rules)
    misses = explain_misses(hits, objects, best_anchors, *parts)
    some = len(objects) > 0
    sizes = find_hits_by_size(boxes, objects, [recall.iou])
    return RecallReport(
        hits=hits,
        misses=tuple(misses),
        best_anchor=best_anchor,
        curve=recall_at(at_iou, COUNTS.tolist())[0].numpy(),
        ceiling=float((best_anchor >= recall.iou).double().mean()) if some else float("nan"),
        average=tuple(average_recall(find_hits(boxes, objects), AR_COUNTS).tolist()),
        by_size={
            name: (sizes[name].shape[1], float(recall_at(sizes[name], [len(boxes)])))
            for name in SIZES
        },
    )
