from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.boxes import box_iou
from explorer.core.candidates import Fate
from explorer.core.nms import nms, suppress
from explorer.core.nms_steps import nms_steps, steps_of
from explorer.core.proposals import candidate_overlaps, propose
from explorer.settings import Filter, Nms
from tests.core.test_nms import as_boxes, chain, clustered, some_boxes, uniform
from tests.core.test_proposals import candidates_of, random_candidates
from tests.reference import plain_iou

A, HALF, MOST, FAR = [0, 0, 10, 10], [0, 0, 10, 5], [0, 0, 10, 8], [50, 50, 60, 60]


def best_first(boxes, scores):
    order = scores.argsort(descending=True, stable=True)
    return boxes[order], torch.arange(len(order), 0, -1).float()


def told(boxes, threshold, groups=None):
    """Each step as (winner, losers), and the steps themselves."""
    scores = torch.arange(len(boxes), 0, -1).float()
    steps = nms_steps(boxes, suppress(boxes, scores, threshold, groups).suppressed_by)
    losers = [steps.loser[steps.losers_of(s + 1)].tolist() for s in range(len(steps.winner))]
    return list(zip(steps.winner.tolist(), losers, strict=True)), steps


def greedy_loop(boxes, threshold, groups=None):
    """The loop as a textbook has it: pick the best box left, clear around it, go on."""
    boxes, left, steps = boxes.tolist(), list(range(len(boxes))), []
    limit = threshold
    while left:
        best = left.pop(0)
        goes = [
            i
            for i in left
            if float(np.float32(plain_iou(boxes[best], boxes[i]))) > limit
            and (groups is None or groups[i] == groups[best])
        ]
        steps.append((best, goes))
        left = [i for i in left if i not in goes]
    return steps


def test_three_steps_by_hand():
    walked, steps = told(as_boxes([A, FAR, MOST, HALF, FAR]), 0.4)
    assert walked == [(0, [2, 3]), (1, [4])]
    assert steps.iou.tolist() == [np.float32(0.8), 0.5, 1]
    assert steps.decided_at.tolist() == [1, 2, 1, 1, 2]
    assert [steps.undecided_after(step) for step in range(3)] == [5, 2, 0]


def test_a_box_that_a_suppressed_one_would_suppress_stays_for_a_later_step():
    # The second overlaps both by 2/3 and goes first; the third overlaps the first by 1/3 alone.
    boxes = as_boxes([[0, 0, 10, 10], [0, 2, 10, 12], [0, 5, 10, 15]])
    assert told(boxes, 0.5)[0] == [(0, [1]), (2, [])]


def test_no_boxes_make_no_steps_and_one_box_makes_one():
    walked, steps = told(torch.empty(0, 4), 0.5)
    assert walked == []
    assert steps.start.tolist() == [0]
    assert steps.undecided_after(0) == 0
    walked, steps = told(as_boxes([A]), 0.5)
    assert walked == [(0, [])]
    assert [steps.undecided_after(step) for step in (0, 1)] == [1, 0]


def test_an_iou_of_exactly_the_threshold_waits_for_its_own_step():
    assert told(as_boxes([A, HALF]), 0.5)[0] == [(0, []), (1, [])]
    assert told(as_boxes([A, HALF]), 0.49)[0] == [(0, [1])]


# Whole numbers up to 12: areas and shared areas are exact, so the loop may divide in doubles.
whole_boxes = st.lists(
    st.builds(lambda x, y, w, h: [x, y, x + w, y + h], *[st.integers(0, 6)] * 4), max_size=14
)


