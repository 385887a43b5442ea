import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core import bands
from explorer.core.boxes import box_iou
from explorer.core.matching import Matches, find_closest, match_anchors, match_boxes, match_closest
from tests.devices import DEVICES
from tests.reference import plain_match

RULES = ["first", "all", "none"]
NAN = float("nan")


def assert_same(a, b):
    for field in dataclasses.fields(a):
        one, other = getattr(a, field.name), getattr(b, field.name)
        assert one.dtype == other.dtype, field.name
        assert torch.equal(one, other), field.name


# Five anchors, two objects: a clear match, one between the thresholds, one of both objects, the
# second best anchor of object 1, and one that meets nothing.
TABLE = torch.tensor([[0.8, 0.0], [0.5, 0.1], [0.4, 0.35], [0.0, 0.35], [0.0, 0.0]])


def test_matching_by_hand():
    matches = match_anchors(TABLE, 0.7, 0.3, "none")
    assert matches.labels.tolist() == [1, -1, -1, -1, 0]
    assert matches.matched.tolist() == [0, 0, 0, 1, 0]
    assert matches.best_iou.tolist() == pytest.approx([0.8, 0.5, 0.4, 0.35, 0])
    assert not matches.low_quality.any()
    assert matches.best_of_object.tolist() == pytest.approx([0.8, 0.35])


def test_all_makes_every_best_anchor_of_an_object_positive_and_leaves_it_its_own_object():
    matches = match_anchors(TABLE, 0.7, 0.3, "all")
    assert matches.labels.tolist() == [1, -1, 1, 1, 0]
    assert matches.low_quality.tolist() == [False, False, True, True, False]
    assert matches.matched.tolist() == [0, 0, 0, 1, 0]
    assert matches.best_iou.tolist() == pytest.approx([0.8, 0.5, 0.4, 0.35, 0])


def test_first_makes_one_best_anchor_positive_and_leaves_it_its_own_object():
    matches = match_anchors(TABLE, 0.7, 0.3, "first")
    assert matches.labels.tolist() == [1, -1, 1, -1, 0]
    assert matches.low_quality.tolist() == [False, False, True, False, False]
    assert matches.matched.tolist() == [0, 0, 0, 1, 0]
    assert matches.best_iou.tolist() == pytest.approx([0.8, 0.5, 0.4, 0.35, 0])


@pytest.mark.parametrize(("flag", "rule"), [(True, "all"), (False, "none")])
def test_true_and_false_are_all_and_none(flag, rule):
    assert_same(match_anchors(TABLE, 0.7, 0.3, flag), match_anchors(TABLE, 0.7, 0.3, rule))


def test_a_positive_by_its_own_iou_keeps_its_object_although_another_claims_it():
    table = torch.tensor([[0.75, 0.5], [0.9, 0.0]])
    matches = match_anchors(table, 0.7, 0.3, "first")
    assert matches.labels.tolist() == [1, 1]
    assert matches.matched.tolist() == [0, 0]
    assert not matches.low_quality.any()


@pytest.mark.parametrize(("low", "high"), [(0.3, 0.7), (0.2, 0.8), (0.1, 0.9), (0.5, 0.5)])
def test_an_iou_exactly_on_a_threshold_is_positive_at_high_and_not_negative_at_low(low, high):
    on_low, on_high = np.float32(low), np.float32(high)
    under_low, under_high = (np.nextafter(t, np.float32(0)) for t in (on_low, on_high))
    table = torch.tensor([[on_high], [under_high], [on_low], [under_low]])
    labels = match_anchors(table, high, low, "none").labels.tolist()
    assert labels == ([1, 0, 1, 0] if low == high else [1, -1, -1, 0])


def test_boxes_that_overlap_by_exactly_seven_tenths_are_positive():
    anchor, obj = torch.tensor([[0.0, 0.0, 7.0, 10.0]]), torch.tensor([[0.0, 0.0, 10.0, 10.0]])
    assert match_boxes(anchor, obj, 0.7, 0.3, "none").labels.tolist() == [1]


