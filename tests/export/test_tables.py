import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO

from explorer.core.memo import Memo
from explorer.core.pipeline import run
from explorer.editing import changed
from explorer.export.tables import COLUMNS, to_coco_results, to_csv
from explorer.settings import Settings

VIEW = changed(Settings(), {"image.side": 256, "scores.source": "noise"})


@pytest.fixture(scope="module")
def made():
    memo = Memo(10**9)
    return [run(name, VIEW, memo) for name in ("proposals", "grid", "image")]


def none_of(proposals):
    empty = {"boxes": torch.zeros(0, 4), "scores": torch.zeros(0)}
    return replace(proposals, **empty, anchor_index=torch.zeros(0, dtype=torch.int64))


def test_the_csv_reads_back_to_the_same_bits(made):
    proposals, grid, _ = made
    rows = list(csv.DictReader(io.StringIO(to_csv(proposals, grid, VIEW.anchors.level_names))))
    boxes = np.array([[row[side] for side in ("x1", "y1", "x2", "y2")] for row in rows], np.float32)
    assert np.array_equal(boxes, proposals.boxes.numpy())
    assert np.array_equal(np.float32([row["score"] for row in rows]), proposals.scores.numpy())
    assert [int(row["rank"]) for row in rows] == list(range(1, len(rows) + 1))


def test_the_csv_tells_each_proposal_s_anchor(made):
    proposals, grid, _ = made
    for row in csv.DictReader(io.StringIO(to_csv(proposals, grid, VIEW.anchors.level_names))):
        level = VIEW.anchors.level_names.index(row["level"])
        cell = int(row["row"]) * grid.cells[level][1] + int(row["column"])
        anchor = grid.starts[level] + cell * grid.per_cell[level] + int(row["shape"])
        assert anchor == int(row["anchor"])


def test_no_proposals_leave_the_header(made):
    proposals, grid, picture = made
    assert to_csv(none_of(proposals), grid, ("P2",) * 5) == ",".join(COLUMNS) + "\n"
    assert to_coco_results(none_of(proposals), picture) == "[]"


def test_coco_reads_the_results_in_pixels_of_the_photo(made, tmp_path, capsys):
    proposals, _, picture = made
    height, width = picture.photo_size
    truth = tmp_path / "truth.json"
    image = {"id": 7, "width": width, "height": height}
    category = {"id": 1, "name": "object"}
    truth.write_text(json.dumps({"images": [image], "annotations": [], "categories": [category]}))
    file = tmp_path / "results.json"
    file.write_text(to_coco_results(proposals, picture, image_id=7))
    results = COCO(str(truth)).loadRes(str(file))
    first = results.loadAnns(results.getAnnIds())[0]
    x, y, box_width, box_height = first["bbox"]
    expected = picture.to_photo(proposals.boxes[:1])[0].tolist()
    assert [x, y, x + box_width, y + box_height] == pytest.approx(expected, abs=0.03)
    assert len(results.getAnnIds()) == len(proposals.boxes)