@settings(max_examples=150)
@given(whole_boxes, st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0]) | st.floats(0, 1), st.booleans())
def test_every_step_is_that_of_the_plain_loop(rows, threshold, grouped):
    boxes = as_boxes(rows)
    groups = torch.arange(len(rows)) % 2 if grouped else None
    walked, steps = told(boxes, threshold, groups)
    loop = greedy_loop(boxes, threshold, None if groups is None else groups.tolist())
    assert walked == loop
    left = len(rows)
    for step, (_, goes) in enumerate(loop, start=1):
        left -= 1 + len(goes)
        assert steps.undecided_after(step) == left


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.7])
@pytest.mark.parametrize("boxes_of", [uniform, clustered])
def test_played_to_the_end_the_steps_kept_what_nms_keeps(boxes_of, threshold):
    boxes, scores = best_first(*boxes_of(800, seed=3))
    _, steps = told(boxes, threshold)
    assert steps.winner.tolist() == nms(boxes, scores, threshold).tolist()
    assert steps.undecided_after(len(steps.winner)) == 0
    assert sorted([*steps.winner, *steps.loser]) == list(range(800))


@given(some_boxes, st.floats(0, 1))
@settings(max_examples=60)
def test_the_ious_are_those_of_the_boxes_and_exceed_the_threshold(rows, threshold):
    boxes, scores, _ = zip(*rows, strict=True)
    boxes, _ = best_first(as_boxes(boxes), torch.tensor(scores).nan_to_num(0))
    _, steps = told(boxes, threshold)
    winner = steps.winner[steps.decided_at[steps.loser] - 1]
    table = box_iou(boxes, boxes).numpy()
    np.testing.assert_array_equal(steps.iou, table[winner, steps.loser])
    assert (steps.iou.astype(np.float64) > threshold).all()


def test_a_chain_takes_as_many_steps_as_it_keeps():
    boxes, scores = best_first(*chain(500, 5))
    walked, _ = told(boxes, 0.2)
    assert len(walked) == len(nms(boxes, scores, 0.2))


@pytest.mark.parametrize("lowest", [0.0, 0.4])
@pytest.mark.parametrize("by_level", [False, True])
def test_the_steps_of_proposals_are_their_fates(by_level, lowest):
    candidates, rules = random_candidates(7), Filter(nms_by_level=by_level)
    nms_settings = Nms(iou_threshold=0.3, post_nms=5, score_threshold=lowest)
    overlaps = candidate_overlaps(candidates, rules)
    proposals = propose(candidates, overlaps, rules, nms_settings)
    steps = steps_of(candidates, proposals)
    assert len(steps.winner) == proposals.survivors
    assert steps.winner[:5].tolist() == proposals.candidate_index.tolist()
    gone = (proposals.fate == Fate.SUPPRESSED).nonzero()[:, 0].tolist()
    assert sorted(steps.loser.tolist()) == gone
    low = (proposals.fate == Fate.LOW_SCORE).numpy()
    np.testing.assert_array_equal(steps.decided_at == 0, low)
    assert low.any() == (lowest > 0)


def test_a_filler_of_a_fixed_shape_is_in_no_step():
    candidates = candidates_of([A, FAR, HALF])
    candidates = replace(candidates, valid=torch.tensor([True, True, False]))
    rules = Filter()
    proposals = propose(candidates, candidate_overlaps(candidates, rules), rules, Nms())
    assert steps_of(candidates, proposals).decided_at.tolist() == [1, 2, 0]


def test_a_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r"^nms_steps.suppressed_by must have shape \(1,\), got"):
        nms_steps(as_boxes([A]), torch.tensor([-1, -1]))
    with pytest.raises(ValueError, match=r"^nms_steps.boxes must have shape \(N, 4\), got"):
        nms_steps(torch.zeros(3), torch.zeros(3))


@pytest.mark.parametrize("suppressed_by", [[1, -1, -1], [-1, 0, 1], [0, -1, -1]])
def test_a_winner_that_is_not_kept_or_not_better_is_named(suppressed_by):
    with pytest.raises(ValueError, match=r"^nms_steps.suppressed_by must name kept boxes"):
        nms_steps(as_boxes([A, HALF, MOST]), torch.tensor(suppressed_by))
