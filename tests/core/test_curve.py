import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core import curve
from explorer.core.curve import survivors_by_threshold
from explorer.core.nms import suppress
from tests.core.test_nms import (
    HARD,
    THRESHOLDS,
    as_boxes,
    chain,
    clustered,
    some_boxes,
    uniform,
)
from tests.devices import DEVICES

HUNDREDTHS = [percent / 100 for percent in range(101)]


def ranked(boxes, scores):
    return boxes[scores.argsort(descending=True, stable=True)]


def one_by_one(boxes, thresholds, groups=None):
    """The survivors of separate runs of NMS."""
    ranks = -torch.arange(len(boxes)).float()
    return [len(suppress(boxes, ranks, each, groups).keep) for each in thresholds]


def test_three_boxes_by_hand():
    boxes = as_boxes([[0, 0, 10, 10], [0, 0, 10, 6], [0, 0, 10, 5]])  # IoUs .6, .5 and 5/6
    counts = survivors_by_threshold(boxes, [0.9, 0.83, 0.6, 0.55, 0.5, 0.49])
    # Over .6 the second is kept and beats the third up to 5/6; under it only the first is there.
    assert counts.tolist() == [3, 2, 2, 2, 2, 1]
    assert counts.dtype == torch.int64


def test_an_iou_exactly_on_the_threshold_survives():
    boxes = as_boxes([[0, 0, 10, 10], [0, 0, 10, 5]])
    assert survivors_by_threshold(boxes, [0.5, float(np.nextafter(0.5, 0))]).tolist() == [2, 1]


def test_the_threshold_is_a_double_as_in_the_reference():
    boxes = as_boxes([[0, 0, 10, 1], [0, 0, 2, 1]])  # float32's 0.2 is over 0.2
    assert survivors_by_threshold(boxes, [0.2]).tolist() == [1]


def test_no_boxes_leave_zeros_and_no_thresholds_no_counts():
    assert survivors_by_threshold(torch.empty(0, 4), [0, 0.5, 1]).tolist() == [0, 0, 0]
    counts = survivors_by_threshold(uniform(20, seed=0)[0], [])
    assert (counts.shape, counts.dtype) == ((0,), torch.int64)


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("boxes_of", [uniform, clustered])
def test_survivors_are_counted_at_all_thresholds_as_at_each(boxes_of, grouped):
    boxes = ranked(*boxes_of(700, seed=6))
    groups = torch.arange(700) % 3 if grouped else None
    thresholds = torch.rand(150, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    thresholds = [*THRESHOLDS, *thresholds.tolist()]
    counts = survivors_by_threshold(boxes, thresholds, groups).tolist()
    assert counts == one_by_one(boxes, thresholds, groups)
    assert len(set(counts)) > 50


@pytest.mark.parametrize("cells", [1, 1 << 16])
@pytest.mark.parametrize("block", [1, 7, 64])
def test_the_pieces_of_the_walk_change_nothing(block, cells, monkeypatch):
    monkeypatch.setattr(curve, "BLOCK", block)
    monkeypatch.setattr(curve, "CELLS", max(cells, block))
    boxes = ranked(*clustered(70, seed=2, objects=3))
    assert survivors_by_threshold(boxes, HUNDREDTHS).tolist() == one_by_one(boxes, HUNDREDTHS)


@pytest.mark.parametrize("name", HARD)
def test_hard_inputs_are_counted_as_one_by_one(name):
    boxes = ranked(*HARD[name])
    for groups in (None, torch.arange(len(boxes)) % 2):
        counts = survivors_by_threshold(boxes, THRESHOLDS, groups).tolist()
        assert counts == one_by_one(boxes, THRESHOLDS, groups)


@given(some_boxes, st.lists(st.floats(0, 1), min_size=1, max_size=70))
@settings(max_examples=60)
def test_any_boxes_are_counted_at_any_thresholds(rows, thresholds):
    boxes, _, groups = zip(*rows, strict=True)
    boxes, groups = as_boxes(boxes), torch.tensor(groups)
    for given_groups in (None, groups):
        counts = survivors_by_threshold(boxes, thresholds, given_groups).tolist()
        assert counts == one_by_one(boxes, thresholds, given_groups)


@pytest.mark.parametrize("step", [2.5, 6])
def test_survivors_of_a_long_chain_are_counted(step):
    boxes = chain(400, step)[0]
    assert survivors_by_threshold(boxes, HUNDREDTHS).tolist() == one_by_one(boxes, HUNDREDTHS)


def test_identical_boxes_leave_one_until_the_threshold_is_1():
    boxes = torch.tensor([[0.0, 0, 10, 10]]).repeat(500, 1)
    assert survivors_by_threshold(boxes, [0, 0.99, 1]).tolist() == [1, 1, 500]


@pytest.mark.parametrize("count", [1, 63, 64, 65, 128, 129])
def test_any_number_of_thresholds_has_its_bits(count):
    thresholds = np.linspace(0, 1, count).tolist()
    boxes = ranked(*clustered(80, seed=1, objects=3))
    assert survivors_by_threshold(boxes, thresholds).tolist() == one_by_one(boxes, thresholds)


@pytest.mark.parametrize("device", DEVICES)
def test_boxes_are_counted_wherever_they_are(device):
    boxes = ranked(*clustered(200, seed=8))
    groups = torch.arange(200) % 2
    there = survivors_by_threshold(boxes.to(device), HUNDREDTHS, groups.to(device))
    assert there.device.type == "cpu"
    assert there.tolist() == one_by_one(boxes, HUNDREDTHS, groups)


def test_a_wrong_threshold_or_shape_is_named():
    with pytest.raises(ValueError, match=r"nms\.iou_threshold must be in \[0, 1\], got 1\.7"):
        survivors_by_threshold(torch.zeros(1, 4), [0.5, 1.7])
    with pytest.raises(ValueError, match=r"nms\.boxes must have shape \(N, 4\), got \(2, 5\)"):
        survivors_by_threshold(torch.zeros(2, 5), [0.5])