@pytest.mark.parametrize("rule", RULES)
def test_an_object_that_no_anchor_touches_makes_no_anchor_positive(rule):
    table = torch.tensor([[0.0, 0.8], [0.0, 0.0], [0.0, 0.1]])
    matches = match_anchors(table, 0.7, 0.3, rule)
    assert matches.labels.tolist() == [1, 0, 0]
    assert matches.best_of_object[0] == 0


@pytest.mark.parametrize("rule", RULES)
def test_without_objects_every_anchor_is_negative(rule):
    matches = match_anchors(torch.empty(3, 0), 0.7, 0.0, rule)
    assert matches.labels.tolist() == [0, 0, 0]
    assert matches.matched.tolist() == [0, 0, 0]
    assert matches.best_iou.tolist() == [0, 0, 0]
    assert matches.best_of_object.shape == (0,)
    assert_same(matches, match_boxes(torch.rand(3, 4), torch.empty(0, 4), 0.7, 0.0, rule))


@pytest.mark.parametrize("rule", RULES)
def test_without_anchors_all_is_empty(rule):
    matches = match_anchors(torch.empty(0, 2), 0.7, 0.3, rule)
    assert matches.labels.shape == (0,)
    assert matches.best_of_object.tolist() == [0, 0]
    assert_same(matches, match_boxes(torch.empty(0, 4), torch.rand(2, 4), 0.7, 0.3, rule))


def test_the_types_are_the_documented_ones():
    matches = match_anchors(TABLE.double(), 0.7, 0.3, "all")
    types = [getattr(matches, field.name).dtype for field in dataclasses.fields(matches)]
    assert types == [torch.int8, torch.int64, torch.float32, torch.bool, torch.float32]


# Few distinct values, so that ties and thresholds are met often.
values = st.sampled_from([0.0, 0.1, 0.3, 0.4, 0.5, 0.7, 0.9, 1.0])
tables = st.tuples(st.integers(1, 6), st.integers(0, 4)).flatmap(
    lambda shape: st.lists(
        st.lists(values, min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
    ).map(lambda rows: torch.tensor(rows, dtype=torch.float32).reshape(shape))
)
thresholds = st.sampled_from([(0.7, 0.3), (0.5, 0.5), (0.5, 0.4), (1.0, 0.0)])


@settings(max_examples=100)
@given(tables, thresholds, st.sampled_from(RULES))
def test_matching_equals_the_plain_rules(table, limits, rule):
    high, low = (float(np.float32(limit)) for limit in limits)
    matches = match_anchors(table, *limits, rule)
    expected = plain_match(table.tolist(), high, low, rule)
    found = [getattr(matches, f.name).tolist() for f in dataclasses.fields(matches)]
    assert found == list(expected)


@settings(max_examples=60)
@given(tables, thresholds)
def test_each_rule_adds_positives_to_the_one_before_and_every_touched_object_has_one(table, limits):
    none, first, every = (match_anchors(table, *limits, r) for r in ("none", "first", "all"))
    assert ((first.labels == 1) | (none.labels != 1)).all()
    assert ((every.labels == 1) | (first.labels != 1)).all()
    for matches in (first, every):
        best = (table == matches.best_of_object) & (table > 0)
        touched = matches.best_of_object > 0
        assert (best & (matches.labels == 1)[:, None]).any(dim=0).equal(touched)


def grid_of_anchors(cells, stride, sides):
    centre = (torch.arange(cells) + 0.5) * stride
    y, x = torch.meshgrid(centre, centre, indexing="ij")
    centres = torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4)
    half = torch.tensor([[-w / 2, -h / 2, w / 2, h / 2] for w, h in sides])
    return (centres + half).reshape(-1, 4)


