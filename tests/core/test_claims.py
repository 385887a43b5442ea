"""Who claims an object, and why nobody does."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.boxes import box_iou
from explorer.core.claims import Verdict, short_iou, tell_claims
from explorer.core.matching import match_boxes
from tests.figures.reading import world
from tests.reference import plain_match

ANCHORS, GRID, ALL = world("notebook", 256, 256)
NAMES = ANCHORS.level_names


def claims_of(*boxes, high=0.7, low=0.3, rule="first", of=None):
    _, grid, every = of or (ANCHORS, GRID, ALL)
    objects = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    matches = match_boxes(every.boxes, objects, high, low, rule)
    return tell_claims(matches, grid, every, objects, high)


def square(x, y, side):
    return [x - side / 2, y - side / 2, x + side / 2, y + side / 2]


def test_an_object_like_an_anchor_is_claimed_by_its_level():
    # P3's cell at row 5, column 6 has its centre at (52, 44); its square anchor has side 64
    (claim,) = claims_of(square(52, 44, 64))
    assert claim.verdict == Verdict.MATCHED
    assert claim.best_iou == pytest.approx(1)
    assert claim.by_rule == 0
    # neighbours 8 px away on one axis have (56 x 64) / (2 x 64² - 56 x 64) = .78, diagonal ones .62
    assert claim.by_level == (0, 5, 0, 0, 0)
    assert claim.who(NAMES) == "5 anchors of P3 claim it; best IoU 1."
    assert claim.reason(NAMES) == ""


def test_two_levels_share_an_object():
    (claim,) = claims_of(square(64, 64, 90), high=0.45)
    assert claim.by_level[1] > 0
    assert claim.by_level[2] > 0
    p3, p4 = claim.by_level[1:3]
    assert claim.who(NAMES) == (
        f"{p3} anchors of P3 and {p4} of P4 claim it; best IoU {short_iou(claim.best_iou)}."
    )


def test_the_rule_saves_what_no_anchor_reaches():
    (claim,) = claims_of([100, 100, 118, 109])
    assert claim.verdict == Verdict.NO_SHAPE
    assert (claim.count, claim.by_rule) == (1, 1)
    assert claim.who(NAMES).startswith("1 anchor of P2 claims it, by the best-anchor rule alone; ")
    (claim,) = claims_of([100, 100, 118, 109], rule="none")
    assert claim.count == 0
    assert claim.who(NAMES) == f"No anchor claims it; best IoU {short_iou(claim.best_iou)}."


def test_a_small_object_is_told_what_the_smallest_anchor_could_do():
    (claim,) = claims_of([100, 100, 118, 109])
    # 18 x 9 within P2's 45 x 23, which has area 32²
    assert claim.offer.iou == pytest.approx(162 / 1024)
    assert claim.reason(NAMES) == (
        "18 x 9 px is smaller than any anchor: right on it, the best, P2's 45 x 23 px, would have "
        "IoU 0.158, under 0.7. The best anchor here has 0.158."
    )


def test_an_object_between_the_shapes_is_told_so():
    (claim,) = claims_of([100, 100, 157, 134])
    assert claim.verdict == Verdict.NO_SHAPE
    assert claim.reason(NAMES).startswith("57 x 34 px falls between the anchors' shapes: right on")


def test_a_shape_that_would_do_but_does_not_lie_there():
    # a square of P6's size 512 shrunk: P5's 256 at stride 32 is up to 16 px away on each axis
    every = world("notebook", 512, 512)
    (claim,) = claims_of(square(256, 256, 250), high=0.9, of=every)
    assert claim.verdict == Verdict.NO_PLACE
    assert claim.offer.iou == pytest.approx((250 / 256) ** 2)
    # the nearest centres of P5 are 16 px away on both axes: 240 - 3 px of 250 are shared
    shared = (125 + 112) ** 2
    assert claim.best_iou == pytest.approx(shared / (250**2 + 256**2 - shared), abs=1e-5)
    assert claim.reason(NAMES) == (
        "P5's 256 x 256 px would have IoU 0.953 right on it, but the cells of that level are "
        f"32 px apart. The best anchor here has {short_iou(claim.best_iou)}."
    )


def test_an_object_whose_anchors_belong_to_another_is_told_whose():
    box = square(52, 44, 64)
    first, second = claims_of(box, box)
    assert first.verdict == Verdict.MATCHED
    assert second.verdict == Verdict.TAKEN
    assert second.count == 0
    assert second.takers == (0,)
    assert "counts for object 1, which it overlaps as much or more" in second.reason(NAMES)


def test_an_object_on_the_threshold_is_reached():
    # 44.8 of the 64 x 64 anchor at (52, 44): an IoU of exactly .7
    box = [20, 12, 84, 12 + 44.8]
    (iou,) = {round(claim.best_iou, 6) for claim in claims_of(box)}
    (claim,) = claims_of(box, high=float(np.float32(iou)))
    assert claim.verdict == Verdict.MATCHED
    (claim,) = claims_of(box, high=iou + 1e-3)
    assert claim.verdict == Verdict.NO_SHAPE


def test_no_objects_have_no_claims():
    assert claims_of() == []


def test_matches_of_other_objects_are_refused():
    matches = match_boxes(ALL.boxes, torch.zeros(2, 4), 0.7, 0.3, "first")
    with pytest.raises(ValueError, match="matches must be of 1 objects, got 2"):
        tell_claims(matches, GRID, ALL, torch.ones(1, 4), 0.7)


def test_an_iou_never_reads_as_more_than_it_is():
    assert short_iou(0.6999999) == "0.699"
    assert short_iou(0.7) == "0.7"
    assert short_iou(0) == "0"


SMALL = world("notebook", 64, 64)
CORNERS = st.tuples(*[st.integers(0, 56)] * 2, *[st.integers(2, 60)] * 2)


@settings(max_examples=25)
@given(
    st.lists(CORNERS, min_size=1, max_size=4),
    st.sampled_from(["first", "all", "none"]),
    st.sampled_from([0.3, 0.5, 0.7]),
)
def test_claims_equal_a_count_by_hand(places, rule, high):
    boxes = [[x, y, x + w, y + h] for x, y, w, h in places]
    told = claims_of(*boxes, high=high, rule=rule, of=SMALL)
    _, grid, every = SMALL
    objects = torch.tensor(boxes, dtype=torch.float32)
    table = box_iou(every.boxes, objects).tolist()
    high32, low32 = (float(np.float32(value)) for value in (high, 0.3))
    labels, matched, _, low, best = plain_match(table, high32, low32, rule)
    level = np.repeat(np.arange(5), grid.counts).tolist()
    count = Counter((matched[n], level[n]) for n, label in enumerate(labels) if label == 1)
    by_rule = Counter(matched[n] for n, flag in enumerate(low) if flag)
    for claim in told:
        g = claim.object
        assert claim.by_level == tuple(count[g, i] for i in range(5))
        assert claim.by_rule == by_rule[g]
        assert claim.best_iou == pytest.approx(best[g], abs=1e-6)
        assert (claim.verdict == Verdict.MATCHED) == (claim.count > claim.by_rule)
        assert claim.best_iou <= claim.offer.iou + 1e-6
        if claim.verdict == Verdict.TAKEN:
            near = [n for n, row in enumerate(table) if row[g] >= high32]
            assert claim.takers == tuple(sorted({matched[n] for n in near}))
            assert near
        if claim.verdict == Verdict.NO_SHAPE:
            assert claim.offer.iou < high
        if claim.verdict == Verdict.NO_PLACE:
            assert claim.offer.iou >= high > claim.best_iou
