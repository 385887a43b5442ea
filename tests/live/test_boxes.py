"""What the live boards are sent: read back byte for byte, as the browser reads it."""

from __future__ import annotations

import json
import math
import struct
import zlib

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from explorer import share
from explorer.core.candidates import Candidates, Fate
from explorer.core.layout import Grid
from explorer.core.nms import nms
from explorer.core.proposals import candidate_overlaps, propose
from explorer.editing import changed
from explorer.live.boxes import Look, encode
from explorer.settings import Filter, Nms, Settings
from tests.pages.test_pages import open_page

GRID = Grid((64, 96), ((8, 12), (4, 6)), ((8, 8), (16, 16)), (3, 3))
LOOK = Look(("#111111", "#222222"), ("#333333",), "#444444", "#555555")
TWO_LEVELS = changed(
    Settings(), {"anchors.strides": (8, 16), "anchors.sizes": ((32,), (64,)), "nms.post_nms": 1}
)


def candidates(boxes, scores, anchors, valid=None) -> Candidates:
    count = len(boxes)
    anchor_index = torch.tensor(anchors, dtype=torch.int64)
    return Candidates(
        boxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        scores=torch.tensor(scores, dtype=torch.float32),
        logits=torch.zeros(count),
        deltas=torch.zeros(count, 4),
        anchor_index=anchor_index,
        level=GRID.level_of(anchor_index),
        valid=torch.tensor([True] * count if valid is None else valid, dtype=torch.bool),
        fate=torch.zeros(0, dtype=torch.int8),
    )


def encoded(made: Candidates, settings: Settings = TWO_LEVELS, **changes) -> bytes:
    overlaps = candidate_overlaps(made, settings.filter)
    proposals = propose(made, overlaps, settings.filter, settings.nms)
    rest = {"recipe": ("candidates", 1), "photo_url": "/input/x.jpg", "look": LOOK} | changes
    return encode(made, proposals, GRID, settings, **rest)


