"""What the browser is sent to play NMS, read back as `step_scene.js` reads it."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
import torch

from explorer.core.nms import suppress
from explorer.core.nms_steps import nms_steps
from explorer.live.steps import Scene, pack
from tests.core.test_nms import clustered

LOOK = {"winner": ("#FFD400", 1.0), "gone": ("#D55E00", 0.5)}


def scene_of(count: int, threshold: float = 0.3, **changes) -> Scene:
    boxes, _ = clustered(count, seed=1) if count else (torch.empty(0, 4), None)
    scores = torch.linspace(0.9, 0.1, count)
    walked = nms_steps(boxes, suppress(boxes, scores, threshold).suppressed_by)
    rest = {"photo_url": "/input/é.jpg", "threshold": threshold, "cap": 9, "strokes": LOOK}
    level = np.arange(count) % 5
    names = ("P2", "P3", "P4", "P5", "P6")
    parts = boxes.numpy(), scores.numpy(), level, walked, names, (400, 640)
    return Scene(*parts, **rest | changes)


def read(data: bytes):
    """The head and the five arrays; nothing may be left over."""
    (length,) = struct.unpack_from("<I", data)
    head, at, arrays = json.loads(data[4 : 4 + length]), 4 + length, []
    count = head["count"]
    for kind, each in (("<f4", 1), ("<f4", 1), ("<i2", 4), ("<u2", 1), ("u1", 1)):
        assert at % np.dtype(kind).itemsize == 0  # else the browser refuses
        arrays.append(np.frombuffer(data, kind, each * count, at))
        at += arrays[-1].nbytes
    assert at == len(data)
    return head, arrays


@pytest.mark.parametrize("count", [1, 2, 3, 200])
def test_everything_comes_back(count):
    scene = scene_of(count)
    head, (scores, iou, eighths, decided_at, level) = read(pack(scene, 7, 3))
    np.testing.assert_allclose(eighths.reshape(-1, 4) / 8, scene.boxes, atol=1 / 16)
    np.testing.assert_array_equal(scores, scene.scores)
    np.testing.assert_array_equal(decided_at, scene.steps.decided_at)
    np.testing.assert_array_equal(level, scene.level)
    np.testing.assert_array_equal(iou[scene.steps.loser], scene.steps.iou)
    assert (iou[scene.steps.winner] == 0).all()
    assert (head["given"], head["step"]) == (7, 3)
    assert head["last"] == len(scene.steps.winner)
    assert head["size"] == [640, 400]
    assert head["photo"] == "/input/é.jpg"
    assert head["strokes"]["gone"] == ["#D55E00", 0.5]
    assert (head["threshold"], head["cap"], head["follow"]) == (0.3, 9, -1)


def test_the_first_box_that_a_step_decides_is_its_winner():
    """The browser tells winners from losers by this."""
    scene = scene_of(300)
    _, (_, _, _, decided_at, _) = read(pack(scene, 0, 0))
    firsts = [int(np.flatnonzero(decided_at == step)[0]) for step in range(1, decided_at.max() + 1)]
    assert firsts == scene.steps.winner.tolist()


def test_no_boxes_are_a_head_alone():
    head, arrays = read(pack(scene_of(0), 0, 0))
    assert (head["count"], head["last"]) == (0, 0)
    assert all(len(part) == 0 for part in arrays)


def test_two_thousand_candidates_stay_under_60_kb():
    assert len(pack(scene_of(2000), 0, 0)) < 60_000


def test_a_box_far_outside_of_any_picture_keeps_its_side_of_it():
    scene = scene_of(2)
    scene.boxes[0] = [-9000, -4096, 4095, 9000]
    _, (_, _, eighths, _, _) = read(pack(scene, 1, 0))
    assert (eighths[:4] / 8).tolist() == [-4096, -4096, 4095, 4095.875]
