"""What we are measured beside: torchvision where it can be had, else plain numpy and torch.

torchvision is no dependency, and does not import beside this project's torch. A second environment
has both: RPN_EXPLORER_RIVAL names its Python, and the same benchmark then runs there.

    python -m venv /tmp/rival
    /tmp/rival/bin/pip install torch==2.14.1 torchvision==0.29.1 numpy pydantic pillow safetensors
    RPN_EXPLORER_RIVAL=/tmp/rival/bin/python make bench
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from explorer.core.coder import decode_boxes
from explorer.core.layout import Grid
from tests.benchmarks.clock import settle_in
from tests.benchmarks.table import Plot, Table

ROOT = Path(__file__).parents[2]
VARIABLE = "RPN_EXPLORER_RIVAL"
HERE = find_spec("torchvision") is not None
NAME = "torchvision" if HERE else "numpy sweep"

# (uniform, clustered): a numpy sweep's time over torchvision 0.29.1's, on another machine
SWEEP_OVER_TORCHVISION = {
    1000: (4.5, 2.3),
    2000: (2.9, 1.6),
    5000: (1.7, 0.94),
    12000: (1.2, 0.65),
}


def words() -> str:
    """The rival in a sentence."""
    if not HERE:
        return (
            "torchvision is not in this environment: beside it stands the usual numpy sweep for "
            f"each kept box. {VARIABLE} names a Python that has torchvision."
        )
    version = import_module("torchvision").__version__
    return (
        f"The rival is torchvision {version} (torch {torch.__version__}) in the same process, on "
        "one thread or two, whichever is faster for it; ours is on one thread, as on the server."
    )


def measured_there(module: str) -> list[Table] | None:
    """The tables of a module from the second environment; None where there is none."""
    python = os.environ.get(VARIABLE)
    if HERE or not python:
        return None
    command = [python, "-m", "tests.benchmarks.rival", module]
    out = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [_table(each) for each in json.loads(out.splitlines()[-1])]


def _table(fields: dict) -> Table:
    rows = [tuple(row) for row in fields.pop("rows")]
    plots = tuple(Plot(**plot) for plot in fields.pop("plots"))
    return Table(**fields | {"header": tuple(fields["header"]), "rows": rows, "plots": plots})


def sweep_nms(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """The yardstick: keep the best, measure all that are left against it, drop what overlaps."""
    x1, y1, x2, y2 = boxes.T
    areas = (x2 - x1) * (y2 - y1)
    left, keep = np.argsort(-scores, kind="stable"), []
    while len(left):
        best, left = left[0], left[1:]
        keep.append(best)
        width = np.minimum(x2[best], x2[left]) - np.maximum(x1[best], x1[left])
        height = np.minimum(y2[best], y2[left]) - np.maximum(y1[best], y1[left])
        inter = np.maximum(width, 0) * np.maximum(height, 0)
        left = left[inter / (areas[best] + areas[left] - inter) <= threshold]
    return np.array(keep, dtype=np.int64)


def nms_by_level(boxes: Tensor, scores: Tensor, levels: Tensor, threshold: float) -> object:
    """NMS of each level by itself."""
    if HERE:
        from torchvision.ops import batched_nms

        return batched_nms(boxes, scores, levels, threshold)
    return [
        sweep_nms(boxes[levels == each].numpy(), scores[levels == each].numpy(), threshold)
        for each in levels.unique()
    ]


def nms(boxes: Tensor, scores: Tensor, threshold: float) -> object:
    """NMS of all boxes."""
    if HERE:
        from torchvision.ops import nms as theirs

        return theirs(boxes, scores, threshold)
    return sweep_nms(boxes.numpy(), scores.numpy(), threshold)


class Chain:
    """Anchors, candidates and NMS from a head's output, with torchvision's settings for testing."""

    def __init__(self, grid: Grid):
        self.grid, self.size = grid, grid.image_size
        if HERE:
            from torchvision.models.detection.anchor_utils import AnchorGenerator
            from torchvision.models.detection.image_list import ImageList
            from torchvision.models.detection.rpn import RegionProposalNetwork

            sizes, ratios = tuple((2**power,) for power in range(5, 10)), ((0.5, 1.0, 2.0),) * 5
            self.generator = AnchorGenerator(sizes, ratios)
            top = {"training": 1000, "testing": 1000}
            rules = (0.7, 0.3, 256, 0.5, top, top, 0.7)
            self.rpn = RegionProposalNetwork(self.generator, torch.nn.Identity(), *rules).eval()
            self.images = ImageList(torch.zeros(1, 3, *self.size), [self.size])
            self.maps = [torch.zeros(1, 1, *cells) for cells in grid.cells]

    def anchors(self) -> Tensor:
        """(N, 4) anchors."""
        if HERE:
            return self.generator(self.images, self.maps)[0]
        levels = []
        for (rows, columns), stride, size in zip(
            self.grid.cells, self.grid.strides, (32, 64, 128, 256, 512), strict=True
        ):
            root = torch.tensor([0.5, 1, 2]).sqrt()
            cell = torch.stack([-size / root, -size * root, size / root, size * root], 1) / 2
            y, x = torch.meshgrid(
                torch.arange(rows) * stride[0], torch.arange(columns) * stride[1], indexing="ij"
            )
            shifts = torch.stack([x, y, x, y], dim=-1).view(-1, 1, 4)
            levels.append((shifts + cell.round()).view(-1, 4))
        return torch.cat(levels)

    @torch.no_grad()
    def flat(self, logits: Tensor, deltas: Tensor) -> Tensor:
        """Proposals from (N,) logits and (N, 4) deltas."""
        anchors, counts = self.anchors(), list(self.grid.counts)
        if HERE:
            boxes = self.rpn.box_coder.decode(deltas, [anchors]).view(1, -1, 4)
            return self.rpn.filter_proposals(boxes, logits[:, None], [self.size], counts)[0][0]
        boxes = decode_boxes(anchors, deltas, max_log_scale=4.135)
        kept, starts = [], self.grid.starts
        for start, part in zip(starts, logits.split(counts), strict=False):
            best = part.topk(min(1000, len(part))).indices + start
            some = boxes[best].clamp(0, max(self.size))
            large = ((some[:, 2:] - some[:, :2]) >= 1e-3).all(dim=1)
            some, scores = some[large], logits[best][large]
            keep = sweep_nms(some.numpy(), scores.numpy(), 0.7)
            kept.append((some[keep], scores[keep]))
        boxes, scores = (torch.cat(part) for part in zip(*kept, strict=True))
        return boxes[scores.argsort(descending=True)[:1000]]

    @torch.no_grad()
    def from_maps(self, logits: list[Tensor], deltas: list[Tensor]) -> Tensor:
        """Proposals from a head's own maps, flattened on the way; torchvision's alone."""
        from torchvision.models.detection.rpn import concat_box_prediction_layers

        flat_logits, flat_deltas = concat_box_prediction_layers(list(logits), list(deltas))
        return self.flat(flat_logits[:, 0], flat_deltas)


def as_maps(logits: Tensor, deltas: Tensor, grid: Grid) -> tuple[list[Tensor], list[Tensor]]:
    """Cut flat outputs into the maps that a head gives."""
    maps, moves = [], []
    parts = zip(logits.split(grid.counts), deltas.split(grid.counts), grid.cells, strict=True)
    for some, moved, cells in parts:
        maps.append(some.view(1, *cells, -1).permute(0, 3, 1, 2).contiguous())
        moves.append(moved.view(1, *cells, -1).permute(0, 3, 1, 2).contiguous())
    return maps, moves


def match(anchors: Tensor, objects: Tensor) -> object:
    """Match anchors with objects, every object's best anchors included."""
    if HERE:
        from torchvision.models.detection._utils import Matcher
        from torchvision.ops import box_iou

        return Matcher(0.7, 0.3, allow_low_quality_matches=True)(box_iou(objects, anchors))
    from explorer.core.boxes import broadcast_iou
    from explorer.core.matching import match_anchors

    return match_anchors(broadcast_iou(anchors, objects), 0.7, 0.3, "all")


if __name__ == "__main__":
    settle_in()
    tables = import_module(f"tests.benchmarks.{sys.argv[1]}").measure()
    print(json.dumps([asdict(table) for table in tables]))
