import numpy as np
import pytest
import torch

from explorer.core import sweep
from explorer.core.boxes import box_iou
from explorer.core.columns import as_columns, meeting_boxes
from explorer.core.sweep import find_edges, find_met
from tests.core.test_nms import HARD, clustered, uniform


def edges_of(boxes, threshold, limit=10**6):
    return find_edges(as_columns(boxes.numpy()), [np.arange(len(boxes))], threshold, limit)


def test_one_pair_by_hand():
    boxes = torch.tensor([[4.0, 0, 14, 10], [50, 0, 60, 10], [0, 0, 10, 10]])
    better, worse, iou = edges_of(boxes, 0.4)
    assert (better.tolist(), worse.tolist()) == ([0], [2])
    assert iou == np.float32(60) / np.float32(140)
    assert [len(side) for side in edges_of(boxes, 0.5)] == [0, 0, 0]


def test_no_boxes_have_no_pairs():
    assert [len(side) for side in edges_of(torch.empty(0, 4), 0.0)] == [0, 0, 0]


@pytest.mark.parametrize("cells", [1, 100, 1 << 16])
@pytest.mark.parametrize("threshold", [0, 0.3, 0.7, 0.99, 1])
@pytest.mark.parametrize("boxes_of", [uniform, clustered])
def test_the_walk_finds_every_pair_once(boxes_of, threshold, cells, monkeypatch):
    monkeypatch.setattr(sweep, "CELLS", cells)
    boxes, _ = boxes_of(300, seed=4)
    better, worse, iou = edges_of(boxes, threshold)
    table = box_iou(boxes, boxes).triu(1).numpy()
    expected = {(i, j): table[i, j] for i, j in np.argwhere(table > threshold).tolist()}
    assert (
        dict(zip(zip(better.tolist(), worse.tolist(), strict=True), iou, strict=True)) == expected
    )
    assert len(iou) == len(expected)


@pytest.mark.parametrize("threshold", [0, 1e-9, 0.3, 0.7, 1])
@pytest.mark.parametrize("name", HARD)
def test_hard_inputs_have_the_pairs_of_the_whole_table(name, threshold):
    boxes = HARD[name][0]
    index = meeting_boxes(as_columns(boxes.numpy()), None)[0]
    better, worse, _ = edges_of(boxes[index], threshold)
    over = (box_iou(boxes, boxes).double() > threshold).triu(1)
    found = torch.zeros_like(over)
    found[index[better], index[worse]] = True
    assert torch.equal(found, over)


@pytest.mark.parametrize("threshold", [0, 0.3, 0.9, 1])
@pytest.mark.parametrize("name", [*HARD, "uniform", "clustered", "none"])
def test_boxes_that_meet_one_of_the_other_list_are_those_of_the_table(name, threshold):
    others = {"uniform": uniform(300, seed=4), "clustered": clustered(300, seed=4)}
    boxes = (HARD | others | {"none": [torch.empty(0, 4)]})[name][0]
    first = len(boxes) // 3
    over = box_iou(boxes[:first], boxes[first:]).double() > threshold
    met = find_met(as_columns(boxes.numpy()), first, threshold)
    assert met.tolist() == [*over.any(dim=1).tolist(), *over.any(dim=0).tolist()]


def test_boxes_of_different_groups_are_no_pairs():
    boxes = torch.tensor([[0.0, 0, 1, 1]]).repeat(7, 1)
    groups = [np.array([0, 2, 5]), np.array([], np.int64), np.array([1, 6])]
    better, worse, _ = find_edges(as_columns(boxes.numpy()), groups, 0.5, 10)
    assert sorted(zip(better.tolist(), worse.tolist(), strict=True)) == [
        (0, 2),
        (0, 5),
        (1, 6),
        (2, 5),
    ]


@pytest.mark.parametrize("cells", [100, 20_000, 1 << 16])  # no groups walk together, or all
@pytest.mark.parametrize("threshold", [0, 0.3, 0.7])
@pytest.mark.parametrize("name", [*HARD, "uniform", "clustered"])
def test_groups_have_the_pairs_of_the_whole_table(name, threshold, cells, monkeypatch):
    monkeypatch.setattr(sweep, "CELLS", cells)
    others = {"uniform": uniform(400, seed=5), "clustered": clustered(400, seed=5)}
    boxes = (HARD | others)[name][0]
    columns, group = as_columns(boxes.numpy()), np.arange(len(boxes)) ** 2 % 5
    better, worse, _ = find_edges(columns, meeting_boxes(columns, group), threshold, 10**6)
    over = (box_iou(boxes, boxes).double() > threshold).triu(1).numpy()
    over &= group[:, None] == group
    assert sorted(zip(better, worse, strict=True)) == [tuple(pair) for pair in np.argwhere(over)]


def test_a_box_over_the_limit_ends_the_search():
    boxes = torch.tensor([[0.0, 0, 1, 1]]).repeat(5, 1)
    assert len(edges_of(boxes, 0.5, limit=10)[0]) == 10
    assert edges_of(boxes, 0.5, limit=9) is None
