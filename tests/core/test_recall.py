import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core import evaluation
from explorer.core.recall import Kind, find_hits
from tests.reference import plain_hit_kinds, plain_iou

EMPTY = torch.zeros(0, 4)
HIT, DUPLICATE, MISS = Kind


def boxes(*rows):
    return torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)


def random_boxes(count, seed, spread=60.0):
    generator = torch.Generator().manual_seed(seed)
    corner = (torch.rand(count, 2, generator=generator) * spread).round()
    side = (4 + 40 * torch.rand(count, 2, generator=generator)).round()
    return torch.cat([corner, corner + side], 1)


def test_the_first_to_reach_an_object_hits_it_and_the_next_is_a_duplicate():
    proposals = boxes([0, 0, 10, 6], [0, 0, 10, 10], [0, 0, 10, 4], [50, 50, 60, 60])
    hits = find_hits(proposals, boxes([0, 0, 10, 10]), 0.5)
    assert hits.kind.tolist() == [HIT, DUPLICATE, MISS, MISS]
    assert hits.object.tolist() == [0, 0, -1, -1]
    assert hits.iou.tolist() == pytest.approx([0.6, 1, 0.4, 0])
    assert hits.found_by.tolist() == [0]
    assert hits.best_iou.tolist() == [1]
    assert hits.iou_threshold == 0.5


def test_a_proposal_whose_first_choice_is_found_hits_its_second():
    objects = boxes([0, 0, 10, 10], [2, 0, 12, 10])
    proposals = boxes([0, 0, 10, 10], [0.5, 0, 10.5, 10])
    hits = find_hits(proposals, objects, 0.5)
    assert hits.kind.tolist() == [HIT, HIT]
    assert hits.object.tolist() == [0, 1]
    assert hits.iou.tolist() == pytest.approx([1, 8.5 / 11.5])
    assert hits.found_by.tolist() == [0, 1]


def test_a_duplicate_names_the_object_it_overlaps_most():
    objects = boxes([0, 0, 10, 10], [2, 0, 12, 10])
    proposals = torch.cat([objects, boxes([1.5, 0, 11.5, 10])])
    hits = find_hits(proposals, objects, 0.5)
    assert hits.kind.tolist() == [HIT, HIT, DUPLICATE]
    assert hits.object.tolist() == [0, 1, 1]


def test_an_iou_exactly_on_the_threshold_hits():
    half = boxes([0, 0, 10, 5])
    assert find_hits(half, boxes([0, 0, 10, 10]), 0.5).kind.tolist() == [HIT]
    assert find_hits(half, boxes([0, 0, 10, 10]), 0.5000001).kind.tolist() == [MISS]
    two = torch.cat([half, half])
    assert find_hits(two, boxes([0, 0, 10, 10]), 0.5).kind.tolist() == [HIT, DUPLICATE]


def test_at_threshold_one_the_object_itself_hits_and_again_is_a_duplicate():
    box = boxes([0.1, 0.2, 10.7, 33.3])
    assert find_hits(box.repeat(2, 1), box, 1.0).kind.tolist() == [HIT, DUPLICATE]


def test_without_objects_every_proposal_is_a_miss():
    hits = find_hits(boxes([0, 0, 1, 1], [5, 5, 9, 9]), EMPTY, 0.5)
    assert hits.kind.tolist() == [MISS, MISS]
    assert hits.object.tolist() == [-1, -1]
    assert hits.iou.tolist() == [0, 0]
    assert hits.found_by.shape == hits.best_iou.shape == (0,)


def test_without_proposals_every_object_is_missed():
    hits = find_hits(EMPTY, boxes([0, 0, 1, 1]), 0.5)
    assert hits.kind.shape == hits.object.shape == hits.iou.shape == (0,)
    assert hits.found_by.tolist() == [-1]
    assert hits.best_iou.tolist() == [0]


def test_boxes_of_no_size_and_nan_reach_nothing():
    nan = float("nan")
    hits = find_hits(boxes([5, 5, 5, 5], [nan, 0, 10, 10]), boxes([0, 0, 10, 10]), 0.5)
    assert hits.kind.tolist() == [MISS, MISS]
    assert hits.iou.tolist() == [0, 0]


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(0, 6), st.sampled_from([0.2, 0.5, 0.8, 1.0]))
def test_hits_are_those_of_the_plain_loop_and_of_the_recall(seed, objects, threshold):
    proposals, truths = random_boxes(25, seed), random_boxes(objects, seed + 1)
    hits = find_hits(proposals, truths, threshold)
    kinds, matched = plain_hit_kinds(proposals.tolist(), truths.tolist(), threshold)
    assert [Kind(kind).name for kind in hits.kind.tolist()] == kinds
    assert hits.object.tolist() == matched
    assert torch.equal(hits.found_by, evaluation.find_hits(proposals, truths, [threshold])[0])
    for rank, (kind, matched) in enumerate(zip(hits.kind, hits.object, strict=True)):
        iou = hits.iou[rank].item()
        assert (iou >= threshold) == (kind != MISS)
        if kind != MISS:
            assert (hits.found_by[matched] == rank) == (kind == HIT)
            expected = plain_iou(proposals[rank].tolist(), truths[matched].tolist())
            assert iou == pytest.approx(expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: find_hits(EMPTY, EMPTY, 0), r"evaluation.iou_threshold must be in \(0, 1\], got"),
        (lambda: find_hits(EMPTY[0:0, :3], EMPTY, 0.5), r"proposals must be \(N, 4\), got \(0, 3"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
