from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.candidates import Candidates, Fate
from explorer.core.overlaps import find_overlaps
from explorer.core.proposals import candidate_overlaps, propose
from explorer.settings import Filter, Nms
from tests.devices import DEVICES
from tests.reference import greedy_suppression

ALL_LEVELS, BY_LEVEL = Filter(), Filter(nms_by_level=True)
EMPTY = torch.empty(0, 4)


def candidates_of(boxes, level=None, scores=None):
    """Candidates best first; the anchor's number is 100 and the rank."""
    boxes = torch.as_tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    count = len(boxes)
    scores = torch.linspace(0.9, 0.1, count) if scores is None else torch.tensor(scores)
    level = [0] * count if level is None else level
    return Candidates(
        boxes=boxes,
        scores=scores,
        logits=scores.logit(),
        deltas=torch.zeros(count, 4),
        anchor_index=torch.arange(100, 100 + count),
        level=torch.tensor(level, dtype=torch.int64),
        valid=torch.ones(count, dtype=torch.bool),
        fate=torch.zeros(1000, dtype=torch.int8),
    )


def random_candidates(seed, count=60):
    """Boxes around a few objects, on three levels, some of them equal."""
    rng = torch.Generator().manual_seed(seed)
    centre = torch.randint(1, 4, (count, 2), generator=rng) * 40.0
    centre += torch.randn(count, 2, generator=rng) * 6
    side = torch.rand(count, 2, generator=rng) * 30 + 20
    boxes = torch.cat([centre - side / 2, centre + side / 2], dim=1)
    boxes[count // 2] = boxes[0]
    level = torch.randint(0, 3, (count,), generator=rng).tolist()
    scores = torch.rand(count, generator=rng).sort(descending=True).values
    return candidates_of(boxes, level, scores.tolist())


def run(candidates, rules=ALL_LEVELS, **nms):
    return propose(candidates, candidate_overlaps(candidates, rules), rules, Nms(**nms))


def names(fates):
    return [Fate(fate).name for fate in fates.tolist()]


# Pairs with IoU 1/3 (10 shared of 30) and 1/2
A, SHIFTED, HALF, FAR = [0, 0, 10, 2], [5, 0, 15, 2], [0, 0, 10, 1], [50, 50, 60, 60]


def test_what_overlaps_a_better_box_goes_and_says_to_whom():
    proposals = run(candidates_of([A, FAR, SHIFTED, HALF, FAR]), iou_threshold=0.4)
    assert proposals.candidate_index.tolist() == [0, 1, 2]
    assert names(proposals.fate) == ["KEPT", "KEPT", "KEPT", "SUPPRESSED", "SUPPRESSED"]
    assert proposals.suppressed_by.tolist() == [-1, -1, -1, 0, 1]
    assert proposals.boxes.tolist() == [A, FAR, SHIFTED]
    assert proposals.scores.tolist() == pytest.approx([0.9, 0.7, 0.5])
    assert proposals.anchor_index.tolist() == [100, 101, 102]
    assert proposals.survivors == 3


def test_the_cap_cuts_survivors_and_counts_them_before():
    proposals = run(candidates_of([A, A, FAR, SHIFTED]), iou_threshold=0.4, post_nms=2)
    assert proposals.candidate_index.tolist() == [0, 2]
    assert names(proposals.fate) == ["KEPT", "SUPPRESSED", "KEPT", "OVER_CAP"]
    assert proposals.survivors == 3
    assert proposals.suppressed_by.tolist() == [-1, 0, -1, -1]


def test_a_cap_of_exactly_the_survivors_cuts_none():
    proposals = run(candidates_of([A, FAR]), post_nms=2)
    assert names(proposals.fate) == ["KEPT", "KEPT"]


def test_by_level_boxes_of_different_levels_never_meet():
    candidates = candidates_of([A, A, A], level=[0, 1, 0])
    assert run(candidates).candidate_index.tolist() == [0]
    by_level = run(candidates, BY_LEVEL)
    assert by_level.candidate_index.tolist() == [0, 1]
    assert by_level.level.tolist() == [0, 1]
    assert by_level.suppressed_by.tolist() == [-1, -1, 0]


def test_an_iou_of_exactly_the_threshold_suppresses_nothing():
    assert run(candidates_of([A, HALF]), iou_threshold=0.5).survivors == 2
    assert run(candidates_of([A, HALF]), iou_threshold=0.49).survivors == 1


def test_threshold_0_leaves_boxes_that_only_touch():
    touching = [10, 0, 20, 2]
    proposals = run(candidates_of([A, touching, SHIFTED]), iou_threshold=0)
    assert proposals.candidate_index.tolist() == [0, 1]
    assert proposals.suppressed_by.tolist() == [-1, -1, 0]


def test_threshold_1_suppresses_not_even_the_same_box():
    assert run(candidates_of([A, A, A]), iou_threshold=1).survivors == 3


@pytest.mark.parametrize("rules", [ALL_LEVELS, BY_LEVEL])
def test_no_candidates_give_no_proposals(rules):
    proposals = run(candidates_of(EMPTY), rules)
    assert proposals.boxes.shape == (0, 4)
    assert proposals.survivors == 0
    for name in ("scores", "candidate_index", "anchor_index", "level", "fate", "suppressed_by"):
        assert getattr(proposals, name).shape == (0,)


def test_what_scores_low_goes_before_nms_and_an_equal_score_stays():
    candidates = candidates_of([A, A, FAR, HALF, FAR], scores=[0.75, 0.5, 0.5, 0.25, 0.125])
    proposals = run(candidates, iou_threshold=0.4, score_threshold=0.5, post_nms=1)
    assert names(proposals.fate) == ["KEPT", "SUPPRESSED", "OVER_CAP", "LOW_SCORE", "LOW_SCORE"]
    assert proposals.suppressed_by.tolist() == [-1, 0, -1, -1, -1]
    assert proposals.survivors == 2
    assert proposals.candidate_index.tolist() == [0]


def test_all_may_score_too_low():
    proposals = run(candidates_of([A, FAR], scores=[0.9, 0.8]), score_threshold=1)
    assert names(proposals.fate) == ["LOW_SCORE", "LOW_SCORE"]
    assert proposals.boxes.shape == (0, 4)


def test_a_score_of_the_thresholds_float32_stays():
    candidates = candidates_of([A, FAR], scores=[0.3, 0.29999998])  # float32's 0.3 is over 0.3
    assert run(candidates, score_threshold=0.3).candidate_index.tolist() == [0]


def test_a_score_that_is_no_number_ranks_first_and_is_not_low():
    candidates = candidates_of([A, A], scores=[float("nan"), 0.9])
    proposals = run(candidates, score_threshold=0.5)
    assert names(proposals.fate) == ["KEPT", "SUPPRESSED"]


def test_the_place_ranks_whatever_the_scores_say():
    proposals = run(candidates_of([A, A], scores=[0.1, 0.9]))
    assert proposals.candidate_index.tolist() == [0]


def check(proposals, candidates, rules, nms):
    """Proposals are what the box-by-box oracle says of the boxes that score enough."""
    limit = torch.tensor(nms.score_threshold, dtype=torch.float32).item()
    passing = [i for i, score in enumerate(candidates.scores.tolist()) if not score < limit]
    groups = [candidates.level[i].item() if rules.nms_by_level else 0 for i in passing]
    boxes = candidates.boxes[passing].tolist()
    survivors, beaten_by = greedy_suppression(boxes, groups, nms.iou_threshold)
    survivors = [passing[i] for i in survivors]
    winners = [-1] * len(candidates.boxes)
    for place, winner in zip(passing, beaten_by, strict=True):
        winners[place] = passing[winner] if winner >= 0 else -1
    kept, cut = survivors[: nms.post_nms], survivors[nms.post_nms :]
    expected = ["SUPPRESSED" if i in passing else "LOW_SCORE" for i in range(len(winners))]
    for rank in kept:
        expected[rank] = "KEPT"
    for rank in cut:
        expected[rank] = "OVER_CAP"
    assert proposals.candidate_index.tolist() == kept
    assert proposals.survivors == len(survivors)
    assert proposals.suppressed_by.tolist() == winners
    assert names(proposals.fate) == expected
    index = proposals.candidate_index
    for name in ("boxes", "scores", "anchor_index", "level"):
        assert torch.equal(getattr(proposals, name), getattr(candidates, name)[index])


thresholds = st.sampled_from([0.0, 0.2, 0.3, 0.5, 0.7, 0.8, 1.0]) | st.floats(0, 1)


@settings(max_examples=60)
@given(
    st.integers(0, 10_000),
    st.integers(1, 60),
    thresholds,
    st.sampled_from([ALL_LEVELS, BY_LEVEL]),
    st.integers(1, 30),
    st.sampled_from([0.0, 0.2, 0.9]),
)
def test_fates_and_winners_are_those_of_greedy_nms(seed, count, threshold, rules, cap, lowest):
    candidates = random_candidates(seed, count)
    nms = Nms(iou_threshold=threshold, post_nms=cap, score_threshold=lowest)
    overlaps = candidate_overlaps(candidates, rules)
    check(propose(candidates, overlaps, rules, nms), candidates, rules, nms)


@settings(max_examples=30)
@given(st.integers(0, 10_000), thresholds, st.sampled_from([ALL_LEVELS, BY_LEVEL]))
def test_past_the_limit_of_pairs_the_proposals_are_the_same(seed, threshold, rules):
    candidates = random_candidates(seed)
    overlaps = candidate_overlaps(candidates, rules)
    assert overlaps.complete
    few = find_overlaps(candidates.boxes, torch.arange(60, 0, -1).float(), None, limit=3)
    assert not few.complete
    nms = Nms(iou_threshold=threshold)
    complete = propose(candidates, overlaps, rules, nms)
    check(propose(candidates, few, rules, nms), candidates, rules, nms)
    check(complete, candidates, rules, nms)


@pytest.mark.parametrize("few", [0, 2, 50])
def test_the_list_decides_as_the_boxes_do_however_many_pairs_it_holds(few, monkeypatch):
    monkeypatch.setattr("explorer.core.proposals.FEW_PAIRS", few)
    candidates = random_candidates(5)
    overlaps = candidate_overlaps(candidates, ALL_LEVELS)
    for threshold in (0, 0.3, 0.9, 1):
        nms = Nms(iou_threshold=threshold)
        check(propose(candidates, overlaps, ALL_LEVELS, nms), candidates, ALL_LEVELS, nms)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("rules", [ALL_LEVELS, BY_LEVEL])
def test_fillers_of_a_fixed_shape_win_nothing_and_are_no_proposals(device, rules):
    candidates = random_candidates(4)
    boxes = torch.cat([candidates.boxes, candidates.boxes[:10], torch.full((2, 4), torch.nan)])
    padded = candidates_of(boxes, [*candidates.level.tolist(), *[0] * 12])
    padded = replace(padded, valid=torch.arange(72) < 60)
    padded = Candidates(*(part.to(device) for part in vars(padded).values()))
    nms = Nms(iou_threshold=0.3, post_nms=5)
    got = propose(padded, candidate_overlaps(padded, rules), rules, nms)
    expected = propose(candidates, candidate_overlaps(candidates, rules), rules, nms)
    assert got.survivors == expected.survivors
    assert got.candidate_index.tolist() == expected.candidate_index.tolist()
    assert got.fate.tolist() == expected.fate.tolist() + [Fate.TOO_SMALL] * 12
    assert got.suppressed_by.tolist() == expected.suppressed_by.tolist() + [-1] * 12


@pytest.mark.parametrize("lowest", [0, 0.4])
@pytest.mark.parametrize("device", DEVICES)
def test_proposals_do_not_depend_on_the_device(device, lowest):
    candidates = random_candidates(2)
    moved = Candidates(*(part.to(device) for part in vars(candidates).values()))
    for rules in (ALL_LEVELS, BY_LEVEL):
        overlaps = candidate_overlaps(moved, rules)
        assert (overlaps is None) == (device != "cpu")
        nms = Nms(iou_threshold=0.4, score_threshold=lowest)
        proposals = propose(moved, overlaps, rules, nms)
        assert proposals.boxes.device.type == device
        moved_back = replace(
            proposals,
            **{n: p.cpu() for n, p in vars(proposals).items() if isinstance(p, torch.Tensor)},
        )
        check(moved_back, candidates, rules, nms)