@pytest.mark.parametrize("rule", RULES)
def test_boxes_match_as_their_table_of_iou_does(monkeypatch, rule):
    monkeypatch.setattr(bands, "BAND", 64)  # many runs, objects out of reach, ties across runs
    anchors = grid_of_anchors(16, 10, [(20, 20), (10, 30), (5, 5)])
    odd = torch.tensor([[NAN, 0, 9, 9], [5, 5, 5, 5], [9, 9, 1, 1], [500, 500, 600, 600]])
    aligned = torch.tensor([[40.0, 40, 80, 80], [0, 0, 160, 160], [35, 35, 40, 40], [0, 0, 1, 1]])
    shift = torch.rand(12, 4, generator=torch.Generator().manual_seed(0)) * 40
    loose = torch.tensor([[30.0, 30, 80, 80]]) + shift
    objects = torch.cat([odd, aligned, loose, aligned[:1]])
    anchors = torch.cat([anchors, odd[:3]])
    for limits in [(0.7, 0.3), (0.3, 0.1), (0.0, 0.0), (1.0, 1.0)]:
        expected = match_anchors(box_iou(anchors, objects), *limits, rule)
        assert_same(match_boxes(anchors, objects, *limits, rule), expected)
    assert expected.best_of_object[:4].tolist() == [0, 0, 0, 0]


@settings(max_examples=50)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 6), st.sampled_from(RULES))
def test_any_boxes_match_as_their_table_of_iou_does(seed, n, g, rule):
    generator = torch.Generator().manual_seed(seed)
    corners = torch.randint(0, 12, (n + g, 4), generator=generator).float()
    anchors, objects = corners[:n], corners[n:]
    expected = match_anchors(box_iou(anchors, objects), 0.5, 0.3, rule)
    assert_same(match_boxes(anchors, objects, 0.5, 0.3, rule), expected)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("rule", RULES)
def test_every_device_matches_alike(rule, device):
    anchors = grid_of_anchors(16, 10, [(20, 20), (10, 30)])
    objects = torch.tensor([[40.0, 40, 80, 80], [31, 33, 52, 50]])
    found = match_boxes(anchors.to(device), objects.to(device), 0.7, 0.3, rule)
    on_cpu = {f.name: getattr(found, f.name).cpu() for f in dataclasses.fields(found)}
    assert_same(Matches(**on_cpu), match_boxes(anchors, objects, 0.7, 0.3, rule))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((TABLE[0], 0.7, 0.3, "all"), r"iou must have shape \(N, G\), got \(2,\)"),
        ((TABLE, 1.7, 0.3, "all"), r"match.high must be in \[0, 1\], got 1.7"),
        ((TABLE, 0.7, -0.1, "all"), r"match.low must be in \[0, 1\], got -0.1"),
        ((TABLE, 0.7, NAN, "all"), r"match.low must be in \[0, 1\], got nan"),
        ((TABLE, 0.3, 0.7, "all"), "match.low must be <= match.high = 0.3, got 0.7"),
        ((TABLE, 0.7, 0.3, "some"), "match.allow_low_quality must be one of first, all, none, got"),
    ],
)
def test_a_bad_argument_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        match_anchors(*arguments)


def test_bad_boxes_and_rules_are_named_before_any_work():
    with pytest.raises(ValueError, match=r"anchors must have shape \(N, 4\), got \(3, 5\)"):
        match_boxes(torch.zeros(3, 5), torch.zeros(1, 4), 0.7, 0.3, "all")
    with pytest.raises(ValueError, match=r"ground_truth must have shape \(N, 4\), got \(4,\)"):
        match_boxes(torch.zeros(3, 4), torch.zeros(4), 0.7, 0.3, "all")
    with pytest.raises(ValueError, match=r"match\.allow_low_quality"):
        match_boxes(torch.zeros(0, 4), torch.zeros(0, 4), 0.7, 0.3, "some")


@pytest.mark.parametrize("rule", RULES)
def test_what_is_found_once_decides_every_threshold(rule):
    anchors = grid_of_anchors(16, 10, [(20, 20), (10, 30), (5, 5)])
    objects = torch.tensor([[40.0, 40, 80, 80], [0, 0, 160, 160], [35, 35, 40, 40]])
    closest, table = find_closest(anchors, objects), box_iou(anchors, objects)
    for limits in ((0.7, 0.3), (0.5, 0.5), (1.0, 0.0), (0.7, 0.3)):
        assert_same(match_closest(closest, *limits, rule), match_anchors(table, *limits, rule))
