import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.boxes import box_iou
from explorer.core.nms import rank, suppress
from explorer.core.overlaps import find_overlaps, pairs_over, suppress_at
from tests.core.test_nms import HARD, THRESHOLDS, as_boxes, clustered, some_boxes, uniform
from tests.devices import DEVICES


def check_at(boxes, scores, threshold, groups=None):
    overlaps = find_overlaps(boxes, scores, groups)
    expected = suppress(boxes, scores, threshold, groups)
    result = suppress_at(overlaps, threshold)
    assert torch.equal(result.keep, expected.keep)
    assert torch.equal(result.suppressed_by, expected.suppressed_by)


def test_three_boxes_by_hand():
    boxes = as_boxes([[0, 0, 10, 10], [20, 0, 30, 10], [0, 0, 10, 5]])
    overlaps = find_overlaps(boxes, torch.tensor([1.0, 3.0, 2.0]))
    assert overlaps.order.tolist() == [1, 2, 0]
    assert (overlaps.winner.tolist(), overlaps.loser.tolist()) == ([1], [2])
    assert overlaps.iou.tolist() == [0.5]
    assert overlaps.complete


def test_no_boxes_have_no_overlaps_and_no_survivors():
    overlaps = find_overlaps(torch.empty(0, 4), torch.empty(0))
    assert overlaps.complete
    assert len(overlaps.order) == len(overlaps.iou) == 0
    assert suppress_at(overlaps, 0.5).keep.shape == (0,)


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("boxes_of", [uniform, clustered])
def test_every_pair_is_listed_once_best_first(boxes_of, grouped):
    boxes, scores = boxes_of(700, seed=5)
    groups = torch.arange(700) % 3 if grouped else None
    overlaps = find_overlaps(boxes, scores, groups)
    order = rank(scores)
    iou = box_iou(boxes[order], boxes[order]).triu(1)
    if grouped:
        iou *= groups[order][:, None] == groups[order]
    listed = torch.zeros_like(iou)
    listed[overlaps.winner.long(), overlaps.loser.long()] = overlaps.iou
    assert torch.equal(listed, iou)
    assert len(overlaps.iou) == (iou > 0).sum()
    assert torch.equal(overlaps.iou, overlaps.iou.sort(descending=True).values)
    assert torch.equal(overlaps.order, order)
    assert overlaps.winner.dtype == overlaps.loser.dtype == torch.int32


@pytest.mark.parametrize("name", HARD)
def test_hard_inputs_give_the_result_of_nms(name):
    groups = torch.arange(len(HARD[name][0])) % 2
    for threshold in THRESHOLDS:
        check_at(*HARD[name], threshold)
        check_at(*HARD[name], threshold, groups)


@given(some_boxes, st.floats(0, 1))
@settings(max_examples=60)
def test_any_threshold_gives_the_result_of_nms(rows, threshold):
    boxes, scores, groups = zip(*rows, strict=True)
    check_at(as_boxes(boxes), torch.tensor(scores), threshold, torch.tensor(groups))


def test_an_edge_exactly_on_the_threshold_is_none():
    boxes = as_boxes([[0, 0, 10, 10], [0, 0, 10, 5]])
    overlaps = find_overlaps(boxes, torch.tensor([2.0, 1.0]))
    below = float(np.nextafter(0.5, 0))
    assert suppress_at(overlaps, 0.5).keep.tolist() == [0, 1]
    assert suppress_at(overlaps, below).keep.tolist() == [0]
    assert (pairs_over(overlaps, 0.5), pairs_over(overlaps, below)) == (0, 1)


def test_as_many_pairs_as_the_limit_are_complete_and_one_more_are_none():
    boxes, scores = torch.ones(10, 4) * torch.tensor([0, 0, 10, 10]), torch.arange(10).float()
    assert len(find_overlaps(boxes, scores, limit=45).iou) == 45
    overlaps = find_overlaps(boxes, scores, limit=44)
    assert not overlaps.complete
    assert len(overlaps.winner) == len(overlaps.loser) == len(overlaps.iou) == 0
    assert overlaps.order.tolist() == list(range(9, -1, -1))


def test_the_limit_is_over_all_groups_together():
    boxes, scores = torch.ones(10, 4) * torch.tensor([0, 0, 10, 10]), torch.arange(10).float()
    groups = torch.arange(10) % 2  # two groups of 10 pairs
    assert find_overlaps(boxes, scores, groups, limit=20).complete
    assert not find_overlaps(boxes, scores, groups, limit=19).complete


def test_72_million_pairs_are_given_up_in_bounded_memory():
    boxes = torch.tensor([0.0, 0, 10, 10]).repeat(12_000, 1)
    tracemalloc.start()
    try:
        overlaps = find_overlaps(boxes, torch.arange(12_000).float(), limit=500_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert not overlaps.complete
    assert peak < 500_000 * 60  # 20 bytes a pair and one step of the walk


@pytest.mark.parametrize("device", DEVICES)
def test_overlaps_are_found_wherever_the_boxes_are(device):
    boxes, scores = clustered(200, seed=8)
    groups = torch.arange(200) % 2
    there = find_overlaps(boxes.to(device), scores.to(device), groups.to(device))
    here = find_overlaps(boxes, scores, groups)
    assert torch.equal(there.iou, here.iou)
    assert there.order.device.type == there.winner.device.type == "cpu"


def test_incomplete_overlaps_are_refused():
    overlaps = find_overlaps(torch.tensor([[0.0, 0, 1, 1]]).repeat(3, 1), torch.ones(3), limit=0)
    message = r"overlaps\.complete must be True, got False"
    with pytest.raises(ValueError, match=message):
        suppress_at(overlaps, 0.5)


def test_a_wrong_threshold_or_shape_is_named():
    overlaps = find_overlaps(*uniform(5, seed=0))
    message = r"nms\.iou_threshold must be in \[0, 1\], got 1\.7"
    with pytest.raises(ValueError, match=message):
        suppress_at(overlaps, 1.7)
    with pytest.raises(ValueError, match=r"nms\.scores must have shape \(2,\), got \(3,\)"):
        find_overlaps(torch.zeros(2, 4), torch.zeros(3))
