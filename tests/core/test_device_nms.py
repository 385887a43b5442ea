"""The accelerator's path, on every device here; on the CPU it only runs in these tests."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core import device_nms
from explorer.core.device_nms import ROUNDS, settle, suppress_ranked
from explorer.core.nms import by_index, rank, suppress
from tests.core.test_nms import HARD, THRESHOLDS, as_boxes, chain, clustered, some_boxes
from tests.core.test_no_host_waits import ACCELERATORS, no_host_waits
from tests.devices import DEVICES

LINK = 6  # the step of a chain: neighbours have IoU 1/4
thresholds = st.sampled_from(THRESHOLDS) | st.floats(0, 1)
on_each_device = pytest.mark.parametrize("device", DEVICES)


def moved(device, *parts):
    return [None if part is None else part.to(device) for part in parts]


def check(device, boxes, scores, threshold, groups=None):
    """Rank the boxes, decide them on the device, and compare with the CPU's own way."""
    order = rank(scores)
    ranked = moved(device, boxes[order], None if groups is None else groups[order])
    lost_to = suppress_ranked(ranked[0], threshold, ranked[1])
    assert lost_to.dtype == torch.int64
    assert lost_to.device.type == device
    result, expected = by_index(order, lost_to.cpu()), suppress(boxes, scores, threshold, groups)
    assert result.keep.tolist() == expected.keep.tolist()
    assert result.suppressed_by.tolist() == expected.suppressed_by.tolist()


@on_each_device
def test_what_overlaps_a_better_box_goes_and_says_to_whom(device):
    boxes = as_boxes([[0, 0, 10, 2], [50, 50, 60, 60], [0, 0, 10, 1], [5, 0, 15, 2]])
    lost_to, settled = settle(*moved(device, boxes), 0.4)  # IoU with the first: 0, 1/2 and 1/3
    assert lost_to.tolist() == [-1, -1, 0, -1]
    assert settled.item()


@on_each_device
def test_no_boxes_are_decided_at_once(device):
    lost_to, settled = settle(torch.empty(0, 4, device=device), 0.5)
    assert lost_to.shape == (0,)
    assert settled.item()


@on_each_device
def test_any_boxes_are_decided_as_on_the_cpu(device):
    @settings(max_examples=100)
    @given(some_boxes, thresholds, st.booleans())
    def decide(rows, threshold, grouped):
        boxes, scores, groups = zip(*rows, strict=True)
        boxes, scores = as_boxes(boxes), torch.tensor(scores)
        groups = torch.tensor(groups) if grouped else None
        check(device, boxes, scores, threshold, groups)

    decide()


@on_each_device
@pytest.mark.parametrize("name", HARD)
def test_hard_inputs_are_decided_as_on_the_cpu(name, device):
    boxes, scores = HARD[name]
    for threshold in THRESHOLDS:
        check(device, boxes, scores, threshold)


@on_each_device
@pytest.mark.parametrize("rows", [7, 1024])
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("threshold", [0, 0.2, 0.5, 0.7, 1])
def test_crowds_are_decided_as_on_the_cpu_in_any_pieces(
    device, rows, grouped, threshold, monkeypatch
):
    monkeypatch.setattr(device_nms, "ROWS", rows)
    boxes, scores = clustered(1100 if rows == 1024 else 100, seed=5)
    groups = torch.arange(len(boxes)) % 3 if grouped else None
    check(device, boxes, scores, threshold, groups)


@on_each_device
def test_a_chain_as_long_as_the_rounds_is_decided(device):
    boxes, scores = chain(ROUNDS, LINK)
    lost_to, settled = settle(*moved(device, boxes), 0.2)
    assert settled.item()
    assert lost_to.tolist() == [i - 1 if i % 2 else -1 for i in range(ROUNDS)]
    check(device, boxes, scores, 0.2)


@on_each_device
@pytest.mark.parametrize("count", [ROUNDS + 1, ROUNDS + 2, 4 * ROUNDS + 3, 500])
def test_a_longer_chain_says_that_it_is_undecided_and_is_decided_in_more_rounds(device, count):
    boxes, scores = chain(count, LINK)
    _, settled = settle(*moved(device, boxes), 0.2)
    assert settled.shape == ()
    assert not settled.item()
    check(device, boxes, scores, 0.2)


@pytest.mark.parametrize("device", ["cpu", *ACCELERATORS])
@pytest.mark.parametrize("rounds", [1, 100])
def test_no_number_of_rounds_makes_the_host_wait(device, rounds):
    boxes, groups = moved(device, clustered(50, seed=1)[0], torch.arange(50) % 3)
    with no_host_waits(device):
        lost_to, settled = settle(boxes, 0.2, groups, rounds=rounds)
    assert {lost_to.device.type, settled.device.type} == {device}


@on_each_device
def test_gradients_are_left_behind(device):
    boxes = clustered(20, seed=2)[0].to(device).requires_grad_()
    assert not any(part.requires_grad for part in settle(boxes, 0.5))
