"""Proposals as files: CSV in pixels of the network's input, COCO results in pixels of the photo."""

from __future__ import annotations

import csv
import io
import json

from explorer.core.images import Picture
from explorer.core.layout import Grid
from explorer.core.proposals import Proposals

COLUMNS = ("rank", "x1", "y1", "x2", "y2", "score", "anchor", "level", "row", "column", "shape")


def to_csv(proposals: Proposals, grid: Grid, level_names: tuple[str, ...]) -> str:
    """One row a proposal, best first, after a row of names.

    Args:
        proposals: boxes in pixels of the network's input.
        grid: to tell level and cell of each.
        level_names: such as P3, for each level.

    Returns:
        CSV with `COLUMNS`; the header alone for no proposals. Numbers read back to the same bits.
    """
    place = grid.place_of(proposals.anchor_index.cpu().numpy())
    levels = [level_names[level] for level in place.pop("level").tolist()]
    parts = [part.tolist() for part in place.values()]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    boxes, scores = proposals.boxes.cpu().tolist(), proposals.scores.cpu().tolist()
    rows = zip(boxes, scores, proposals.anchor_index.tolist(), levels, *parts, strict=True)
    for rank, (box, score, anchor, *where) in enumerate(rows, start=1):
        writer.writerow([rank, *map(_short, box), _short(score), anchor, *where])
    return file.getvalue()


def to_coco_results(proposals: Proposals, picture: Picture, image_id: int = 1) -> str:
    """COCO's results format: what `COCO.loadRes` reads.

    Args:
        proposals: boxes in pixels of the network's input.
        picture: where the photo lies in it; boxes are told in pixels of the photo.
        image_id: of the photo in the reader's own annotation file.

    Returns:
        A JSON list of {image_id, category_id, bbox (x, y, width, height), score}, best first; "[]"
        for no proposals. Every category is 1: an RPN knows "object" alone.
    """
    boxes = picture.to_photo(proposals.boxes.cpu())
    sides = boxes[:, 2:] - boxes[:, :2]
    found = [
        {
            "image_id": image_id,
            "category_id": 1,
            "bbox": [round(value, 2) for value in [*corner, *size]],
            "score": float(_short(score)),
        }
        for corner, size, score in zip(
            boxes[:, :2].tolist(), sides.tolist(), proposals.scores.tolist(), strict=True
        )
    ]
    return json.dumps(found)


def _short(value: float) -> str:
    """Nine digits: float32 reads them back to the same bits."""
    return f"{value:.9g}"
