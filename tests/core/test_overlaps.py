import tracemalloc
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core import proposals
from explorer.core.boxes import box_iou
from explorer.core.nms import rank, suppress
from explorer.core.overlaps import find_overlaps, suppress_at, survivors_by_threshold
from explorer.settings import Filter, Nms
from tests.core.test_nms import (
    FAR,
    HALF,
    SHIFTED,
    TWO_DECIMALS,
    A,
    as_boxes,
    chain,
    crowd,
    decided,
    scenes,
    thresholds,
    with_lone_boxes,
)
from tests.core.test_proposals import random_candidates


def pairs(overlaps):
    sides = (overlaps.winner, overlaps.loser, overlaps.iou)
    return list(zip(*(side.tolist() for side in sides), strict=True))


def plain_pairs(boxes, scores, groups=None):
    """Winner, loser and IoU of every pair of ranks, from the matrix of all boxes by all."""
    order = rank(scores)
    iou = box_iou(boxes[order], boxes[order]).triu(diagonal=1)
    if groups is not None:
        iou[groups[order][:, None] != groups[order]] = 0
    winner, loser = iou.nonzero(as_tuple=True)
    return set(zip(winner.tolist(), loser.tolist(), iou[winner, loser].tolist(), strict=True))


def test_pairs_are_ranks_with_their_iou_best_first():
    boxes = as_boxes([SHIFTED, FAR, HALF, A])
    overlaps = find_overlaps(boxes, torch.tensor([0.1, 0.2, 0.3, 0.4]))
    assert overlaps.order.tolist() == [3, 2, 1, 0]
    assert overlaps.complete
    first, second, third = pairs(overlaps)
    assert first == (0, 1, 0.5)
    assert second == (0, 3, pytest.approx(1 / 3))
    assert third == (1, 3, pytest.approx(0.2))  # 5 shared of 25
    dtypes = [part.dtype for part in (overlaps.winner, overlaps.loser, overlaps.iou)]
    assert dtypes == [torch.int32, torch.int32, torch.float32]


def test_boxes_that_touch_or_belong_to_different_groups_are_no_pair():
    boxes, scores = as_boxes([A, [10, 0, 20, 2], A]), torch.zeros(3)
    assert pairs(find_overlaps(boxes, scores)) == [(0, 2, 1)]
    assert pairs(find_overlaps(boxes, scores, torch.tensor([0, 0, 1]))) == []


@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.parametrize("grouped", [False, True])
def test_without_two_boxes_there_are_no_pairs(count, grouped):
    groups = torch.zeros(count, dtype=torch.int64) if grouped else None
    overlaps = find_overlaps(torch.ones(count, 4), torch.ones(count), groups)
    assert overlaps.complete
    assert pairs(overlaps) == []
    assert decided(suppress_at(overlaps, 0.5)) == (list(range(count)), [-1] * count)
    assert survivors_by_threshold(overlaps, [0, 0.5]).tolist() == [count] * 2


@settings(max_examples=100, deadline=None)
@given(scenes())
def test_every_overlapping_pair_is_listed_once(scene):
    check_pairs(*scene)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 500), st.booleans())
def test_every_overlapping_pair_of_a_crowd_is_listed_once(seed, count, grouped):
    boxes, scores, groups = crowd(count, seed)
    check_pairs(boxes, scores, groups if grouped else None)


def check_pairs(boxes, scores, groups):
    overlaps = find_overlaps(boxes, scores, groups)
    expected = plain_pairs(boxes, scores, groups)
    assert len(overlaps.iou) == len(expected)
    assert set(pairs(overlaps)) == expected
    assert (overlaps.iou.diff() <= 0).all()
    assert torch.equal(overlaps.order, rank(scores))


def check_thresholds(boxes, scores, groups, values):
    """Every threshold from the overlaps is NMS at that threshold."""
    overlaps = find_overlaps(boxes, scores, groups)
    counts = survivors_by_threshold(overlaps, values)
    assert counts.dtype == torch.int64
    for threshold, survivors in zip(values, counts.tolist(), strict=True):
        expected = suppress(boxes, scores, threshold, groups)
        assert decided(suppress_at(overlaps, threshold)) == decided(expected)
        assert survivors == len(expected.keep)


@settings(max_examples=60, deadline=None)
@given(scenes(), st.lists(thresholds, max_size=6))
def test_any_threshold_of_any_boxes_is_nms_at_that_threshold(scene, values):
    check_thresholds(*scene, values)


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("lone", [0, 300])
def test_a_curve_of_101_thresholds_is_101_runs_of_nms(grouped, lone):
    boxes, scores, groups = with_lone_boxes(*crowd(250, 8), lone)
    check_thresholds(boxes, scores, groups if grouped else None, TWO_DECIMALS)