def decoded(payload: bytes) -> tuple[dict, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Head, who survives, boxes, scores and anchor numbers."""
    (size,) = struct.unpack_from("<I", payload)
    head = json.loads(payload[4 : 4 + size])
    count = head["count"]
    flags = math.ceil(count / 8)
    bits = np.frombuffer(payload, np.uint8, flags, 4 + size)
    body = zlib.decompress(payload[4 + size + flags :])
    numbers, at = [], 0
    for kind, length in (("<f4", 4 * count), ("<f4", count), ("<u4", count)):
        planes = np.frombuffer(body, np.uint8, 4 * length, at).reshape(4, length)
        numbers.append(np.ascontiguousarray(planes.T).reshape(-1).view(kind))
        at += 4 * length
    assert at == len(body)
    kept = np.unpackbits(bits, count=count, bitorder="little")
    return head, kept, numbers[0].reshape(-1, 4), numbers[1], numbers[2]


def test_three_boxes_come_back_bit_for_bit():
    boxes = [[0.1, 0, 10, 10], [0.1, 0, 10, 10.5], [40, 40, 64, 60.3]]
    head, kept, *numbers = decoded(encoded(candidates(boxes, [0.9, math.nan, 0.1], [5, 300, 287])))
    assert kept.tolist() == [1, 0, 1]
    np.testing.assert_array_equal(numbers[0], np.array(boxes, np.float32))
    np.testing.assert_array_equal(numbers[1], np.array([0.9, math.nan, 0.1], np.float32))
    assert numbers[2].tolist() == [5, 300, 287]
    assert (head["width"], head["height"]) == (96, 64)
    assert (head["starts"], head["columns"], head["perCell"]) == ([0, 288], [12, 6], [3, 3])
    assert head["levelNames"] == ["P3", "P4"]
    assert head["shapeNames"] == [["0.5", "1", "2"]] * 2
    assert head["levelColours"] == ["#111111", "#222222"]


def test_a_survivor_that_the_cap_cuts_still_survives_and_a_low_score_does_not():
    boxes = [[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]]
    made = candidates(boxes, [0.9, 0.8, 0.1], [1, 2, 3])
    settings = changed(TWO_LEVELS, {"nms.score_threshold": 0.2})
    assert decoded(encoded(made, settings))[1].tolist() == [1, 1, 0]


def test_values_and_the_names_of_their_sliders_come_from_the_settings():
    settings = changed(
        TWO_LEVELS,
        {
            "nms.iou_threshold": 0.35,
            "nms.score_threshold": 0.15,
            "view.top_k": 7,
            "view.follow": 12,
            "view.colour": "score",
            "filter.nms_by_level": True,
        },
    )
    head = decoded(encoded(candidates([[0, 0, 9, 9]], [0.5], [0]), settings))[0]
    assert head["values"] == {"iou": 0.35, "score": 0.15, "topK": 7, "cap": 1}
    assert head["sliders"]["iou"] == "nms-iou_threshold"
    assert head["sliders"]["topK"] == "view-top_k"
    assert (head["pick"], head["colour"], head["byLevel"]) == (12, "score", True)


def test_fillers_of_an_accelerators_fixed_shape_are_left_out():
    boxes = [[0, 0, 9, 9], [5, 5, 5, 5], [20, 20, 29, 29]]
    made = candidates(boxes, [0.9, 0.8, 0.7], [3, 4, 5], valid=[True, False, True])
    head, kept, sent, _, anchors = decoded(encoded(made))
    assert head["count"] == 2
    assert kept.tolist() == [1, 1]
    assert anchors.tolist() == [3, 5]
    assert sent[1].tolist() == [20, 20, 29, 29]


def test_no_candidates_are_sent_as_none():
    head, kept, boxes, scores, anchors = decoded(encoded(candidates([], [], [])))
    assert head["count"] == len(kept) == len(boxes) == len(scores) == len(anchors) == 0


def test_the_key_names_the_candidates_and_nothing_else():
    made = candidates([[0, 0, 9, 9]], [0.5], [0])
    key = decoded(encoded(made))[0]["key"]
    other = changed(TWO_LEVELS, {"nms.iou_threshold": 0.1, "view.colour": "score"})
    assert decoded(encoded(made, other, photo_url=None))[0]["key"] == key
    assert decoded(encoded(made, recipe=("candidates", 2)))[0]["key"] != key


@pytest.mark.parametrize("count", [1000, 4507])
def test_a_move_costs_at_most_100_kilobytes(count):
    # Nothing repeats: every number is drawn at random, which is the hardest to pack.
    rng = np.random.default_rng(0)
    corners = np.sort(rng.uniform(0, 800, (count, 2, 2)), axis=1).reshape(-1, 4)
    scores = np.sort(rng.uniform(0, 1, count))[::-1]
    made = candidates(corners, scores.copy(), rng.permutation(159_882)[:count])
    kept = propose(made, None, Filter(), Nms())
    assert (kept.fate == Fate.KEPT).any()
    payload = encode(
        made, kept, GRID, Settings(), recipe=0, photo_url="/input/" + "0" * 64, look=LOOK
    )
    assert len(payload) <= 100_000 * count / 4507 + 2000
    assert len(payload) <= 100_000


def boards(app: AppTest) -> tuple:
    (sent,) = [
        each.proto.bytes for each in app.get("bidi_component") if each.proto.bytes[:1] != b"{"
    ]
    return decoded(sent)


def test_the_page_sends_the_candidates_and_what_nms_made_of_them():
    app = open_page("proposals.py", **{"scores.source": "noise", "nms.iou_threshold": "0.3"})
    head, kept, boxes, scores, _ = boards(app)
    assert head["values"]["iou"] == 0.3
    assert len(boxes) == head["count"] > 100
    assert (np.diff(scores) <= 0).all()
    survivors = nms(torch.tensor(boxes), torch.tensor(scores), 0.3)
    assert np.flatnonzero(kept).tolist() == sorted(survivors.tolist())


def test_the_page_marks_the_followed_box_of_a_link():
    link = share.to_query(changed(Settings(), {"view.follow": 77, "scores.source": "noise"}))
    assert boards(open_page("proposals.py", **link))[0]["pick"] == 77
