from dataclasses import replace

import pytest
import torch

from explorer.core.proposals import propose
from explorer.core.survivors import (
    THRESHOLDS,
    count_survivors,
    tell_equal_tops,
    tell_thresholds,
)
from explorer.settings import Filter, Nms
from tests.core.test_proposals import candidates_of, random_candidates

A, HALF, FAR = [0, 0, 10, 10], [0, 0, 10, 5], [50, 50, 60, 60]


def counted(candidates, rules=None, lowest=0.0):
    return count_survivors(candidates, rules or Filter(), lowest)


def test_three_boxes_by_hand():
    survivors = counted(candidates_of([A, HALF, FAR])).tolist()
    assert survivors == [2] * 50 + [3] * 51  # an IoU of exactly .5 stays at .5


def test_no_candidates_leave_zeros():
    assert counted(candidates_of([])).tolist() == [0] * 101


@pytest.mark.parametrize("lowest", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("by_level", [False, True])
def test_each_count_is_what_the_proposals_say_at_that_threshold(by_level, lowest):
    candidates, rules = random_candidates(3), Filter(nms_by_level=by_level)
    survivors = counted(candidates, rules, lowest)
    assert len(set(survivors.tolist())) > 3 or lowest == 1
    for place in range(0, 101, 5):
        nms = Nms(iou_threshold=THRESHOLDS[place], score_threshold=lowest, post_nms=1)
        assert survivors[place] == propose(candidates, None, rules, nms).survivors


def test_fillers_of_a_fixed_shape_do_not_count():
    candidates = candidates_of([A, HALF, FAR])
    padded = replace(candidates, valid=torch.tensor([True, True, False]))
    assert counted(padded).tolist() == [1] * 50 + [2] * 51


def test_the_answer_at_two_thresholds_states_both_counts():
    survivors = torch.arange(101)
    told = tell_thresholds(survivors, 200)
    assert told.startswith("Of these 200 candidates it keeps 70 at 0.7 and drops 130; at 0.3 it")
    assert "at 0.3 it keeps 30 and drops 170. So the higher threshold keeps more:" in told
    assert "the two keep the same number" in tell_thresholds(torch.full((101,), 5), 9)


def test_equal_tops_leave_nms_its_work():
    told = tell_equal_tops(2000, 1500, 0.7, 1000)
    assert told == (
        "Yes: 2,000 go in and 1,500 survive at 0.7, so NMS itself drops 500, whatever the cap. "
        "A cap of 2,000, as many as go in, could never cut; the cap of 1,000 set now cuts 500."
    )
    assert "Not here: 9 go in and 9 survive at 1, so NMS drops none" in tell_equal_tops(9, 9, 1, 9)
    assert tell_equal_tops(9, 8, 1, 8).endswith("the cap of 8 set now cuts none.")