@pytest.mark.parametrize("count", [26, 51, 400])
def test_a_long_chain_is_nms_at_every_threshold(count):
    boxes, scores = chain(count)
    curve = survivors_by_threshold(find_overlaps(boxes, scores), [0.2, 0.5])
    assert curve.tolist() == [(count + 1) // 2, count]
    check_thresholds(boxes, scores, None, TWO_DECIMALS)


def test_an_iou_of_exactly_the_threshold_counts_as_the_double_says():
    for percent in range(1, 100):
        boxes = as_boxes([[0, 0, 100, 1], [0, 0, percent, 1]])  # IoU: the float32 nearest to it
        overlaps = find_overlaps(boxes, torch.tensor([2.0, 1.0]))
        stay = 2 - (float(np.float32(percent / 100)) > percent / 100)
        assert len(suppress_at(overlaps, percent / 100).keep) == stay
        assert survivors_by_threshold(overlaps, [percent / 100]).tolist() == [stay]


def test_thresholds_come_in_any_order_number_and_container():
    boxes, scores, _ = crowd(80, 4)
    overlaps = find_overlaps(boxes, scores)
    rising = survivors_by_threshold(overlaps, TWO_DECIMALS)
    assert rising[0] < rising[50] < rising[100] == 80
    shuffled = torch.randperm(101, generator=torch.Generator().manual_seed(0))
    mixed = survivors_by_threshold(overlaps, torch.tensor(TWO_DECIMALS).double()[shuffled])
    assert torch.equal(mixed, rising[shuffled])
    assert torch.equal(survivors_by_threshold(overlaps, [0.3] * 130), rising[[30] * 130])
    assert survivors_by_threshold(overlaps, []).shape == (0,)


@pytest.mark.parametrize("grouped", [False, True])
def test_past_the_limit_nothing_is_listed_and_nothing_decided(grouped):
    boxes, scores, groups = crowd(100, 6)
    groups = groups if grouped else None
    all_of_them = find_overlaps(boxes, scores, groups)
    count = len(all_of_them.iou)
    assert pairs(find_overlaps(boxes, scores, groups, limit=count)) == pairs(all_of_them)
    few = find_overlaps(boxes, scores, groups, limit=count - 1)
    assert not few.complete
    assert pairs(few) == []
    assert torch.equal(few.order, rank(scores))
    message = r"^overlaps.complete must be True, got False: run nms.suppress on the boxes$"
    with pytest.raises(ValueError, match=message):
        suppress_at(few, 0.5)
    with pytest.raises(ValueError, match=message):
        survivors_by_threshold(few, [0.5])


def test_past_the_limit_memory_stays_bounded():
    boxes, scores = as_boxes([A]).repeat(8000, 1), torch.zeros(8000)  # 32 million pairs, 384 MB
    tracemalloc.start()
    assert not find_overlaps(boxes, scores, limit=100_000).complete
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6


def test_past_the_limit_the_pipeline_runs_nms_on_the_boxes(monkeypatch):
    candidates, rules, nms = random_candidates(3), Filter(), Nms(iou_threshold=0.3)
    complete = proposals.candidate_overlaps(candidates, rules)
    monkeypatch.setattr(proposals, "find_overlaps", partial(find_overlaps, limit=3))
    few = proposals.candidate_overlaps(candidates, rules)
    assert not few.complete
    got, expected = (proposals.propose(candidates, each, rules, nms) for each in (few, complete))
    assert 0 < got.survivors < len(candidates.boxes)
    for name in ("candidate_index", "suppressed_by", "fate"):
        assert torch.equal(getattr(got, name), getattr(expected, name))


def test_a_wrong_threshold_or_shape_is_named():
    overlaps = find_overlaps(as_boxes([A, HALF]), torch.zeros(2))
    with pytest.raises(ValueError, match=r"^nms.iou_threshold must be in \[0, 1\], got 1.7$"):
        suppress_at(overlaps, 1.7)
    with pytest.raises(ValueError, match=r"^nms.iou_threshold must be in \[0, 1\], got -0.5$"):
        survivors_by_threshold(overlaps, [0.5, -0.5])
    with pytest.raises(ValueError, match=r"^nms.scores must have shape \(2,\), got \(3,\)$"):
        find_overlaps(as_boxes([A, HALF]), torch.zeros(3))
